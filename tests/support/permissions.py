"""Makes file permissions bind: root may write everywhere unless it drops that capability."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager

_VERSION = 0x20080522
_OVERRIDE = 1 << 1 | 1 << 2
"""CAP_DAC_OVERRIDE and CAP_DAC_READ_SEARCH: they allow reading and writing whatever the mode of a file."""
_DROP_FROM_BOUNDS = 24

_libc = ctypes.CDLL(None, use_errno=True)


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Capabilities(ctypes.Structure):
    _fields_ = tuple((name, ctypes.c_uint32) for name in ("effective", "permitted", "inheritable"))


def _call(function, capabilities) -> None:
    if function(ctypes.byref(_Header(_VERSION, 0)), ctypes.byref(capabilities)):
        raise OSError(ctypes.get_errno(), "capabilities cannot be changed")


@contextmanager
def binding() -> Iterator[None]:
    """Make permissions bind this thread for a while."""
    now = (_Capabilities * 2)()
    _call(_libc.capget, now)
    before = now[0].effective
    now[0].effective = before & ~_OVERRIDE
    _call(_libc.capset, now)
    try:
        yield
    finally:
        now[0].effective = before
        _call(_libc.capset, now)


def bind() -> None:
    """Make permissions bind this process, and any program that it becomes, for good."""
    for capability in (1, 2):
        _libc.prctl(_DROP_FROM_BOUNDS, capability, 0, 0, 0)  # Fails where there is nothing to drop.
    now = (_Capabilities * 2)()
    _call(_libc.capget, now)
    for kind in ("effective", "permitted", "inheritable"):
        setattr(now[0], kind, getattr(now[0], kind) & ~_OVERRIDE)
    _call(_libc.capset, now)


def is_root() -> bool:
    """Return whether this process may give files to other users."""
    return os.geteuid() == 0
