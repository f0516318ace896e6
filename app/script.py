"""Runs for every open tab, and again when Streamlit wants it: the page's frame; what is in it lives in the browser."""

from __future__ import annotations

from pathlib import Path

import streamlit as st

import router

st.set_page_config(page_title="the-experiment", page_icon="🔬", layout="wide")
st.html(Path(__file__).with_name("page.css"))
router.main()
