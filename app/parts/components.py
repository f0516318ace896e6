"""The page's own components: drawn in the browser, clicked there, told to Python by name."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from streamlit.components.v2 import component

_FRONTEND = Path(__file__).parents[1] / "frontend"


def _component(name: str) -> Callable:
    """Return a component; in front of its own style and script stand those that all share."""

    def read(suffix: str) -> str:
        return "\n".join((_FRONTEND / f"{file}.{suffix}").read_text(encoding="utf-8") for file in ("shared", name))

    return component(f"the_experiment_{name}", html=f'<div class="{name}"></div>', css=read("css"), js=read("js"))


strip = _component("strip")
board = _component("board")
mosaic = _component("mosaic")
maps = _component("maps")
ranking = _component("ranking")
comparison = _component("comparison")
scores = _component("scores")
tray = _component("tray")
