"""Ports for servers that tests start, reserved so that no other process gets one meanwhile."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Yield a port on which nothing listens, and reserve it until the end."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        # From here on, a process that asks for this very port, as the server does, shares it; others never get it.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield probe.getsockname()[1]
