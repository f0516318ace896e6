"""The components of page Mechanism."""

from __future__ import annotations

from pathlib import Path

from ui.components import make_component

_HERE = Path(__file__).parent

verdict = make_component(_HERE / "verdict")
grid = make_component(_HERE / "grid")
case_table = make_component(_HERE / "case_table")
