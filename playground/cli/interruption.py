"""What becomes of a request to end, by Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """Somebody asked the program to end; nothing but `main` is to catch it for good."""


def raise_when_asked() -> None:
    """From now on have a request to end raise `Interrupted`, wherever the program is; the next ones are ignored."""
    for asked in _SIGNALS:
        signal.signal(asked, _raise)


def _raise(number: int, frame: object) -> None:
    # What is half done is cleaned up undisturbed.
    for asked in _SIGNALS:
        signal.signal(asked, signal.SIG_IGN)
    raise Interrupted


class Interruption:
    """A request to end that waits until it can be met without losing anything; a second one does not wait."""

    def __init__(self) -> None:
        self._asked = False

    def is_asked(self) -> bool:
        """Return whether there is one."""
        return self._asked

    def meet(self) -> None:
        """End now if there is a request to."""
        if self._asked:
            raise Interrupted

    @contextmanager
    def awaited(self) -> Iterator[None]:
        """Take down requests to end instead of raising `Interrupted`."""
        for asked in _SIGNALS:
            signal.signal(asked, self._take)
        try:
            yield
        finally:
            raise_when_asked()

    def _take(self, number: int, frame: object) -> None:
        self._asked = True
        raise_when_asked()
