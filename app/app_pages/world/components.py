"""The components of page World."""

from __future__ import annotations

from pathlib import Path

from ui.components import make_component

_HERE = Path(__file__).parent

rules_editor = make_component(_HERE / "rules_editor")
structure = make_component(_HERE / "structure")
