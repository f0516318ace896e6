"""Pages of the client: the browser draws them and asks the API; Streamlit only gives them their place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlencode

import streamlit as st
from streamlit.components.v2 import component

from playground.errors import RequestError
from ui.wording import show_error

if TYPE_CHECKING:
    from api.asked.query import Asked

_APP = Path(__file__).parents[1]
_SCRIPT = """
const {{ {name} }} = await import(String(new URL("modules/client/main.js", document.baseURI)));
export default {name};
"""
_PIXELS, _MARKS = "client/drawing/pixels", "client/drawing/marks"
_STYLES = {
    "start": ("app_pages/start/start",),
    "strip": (_MARKS, "client/drawing/strip"),
    "board": ("client/board/virtual_table", _MARKS, "client/board/states", "client/board/board"),
    "mosaic": (_PIXELS, "app_pages/probe/parts/mosaic"),
    "maps": (_PIXELS, "app_pages/probe/parts/maps"),
    "ranking": ("app_pages/probe/parts/ranking",),
    "activations": (_PIXELS, "app_pages/probe/activations/field", "app_pages/probe/activations/activations"),
    "strongest": ("app_pages/probe/activations/strongest",),
    "matrix": (_PIXELS, "app_pages/probe/weights/matrix"),
    "thumbnails": (_PIXELS, "app_pages/probe/weights/thumbnails"),
    "world": ("app_pages/world/world",),
    "rules_editor": ("app_pages/world/rules_editor",),
    "structure": ("app_pages/world/structure",),
    "state_table": (_MARKS, "client/drawing/state_table"),
    "predictors": (_MARKS, "client/drawing/predictors"),
    "training_progress": ("app_pages/train/training_progress",),
    "train": ("app_pages/train/train",),
    "mechanism": ("app_pages/mechanism/mechanism",),
    "verdict": ("app_pages/mechanism/verdict",),
    "grid": ("app_pages/mechanism/grid",),
    "case_table": ("app_pages/mechanism/case_table",),
    "atlas": (_PIXELS, "app_pages/probe/weights/atlas"),
    "free-text": ("app_pages/text/text",),
    "editor": ("app_pages/text/editor",),
    "completion": (_MARKS, "client/drawing/strip", "app_pages/text/completion"),
    "compare": ("app_pages/compare/compare",),
    "comparison": (
        "client/board/virtual_table",
        _MARKS,
        "client/board/states",
        "app_pages/compare/comparison",
    ),
    "scores": (_MARKS, "app_pages/compare/scores"),
    "sets": (_MARKS, "app_pages/compare/sets"),
    "named-sets": ("client/sidebar/named_sets",),
}
"""The parts of pages, and the files of their styles."""


def _style() -> str:
    """Return the style of all parts; that of a part counts within it only."""

    def read(path: str) -> str:
        return (_APP / path).with_suffix(".css").read_text(encoding="utf-8")

    nested = [f".{part} {{\n{''.join(map(read, files))}\n}}" for part, files in _STYLES.items()]
    return "\n".join([read("client/shared"), read("client/client"), *nested])


def _make(name: str, place: str, style: str) -> Callable[..., Any]:
    return component(
        f"the_experiment_{name}",
        html=f'<div class="client {place}"></div>',
        css=style,
        js=_SCRIPT.format(name=name),
    )


_css = _style()
_page = _make("showPage", "page", _css)
_sidebar = _make("showSidebar", "side", _css)


def show(page: str) -> None:
    """Show a page of the client, and its sidebar.

    Args:
        page: its name.
    """
    with st.sidebar:
        _sidebar(key="client_sidebar", data={"page": page})
    _page(key=f"client_{page}", data={"page": page})


def follow() -> Asked:
    """On a page of Streamlit's own, show the sidebar, and return what is chosen there: model, state, edits.

    The page's script runs again whenever that changes. If no model can be opened, the page says why and ends.
    """
    with st.sidebar:
        said = _sidebar(
            key="client_sidebar",
            data={"page": "", "follows": True},
            default={"query": ""},
            on_query_change=lambda: None,
        )
    query = said.query or urlencode(st.query_params.to_dict())
    from api.models.opening import follow_address

    try:
        return follow_address(dict(parse_qsl(query, keep_blank_values=True)))
    except RequestError as error:
        for fault in error.faults:
            show_error(str(fault))
        st.stop()
