"""The components of page Activations."""

from __future__ import annotations

from pathlib import Path

from ui.components import PIXELS, make_component

_HERE = Path(__file__).parent

activations = make_component(_HERE / "activations", PIXELS, _HERE / "field")
strongest = make_component(_HERE / "strongest")
