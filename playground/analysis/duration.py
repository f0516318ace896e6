"""Estimates how long a method will take: the tokens it reads, times this model's speed on this machine."""

from __future__ import annotations

import time

import torch

from playground.analysis.base.method import Method
from playground.inference import Model

_TEXTS = 64


def estimate_seconds(method: Method, model: Model) -> float | None:
    """Return about how many seconds a method will take; None if that is unknown or it cannot measure the model.

    The estimate is right within a factor of two or three: how much work is shared is not known beforehand.

    Args:
        method: the method to run.
        model: the model to measure; it stays as it is.
    """
    tokens = None if method.unavailable_reason(model.network) else method.tokens_read(model)
    return None if tokens is None else tokens * _seconds_a_token(model)


def _seconds_a_token(model: Model) -> float:
    """Return how many seconds the model takes to read one token."""
    texts = torch.from_numpy(model.template.truth[:_TEXTS]).to(model.network.device)
    passed = []
    # The first pass is slower, and so are others while the machine is busy.
    for _ in range(5):
        began = time.perf_counter()
        model.network.forward(texts)
        passed.append(time.perf_counter() - began)
    return min(passed) / texts.numel()


def in_words(seconds: float) -> str:
    """Return a duration in words, such as `about 5 minutes`."""
    for unit, name in ((3600, "hour"), (60, "minute")):
        if seconds >= 1.5 * unit:
            return f"about {seconds / unit:.0f} {name}s"
    return f"about {seconds:.0f} seconds"
