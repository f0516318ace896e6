"""Requests to end the program, by Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """The program was asked to end; only `main` may swallow it."""


def raise_when_asked() -> None:
    """Make a request to end raise `Interrupted` from now on; further requests are ignored."""
    for asked in _SIGNALS:
        signal.signal(asked, _raise)


def _raise(number: int, frame: object) -> None:
    # Cleaning up is not to be interrupted.
    for asked in _SIGNALS:
        signal.signal(asked, signal.SIG_IGN)
    raise Interrupted


class Interruption:
    """A deferred request to end: it waits until nothing is lost by it; a second one does not wait."""

    def __init__(self) -> None:
        self._asked = False

    def is_asked(self) -> bool:
        """Return whether the program was asked to end."""
        return self._asked

    def meet(self) -> None:
        """End now if asked to."""
        if self._asked:
            raise Interrupted

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Record requests to end instead of raising `Interrupted`."""
        for asked in _SIGNALS:
            signal.signal(asked, self._take)
        try:
            yield
        finally:
            raise_when_asked()

    def _take(self, number: int, frame: object) -> None:
        self._asked = True
        raise_when_asked()
