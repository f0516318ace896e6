"""`ui`: the app in a browser."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress

from playground.errors import Fault, RequestError
from playground.files import project_root

ADDRESS = "127.0.0.1"
PORT = 8501
_HIGHEST_PORT = 65_535


def serve(*, port: int, browser: bool) -> None:
    """Serve the app on this machine until it is interrupted.

    Args:
        port: to listen on, at 127.0.0.1.
        browser: whether to open a browser window.

    Raises:
        RequestError: if nothing can listen on that port.
    """
    _check_port(port)
    from click import Abort
    from streamlit.web import cli

    options = [f"--server.port={port}", f"--server.headless={'false' if browser else 'true'}"]
    # To end the app is no failure: the server puts itself away, then gives the signal on.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with suppress(KeyboardInterrupt, Abort):
        cli.main(["run", str(project_root() / "app"), *options], standalone_mode=False)


def _check_port(port: int) -> None:
    reason = ""
    if not 0 < port <= _HIGHEST_PORT:
        reason = "which is no port"
    else:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((ADDRESS, port))
            except OSError as error:
                reason = f"where nothing can listen: {error.strerror}"
    if reason:
        raise RequestError(
            Fault(
                rule="the app listens on a free port of this machine",
                expected=f"a free port from 1 to {_HIGHEST_PORT}",
                got=f"{port}, {reason}",
                hint=f"Choose another: the-experiment ui --port {PORT + 1}.",
            )
        )
