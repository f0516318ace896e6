"""The device on which a model runs."""

from __future__ import annotations

import torch

from playground.errors import RequestError


def choose_device(name: str) -> torch.device:
    """Return the device called `name`: "cpu", "cuda", or "auto" for CUDA if it is available.

    Raises:
        RequestError: if CUDA is not available, or for any other name.
    """
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cpu" or (name == "cuda" and torch.cuda.is_available()):
        return torch.device(name)
    raise RequestError.of(
        message="unknown device",
        expected="auto, cpu" + (", cuda" if torch.cuda.is_available() else " (there is no CUDA device)"),
        got=name,
        hint="Leave --device out to use what is there.",
    )
