"""Requests to end the program, by Ctrl-C or SIGTERM."""

from __future__ import annotations

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Interrupted(BaseException):
    """The program was asked to end; only `main` may swallow it."""


def raise_when_asked() -> None:
    """Make a request to end raise `Interrupted` from now on; further requests are ignored."""
    for asked in _SIGNALS:
        signal.signal(asked, _raise)


def _raise(number: int, frame: object) -> None:
    # Cleaning up must not be interrupted.
    for asked in _SIGNALS:
        signal.signal(asked, signal.SIG_IGN)
    raise Interrupted


@contextmanager
def deferred() -> Iterator[Callable[[], bool]]:
    """Delay a first request to end until the block is left, so that nothing is lost; a second one takes effect at once.

    Yields:
        A function that says whether the program was asked to end.
    """
    is_asked = False

    def take(number: int, frame: object) -> None:
        nonlocal is_asked
        is_asked = True
        raise_when_asked()

    for each in _SIGNALS:
        signal.signal(each, take)
    try:
        yield lambda: is_asked
    finally:
        raise_when_asked()
    if is_asked:
        raise Interrupted
