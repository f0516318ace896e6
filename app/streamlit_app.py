"""The entry: `streamlit run app` finds this server, which runs script.py for every open tab."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
from loguru import logger

import preload


@asynccontextmanager
async def _start(app: st.App) -> AsyncIterator[None]:
    preload.start()
    yield


def _say_error(error: Exception) -> bool:
    """Tell what went wrong in one line; the traceback is for the log file."""
    logger.opt(exception=error).error("The page failed: {}: {}", type(error).__name__, error)
    st.error(
        f"The page failed: {type(error).__name__}. Details are in logs/. Reload it, or open it without the "
        "part of its address behind '?'.",
        icon=":material/error:",
    )
    return True


app = st.App("script.py", lifespan=_start, on_script_error=_say_error)
