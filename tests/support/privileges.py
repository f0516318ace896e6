"""Files that may not be read or written, also where the tests are run by root."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from contextlib import contextmanager

_OVERRIDE, _SEARCH = 1, 2


@contextmanager
def without_privileges() -> Iterator[None]:
    """Have files closed to root that are closed to their owner: take two capabilities from this thread, and give them back."""
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
