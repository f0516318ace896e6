"""About how long a method will take, told before it begins: the tokens that it reads, by how fast this model reads here."""

from __future__ import annotations

import time

import torch

from playground.analysis.base.method import Method
from playground.inference import Model

_TEXTS = 64


def estimate_seconds(method: Method, model: Model) -> float | None:
    """Return about how many seconds a method will take; None if that is not known before, or it cannot measure the model.

    It is right within a factor of two or three: what is alike and computed once is not known before.

    Args:
        method: that is to measure.
        model: that is asked; it stays as it is.
    """
    tokens = None if method.unavailable_reason(model.network) else method.tokens_read(model)
    return None if tokens is None else tokens * _seconds_a_token(model)


def _seconds_a_token(model: Model) -> float:
    """Return how long the model takes to read a token of a text, in seconds."""
    texts = torch.from_numpy(model.template.truth[:_TEXTS]).to(model.network.device)
    passed = []
    # The first time is longer, and so are some of the others where much else is done.
    for _ in range(5):
        began = time.perf_counter()
        model.network.forward(texts)
        passed.append(time.perf_counter() - began)
    return min(passed) / texts.numel()


def in_words(seconds: float) -> str:
    """Return a time as people say it, such as `about 5 minutes`."""
    for unit, name in ((3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * unit:
            return f"about {seconds / unit:.0f} {name}s"
    return f"about {seconds:.0f} seconds"
