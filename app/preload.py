"""Imports the library while the browser still loads the page, and lets every tab wait for that.

Transformers and scikit-learn must not be imported by two threads at once: one of them finds modules half made.
"""

from __future__ import annotations

import os
import threading

from playground.startup import many_imports

_done = threading.Event()
_lock = threading.Lock()


def start() -> None:
    """Begin to import what the first page will ask for."""
    threading.Thread(target=ensure, name="preload", daemon=True).start()


def is_done() -> bool:
    """Return whether everything is imported."""
    return _done.is_set()


def ensure() -> None:
    """Return when everything is imported, by whichever thread comes first."""
    if is_done():
        return
    with _lock, many_imports():
        # What simple predictors get right stands on the first page.
        import torch
        import transformer_lens.model_bridge  # noqa: F401
        from sklearn import dummy, linear_model, naive_bayes, neighbors, tree  # noqa: F401
    # One of two cores is the browser's while it repaints; on more, more than half brings nothing here.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))

    _done.set()
