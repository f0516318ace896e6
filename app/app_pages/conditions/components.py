"""The components of page Conditions."""

from __future__ import annotations

from pathlib import Path

from ui.components import MARKS, make_component

_HERE = Path(__file__).parent

conditions = make_component(_HERE / "conditions", MARKS)
