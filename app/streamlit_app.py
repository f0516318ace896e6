"""The entry point: `streamlit run app` starts this server, which runs script.py for every open tab."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import streamlit as st
import typer
from loguru import logger
from starlette.middleware import Middleware

import preload
from access import Access
from api import events
from routes import base_path, make_routes
from shell import Shell
from ui.wording import show_error


@asynccontextmanager
async def _start(app: st.App) -> AsyncIterator[None]:
    preload.start()
    events.end_with_server()
    _say_address()
    yield


def _say_address() -> None:
    """Print the app's address. Streamlit's own lines are off, because its pop-up about agent skills comes with them."""
    address, port = st.get_option("server.address"), st.get_option("server.port")
    host = f"[{address}]" if ":" in address else address
    scheme = "https" if st.get_option("server.sslCertFile") else "http"
    typer.echo(f"\n  The app is at {scheme}://{host}:{port}{base_path()}\n")


def _say_error(error: Exception) -> bool:
    """Say in one line what went wrong; the traceback goes to the log file."""
    logger.opt(exception=error).error("The page failed: {}: {}", type(error).__name__, error)
    show_error(
        f"The page failed: {type(error).__name__}. Details are in logs/. Reload it, or open it without the "
        "part of its address behind '?'."
    )
    return True


app = st.App(
    "script.py",
    routes=make_routes(),
    lifespan=_start,
    middleware=[Middleware(Access), Middleware(Shell)],
    on_script_error=_say_error,
)
