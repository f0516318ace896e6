"""The components of page Weights."""

from __future__ import annotations

from pathlib import Path

from ui.components import PIXELS, make_component

_HERE = Path(__file__).parent

matrix = make_component(_HERE / "matrix", PIXELS)
thumbnails = make_component(_HERE / "thumbnails", PIXELS)
atlas = make_component(_HERE / "atlas", PIXELS)
