"""Runs for every page: Streamlit gives it its place and its navigation; the client draws it."""

from __future__ import annotations

import streamlit as st

import preload
from ui.pages import FIRST, PAGES


def main() -> None:
    """Run the page that the address names."""
    pages = {
        st.Page(
            each.script,
            title=each.title,
            icon=f":material/{each.icon}:",
            url_path=each.name,
            default=each.name == FIRST,
        ): each
        for each in PAGES.values()
    }
    chosen = st.navigation(list(pages))
    if not pages[chosen].by_client:
        # Its script uses the library, which must not be imported by two threads at once.
        preload.ensure()
    chosen.run()
