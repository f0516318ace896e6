"""Which requests are answered: those to this server, from its own pages. Also the headers that protect the browser."""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

import streamlit as st
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from starlette.websockets import WebSocket

from playground.cli.commands.serve import LOOPBACK

_STANDARD_PORTS = {"http": 80, "https": 443}

WRONG_HOST = (
    "This server does not answer under that name. If it should, start it with: "
    "the-experiment ui --allowed-host NAME\n"
)
WRONG_ORIGIN = "This server only answers requests from its own pages, and this one comes from elsewhere.\n"


@dataclass(frozen=True)
class _Place:
    """The place that a Host or Origin header names.

    Args:
        name: of the host, in lower case.
        port: None if it is the standard one.
        scheme: of an Origin; a Host has none.
    """

    name: str
    port: int | None
    scheme: str = ""

    @classmethod
    def read(cls, text: str) -> _Place | None:
        """Return the place that `text` names; None if it is not a host with an optional scheme and port."""
        try:
            parts = urlsplit(text if "://" in text else f"//{text}")
            port = parts.port
        except ValueError:
            return None
        if not re.fullmatch(r"[-.:\w]+", parts.hostname or "", re.ASCII) or _says_more(parts):
            return None
        return cls(str(parts.hostname).rstrip("."), port, parts.scheme)

    def port_by(self, scheme: str) -> int:
        """Return the port; if none is named, the standard port of the scheme."""
        return self.port or _STANDARD_PORTS[scheme]


def _says_more(parts: SplitResult) -> bool:
    return bool(parts.path or parts.query or parts.fragment or "@" in parts.netloc)


class Access:
    """Checks Host and Origin of every request, websockets included, and sets protective headers.

    A foreign page whose name has been made to resolve to this server (DNS rebinding) sends its own name as Host. A
    page of another server on this machine sends its own port in Origin.

    Args:
        app: answers the requests that pass.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with 403."""
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        refused = _refusal(headers.getlist("host"), headers.getlist("origin"))
        if refused is not None:
            response = PlainTextResponse(refused, 403, headers=_protection(""))
            if scope["type"] == "websocket":
                await WebSocket(scope, receive, send).send_denial_response(response)
            else:
                await response(scope, receive, send)
            return
        if scope["type"] == "websocket":
            # Streamlit compares Origin with Host, which a proxy may have changed. If the two differ, it asks an
            # external server for this machine's address.
            kept = [(name, value) for name, value in scope["headers"] if name != b"origin"]
            await self._app({**scope, "headers": kept}, receive, send)
            return

        async def send_protected(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_protection(headers["host"]))
            await send(message)

        await self._app(scope, receive, send_protected)


def _refusal(hosts: list[str], origins: list[str]) -> str | None:
    """Return why a request with these headers is refused; None if it is not."""
    allowed = (*LOOPBACK, *st.get_option("server.allowedHosts"))
    host = _Place.read(hosts[0]) if len(hosts) == 1 else None
    if host is None or host.scheme or not _is_one_of(host.name, allowed):
        return WRONG_HOST
    if not origins:
        return None
    origin = _Place.read(origins[0]) if len(origins) == 1 else None
    if origin is None or origin.scheme not in _STANDARD_PORTS or not _is_one_of(origin.name, allowed):
        return WRONG_ORIGIN
    port = origin.port_by(origin.scheme)
    same = origin.name == host.name and port == host.port_by(origin.scheme)
    # A proxy at its standard port that does not pass on the name it was called by.
    by_proxy = origin.name not in LOOPBACK and port == _STANDARD_PORTS[origin.scheme]
    return None if same or by_proxy or port == st.get_option("server.port") else WRONG_ORIGIN


def _is_one_of(name: str, allowed: tuple[str, ...]) -> bool:
    """Return whether a name is allowed: itself, as `*.NAME`, or as `*`."""
    patterns = [each.strip().strip("[]").lower().rstrip(".") for each in allowed]
    return any(
        pattern in ("*", name) or (pattern.startswith("*.") and name.endswith(pattern[1:]))
        for pattern in patterns
    )


def _protection(host: str) -> dict[str, str]:
    """Return the headers of every answer: no other site may frame or read it, and it loads nothing from elsewhere.

    Args:
        host: the host that the request named; some browsers treat a page's own websocket as a foreign origin.
    """
    own = f"'self' ws://{host} wss://{host}" if host else "'self'"
    policy = {
        "default-src": "'self' 'unsafe-inline' 'unsafe-eval' data: blob:",
        "connect-src": f"{own} data: blob:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
        "frame-ancestors": "'self'",
    }
    return {
        "Content-Security-Policy": "; ".join(f"{name} {value}" for name, value in policy.items()),
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
