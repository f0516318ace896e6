"""Imports the library while the browser is still loading the page; every tab waits for that.

Two threads must not import Transformers and scikit-learn at once: one of them would find half-initialised modules.
"""

from __future__ import annotations

import os
import threading

import kept_answers
from playground.startup import many_imports

_PATIENCE = 8.0
"""Seconds after which the library is imported even if no page has asked for more than what is kept."""

_done = threading.Event()
_wanted = threading.Event()
_lock = threading.Lock()


def start() -> None:
    """Begin to import what the first page needs; if its answers are kept, once it has them."""

    def import_in_time() -> None:
        if kept_answers.find(kept_answers.FIRST) is not None:
            _wanted.wait(_PATIENCE)
        ensure()

    threading.Thread(target=import_in_time, name="preload", daemon=True).start()


def is_done() -> bool:
    """Return whether everything is imported."""
    return _done.is_set()


def ensure() -> None:
    """Return once everything is imported, by whichever thread comes first."""
    if is_done():
        return
    _wanted.set()
    with _lock, many_imports():
        kept_answers.program()
        # The first page shows the scores of simple predictors.
        import torch
        import transformer_lens.model_bridge  # noqa: F401
        from sklearn import dummy, linear_model, naive_bayes, neighbors, tree  # noqa: F401

        import api.server  # noqa: F401
    # Of two cores, the browser needs one while it repaints; of more, using more than half brings nothing here.
    torch.set_num_threads(max(1, (os.cpu_count() or 1) // 2))

    _done.set()
