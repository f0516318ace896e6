"""The seconds before the first answer: what is imported, and what that costs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def many_imports() -> Iterator[None]:
    """Have the garbage collector wait while a block imports, and pass over what it imported later on.

    Importing makes millions of objects that all stay; to look for garbage among them again and again
    takes a quarter of the time that importing PyTorch and transformers takes.
    """
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if enabled:
            gc.enable()
