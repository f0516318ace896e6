"""What the server answers beside Streamlit's pages: the API, the client's modules, addresses of former pages."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlencode

import anyio
import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse, JSONResponse, RedirectResponse
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

import kept_answers
import preload
from modules import make_modules

FORMER_PAGES = {
    "activations": ("", "activations"),
    "weights": ("", "weights"),
    "conditions": ("compare", "sets"),
}
"""Former pages that are views now: the page, "" for Probe, and its view."""


def base_path() -> str:
    """Return the path below which the app is served; "" for the root."""
    return "".join(f"/{part}" for part in st.get_option("server.baseUrlPath").split("/") if part)


def make_routes() -> list[BaseRoute]:
    """Return all routes."""
    base = base_path()
    return [
        Mount(f"{base}/api", _answer),
        Route(f"{base}/modules/plotly.min.js", _send_plotly),
        Mount(f"{base}/modules", make_modules()),
        *(Route(f"{base}/{page}", _lead_to_view) for page in FORMER_PAGES),
    ]


async def _answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a question to the API: while the library is imported, as at the last start if that still holds."""
    if not preload.is_done():
        if scope["path"].endswith("/alive"):
            await JSONResponse({"alive": True, "ready": False})(scope, receive, send)
            return
        kept = await anyio.to_thread.run_sync(kept_answers.find, scope)
        if kept is not None:
            await kept_answers.send_kept(kept, send)
            return
        await anyio.to_thread.run_sync(preload.ensure)
    from api.server import api

    await kept_answers.KeepingAnswers(api)(scope, receive, send)


def _send_plotly(request: Request) -> FileResponse:
    """Send the plotly.js that the Python package brings."""
    import plotly

    path = Path(plotly.__file__).parent / "package_data" / "plotly.min.js"
    return FileResponse(path, media_type="text/javascript", headers={"Cache-Control": "no-cache"})


def _lead_to_view(request: Request) -> RedirectResponse:
    """Lead from a former page to the view that took its place."""
    page, view = FORMER_PAGES[request.url.path.rsplit("/", 1)[-1]]
    query = urlencode([("view", view), *request.query_params.multi_items()], safe=",:;@!=~")
    return RedirectResponse(f"{base_path()}/{page}?{query}")
