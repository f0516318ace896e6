"""The page's own components: drawn in the browser, clicked there, told to Python by name."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import streamlit as st
from streamlit.components.v2 import component

_FRONTEND = Path(__file__).parents[1] / "frontend"


def _component(name: str, *parts: str, style: str | None = None) -> Callable[..., None]:
    """Return a component, which its script's function `show` draws.

    It is called with its key, its data, and for each `name` of what is told from there an `on_name`, which takes
    the value that is told. In front of its own style and script stand those that all share, and those of `parts`.

    Args:
        name: of its files.
        parts: names of files that it has in common with others.
        style: another component that it looks like.
    """

    def read(suffix: str, *more: str) -> str:
        files = ("shared", *parts, *more, name)
        return "\n".join((_FRONTEND / f"{file}.{suffix}").read_text(encoding="utf-8") for file in files)

    css = read("css", *([style] if style else []))
    script = read("js") + "\nexport default steady(show);\n"
    draw = component(f"the_experiment_{name}", html=f'<div class="{name}"></div>', css=css, js=script)

    def show(*, key: str, data: dict[str, Any], **takers: Callable[[Any], None]) -> None:
        heard: dict[str, Any] = {
            f"{event}_change": partial(_hear, key, event.removeprefix("on_"), take)
            for event, take in takers.items()
        }
        draw(key=key, data=data, **heard)

    return show


def _hear(key: str, event: str, take: Callable[[Any], None]) -> None:
    """Take what a component tells; not if it is gone: a browser may still show what the last run has dropped."""
    told = st.session_state.get(key)
    if told is not None and told.get(event) is not None:
        take(told[event])


strip = _component("strip", "marks")
later = _component("later")
board = _component("board", "tall", "marks", "states")
rows = _component("rows", "tall")
mosaic = _component("mosaic", "pixels")
maps = _component("maps", "pixels")
ranking = _component("ranking")
comparison = _component("comparison", "tall", "marks", "states")
scores = _component("scores", "marks")
tray = _component("tray")
entry = _component("entry")
glance = _component("glance", "pixels")
matrix = _component("matrix", "pixels")
atlas = _component("atlas", "pixels")
activations = _component("activations", "pixels", "field")
editor = _component("editor")
continuation = _component("continuation", "marks", style="strip")
strongest = _component("strongest")
conditions = _component("conditions", "marks")
lesson = _component("lesson", "marks")
course = _component("course")
verdict = _component("verdict")
grid = _component("grid")
listing = _component("listing")
guessing = _component("guessing", "marks")
rules = _component("rules")
structure = _component("structure")
