"""What comes before every page: logging, the chosen model, the condition, the sidebar."""

from __future__ import annotations

import time
from pathlib import Path

import streamlit as st

from parts import library, session, sidebar
from playground import logs
from playground.errors import Fault, RequestError
from playground.models import find_run, list_runs

PAINTING = 0.15
"""Seconds in which a browser paints what a click changes first."""

PAGES = Path(__file__).parents[1] / "app_pages"


@st.cache_resource
def _configure_logs() -> None:
    logs.configure()


def main() -> None:
    """Run the app once, as Streamlit does at every click."""
    _configure_logs()
    page = st.navigation([st.Page(PAGES / "probe.py", title="Probe", icon=":material/biotech:")])
    runs = list_runs()
    if not runs:
        _say(_no_model())
        return
    run = session.choose_run(runs)
    sidebar.choose_model(runs, run)
    try:
        model = library.open_run(find_run(*run))
    except RequestError as error:
        _say(*session.faults(), *error.faults)
        st.session_state.pop("condition", None)
        st.session_state.pop("digest", None)
        session.publish()
        return
    session.restore(model)
    _say(*session.faults())
    st.session_state.model = model
    st.session_state.afterwards = []
    page.run()
    session.publish()
    # What takes the browser long to draw would otherwise arrive in one piece with what was clicked for.
    time.sleep(PAINTING)
    sidebar.show(model, session.current())
    for draw in st.session_state.afterwards:
        draw()


def _no_model() -> Fault:
    return Fault(
        rule="the app opens a trained model",
        expected="a complete run in models/",
        got="none",
        hint="Train one: the-experiment train gpt2.",
    )


def _say(*faults: Fault) -> None:
    for fault in faults:
        st.error(_as_text(str(fault)), icon=":material/error:")


def _as_text(message: str) -> str:
    """Return a message that Markdown shows as it is."""
    return "".join(
        f"\\{character}" if character in r"\`*_{}[]()#+-!$<>~:" else character for character in message
    )
