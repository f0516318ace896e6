"""The components of page Free text."""

from __future__ import annotations

from pathlib import Path

from ui.components import MARKS, STRIP, make_component

_HERE = Path(__file__).parent

editor = make_component(_HERE / "editor")
completion = make_component(_HERE / "completion", MARKS, STRIP)
