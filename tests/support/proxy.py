"""A connection that can be cut: what a sleeping laptop or a lost network does to a page."""

from __future__ import annotations

import selectors
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress


class Proxy:
    """Passes on what a browser and a server say to each other, unless it is cut.

    Args:
        port: of the server, on this machine.
    """

    def __init__(self, port: int) -> None:
        self._server = ("127.0.0.1", port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._cut = threading.Event()
        self._ended = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def address(self) -> str:
        """Where the browser finds it."""
        return f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def cut(self) -> None:
        """End all connections, and accept no others."""
        self._cut.set()
        for each in tuple(self._open):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Accept connections again."""
        self._cut.clear()

    def close(self) -> None:
        """End for good."""
        self._ended.set()
        self.cut()
        self._listener.close()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                browser, _ = self._listener.accept()
            except OSError:
                return
            if self._cut.is_set():
                browser.close()
                continue
            threading.Thread(target=self._pass_on, args=(browser,), daemon=True).start()

    def _pass_on(self, browser: socket.socket) -> None:
        with (
            browser,
            socket.create_connection(self._server) as server,
            selectors.DefaultSelector() as waiting,
        ):
            self._open |= {browser, server}
            waiting.register(browser, selectors.EVENT_READ, server)
            waiting.register(server, selectors.EVENT_READ, browser)
            with suppress(OSError):
                while True:
                    for key, _ in waiting.select():
                        said = key.fileobj.recv(65536)  # type: ignore[union-attr]
                        if not said:
                            return
                        key.data.sendall(said)
            self._open -= {browser, server}


@contextmanager
def proxy_to(port: int) -> Iterator[Proxy]:
    """Give a proxy to a server of this machine."""
    proxy = Proxy(port)
    try:
        yield proxy
    finally:
        proxy.close()
