"""Runs at every click: first what the click asks for. While imports still take seconds, it shows the page's title."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import preload

if preload.is_done():
    import router

    router.anticipate()
st.set_page_config(page_title="the-experiment", page_icon="🔬", layout="wide")
st.html(Path(__file__).with_name("page.css"))
preload.ensure()

import router  # noqa: E402  (the title and the library come first)

router.main()
