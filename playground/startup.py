"""The seconds before the first answer: what is imported, and what that costs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_imports() -> Iterator[None]:
    """Pause garbage collection while a block imports, and exempt what it imported afterwards.

    Imports create millions of objects that all stay; collecting among them again and again takes a
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
