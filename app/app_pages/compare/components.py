"""The components of page Compare."""

from __future__ import annotations

from pathlib import Path

from ui.components import MARKS, STATES, VIRTUAL_TABLE, make_component

_HERE = Path(__file__).parent

comparison = make_component(_HERE / "comparison", VIRTUAL_TABLE, MARKS, STATES)
scores = make_component(_HERE / "scores", MARKS)
