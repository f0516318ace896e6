"""Ports for servers that tests start: nobody else is given one in the meantime."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def reserved_port(host: str = "127.0.0.1") -> Iterator[int]:
    """Give a port on which nothing listens, and keep others from it until the end."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        # From here on whoever asks for this very port, as the server does, shares it; nobody is given it unasked.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        yield probe.getsockname()[1]
