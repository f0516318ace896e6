"""The components of page Probe."""

from __future__ import annotations

from pathlib import Path

from ui.components import PIXELS, make_component

_HERE = Path(__file__).parent

mosaic = make_component(_HERE / "mosaic", PIXELS)
maps = make_component(_HERE / "maps", PIXELS)
ranking = make_component(_HERE / "ranking")
