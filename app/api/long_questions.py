"""Questions too long for an address, such as one about a long text of rules: their query is the body of a POST."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from api.answers import faults_document
from playground.errors import Fault

LARGEST = 1_000_000
"""Bytes of a query in a body; longer ones are refused."""
_FORM = "application/x-www-form-urlencoded"


class LongQuestions:
    """Has a POST whose body is a query handled as if the query were in its address.

    With the header `X-HTTP-Method-Override: GET` it is handled as a GET, and may be repeated like one.

    Args:
        app: answers the requests.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse one whose query is too long for anything asked here."""
        headers = Headers(scope=scope) if scope["type"] == "http" else Headers()
        if scope.get("method") != "POST" or headers.get("content-type", "").split(";")[0] != _FORM:
            await self._app(scope, receive, send)
            return
        try:
            query = await _body_of(Request(scope, receive))
        except ClientDisconnect:
            return
        if query is None:
            await JSONResponse(faults_document([_too_long()]), 413)(scope, receive, send)
            return
        as_get = headers.get("x-http-method-override", "").upper() == "GET"
        asked = {**scope, "method": "GET" if as_get else "POST", "query_string": query}
        await self._app(asked, receive, send)


async def _body_of(request: Request) -> bytes | None:
    """Return the body of a request; None if it is too long."""
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > LARGEST:
            return None
    return content


def _too_long() -> Fault:
    return Fault(
        message="this question is too long",
        expected=f"at most {LARGEST:,} bytes",
        got="more",
        hint="Ask about a shorter text.",
    )
