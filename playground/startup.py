"""Faster imports at startup."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_imports() -> Iterator[None]:
    """Pause garbage collection during a block of imports, and afterwards exempt what was imported.

    Imports create millions of objects that are never freed. Repeated collections among them take a
    quarter of the time of importing PyTorch and transformers.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
