"""Requests to the server, with any host and any origin."""

from __future__ import annotations

import http.client

from tests.support.program import HANGS


def ask(
    port: int,
    path: str,
    host: str | None,
    origin: str | None = None,
    method: str = "GET",
    *,
    upgrade: bool = False,
) -> tuple[int, dict[str, str], str]:
    """Return status, headers and text of the answer to a request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=HANGS)
    connection.putrequest(method, path, skip_host=True)
    headers = {"Host": host, "Origin": origin, "Content-Length": "0" if method in ("POST", "PUT") else None}
    if upgrade:
        headers |= {
            "Connection": "Upgrade",
            "Upgrade": "websocket",
            "Sec-WebSocket-Version": "13",
            "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
            "Sec-WebSocket-Protocol": "streamlit",
        }
    for name, value in headers.items():
        if value is not None:
            connection.putheader(name, value)
    connection.endheaders()
    response = connection.getresponse()
    try:
        text = "" if response.status == 101 else response.read().decode(errors="replace")
        return response.status, {name.lower(): value for name, value in response.getheaders()}, text
    finally:
        connection.close()


def shake_hands(port: int, host: str | None, origin: str | None, path: str = "") -> int:
    """Return the status of a websocket's handshake."""
    return ask(port, f"{path}/_stcore/stream", host, origin, upgrade=True)[0]


def filled(text: str | None, port: int) -> str | None:
    return text if text is None else text.format(port=port, other=port + 1)
