"""The page's own components: drawn in the browser, clicked there, told to Python by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.components.v2 import component

_FRONTEND = Path(__file__).parents[1] / "frontend"


def _component(name: str) -> Callable:
    shared = (_FRONTEND / "shared.css").read_text(encoding="utf-8")
    return component(
        f"the_experiment_{name}",
        html=f'<div class="{name}"></div>',
        css=shared + (_FRONTEND / f"{name}.css").read_text(encoding="utf-8"),
        js=(_FRONTEND / f"{name}.js").read_text(encoding="utf-8"),
    )


strip = _component("strip")
board = _component("board")
mosaic = _component("mosaic")
maps = _component("maps")
ranking = _component("ranking")
comparison = _component("comparison")
scores = _component("scores")
