"""What a page's HTML says beside Streamlit's: where the server is, and which of the client's modules it will need.

Streamlit asks for its server below the address of the page first, and learns from a 404 that it is one level up. And
the client's modules are loaded once Streamlit's scripts have run, each after the one that imports it; named in the HTML,
they come meanwhile.
"""

from __future__ import annotations

import re
from functools import cache
from http import HTTPStatus
from pathlib import Path

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from routes import base_path
from ui.pages import FIRST, PAGES

_HERE = Path(__file__).resolve().parent
_MAIN = _HERE / "client" / "main.js"
_IMPORT = re.compile(r'(?:\bfrom|\bimport)\s*"(\.{1,2}/[^"]+\.js)"')
# Relative, as Streamlit's own references: a proxy may put a path before all of this server's.
_SERVER = '<script>window.__streamlit = { BACKEND_BASE_URL: new URL(".", location.href).href };</script>'
_ONLY_WHOLE = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"range", b"if-range")


class Shell:
    """Adds to the HTML of pages. Such an answer always comes whole: Streamlit's ETag does not tell that it changed.

    Args:
        app: answers the requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; only the HTML of a page is changed."""
        page = _page_of(scope)
        if page is None:
            await self._app(scope, receive, send)
            return
        kept = [(name, value) for name, value in scope["headers"] if name not in _ONLY_WHOLE]
        await self._app({**scope, "headers": kept}, receive, _Extended(send, _head(page)).send)


class _Extended:
    """Sends an answer; in one of HTML, puts some more at the end of its head."""

    def __init__(self, send: Send, more: bytes) -> None:
        self._send, self._more = send, more
        self._start: Message | None = None
        self._body = b""

    async def send(self, message: Message) -> None:
        """Send a part of the answer; HTML is sent when all of it is there."""
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None:
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._send_html(self._start, self._body.replace(b"</head>", self._more + b"</head>", 1))

    async def _send_html(self, start: Message, body: bytes) -> None:
        headers = MutableHeaders(scope=start)
        for name in ("etag", "last-modified", "accept-ranges"):
            del headers[name]
        headers["Content-Length"] = str(len(body))
        await self._send(start)
        await self._send({"type": "http.response.body", "body": body})


def _is_html(message: Message) -> bool:
    kind = MutableHeaders(scope=message).get("content-type", "")
    return message["status"] == HTTPStatus.OK and kind.startswith("text/html")


def _page_of(scope: Scope) -> str | None:
    """Return the name of the page that a request asks for, "" for the first; None if it asks for something else."""
    if scope["type"] != "http" or scope["method"] != "GET":
        return None
    found = re.fullmatch(f"{re.escape(base_path())}/([^/.]*)", scope["path"])
    return found[1] if found else None


def _head(page: str) -> bytes:
    """Return what is added to the head of a page."""
    links = [f'<link rel="modulepreload" href="./modules/{module}">' for module in _modules(page)]
    return "\n".join([_SERVER, *links, ""]).encode()


def _modules(page: str) -> tuple[str, ...]:
    """Return the modules that a page of the client needs; of another page, those of its sidebar."""
    name = page or FIRST
    return _needed(name if name in PAGES and PAGES[name].by_client else "")


@cache
def _needed(page: str) -> tuple[str, ...]:
    """Return paths of modules: the client's main one, a page's, and what they import."""
    found, waiting = [], [_MAIN, *([_HERE / "app_pages" / page / f"{page}.js"] if page else [])]
    while waiting:
        module = waiting.pop(0)
        if module in found or not module.is_file():
            continue
        found.append(module)
        imported = _IMPORT.findall(module.read_text(encoding="utf-8"))
        waiting += [(module.parent / path).resolve() for path in imported]
    return tuple(module.relative_to(_HERE).as_posix() for module in found)
