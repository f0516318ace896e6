"""Files that may not be read or written, even if root runs the tests."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

_OVERRIDE, _SEARCH = 1, 2


@contextmanager
def without_privileges() -> Iterator[None]:
    """Close files to root that are closed to their owner: drop two capabilities of this thread, and restore them at the end."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    before = (ctypes.c_uint32 * 6)()
    libc.capget(header, before)
    fewer = (ctypes.c_uint32 * 6)(*before)
    fewer[0] &= ~((1 << _OVERRIDE) | (1 << _SEARCH))
    assert libc.capset(header, fewer) == 0
    try:
        yield
    finally:
        assert libc.capset(header, before) == 0
