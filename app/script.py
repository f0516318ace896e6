"""What runs at every click: the page's title first, then what needs seconds of imports at first."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import preload

st.set_page_config(page_title="the-experiment", page_icon="🔬", layout="wide")
st.html(Path(__file__).with_name("frontend") / "page.css")
preload.ensure()

from parts import opening  # noqa: E402  (the title and the library come first)

opening.main()
