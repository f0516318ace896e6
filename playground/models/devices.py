"""The device on which a model runs."""

from __future__ import annotations

import torch

from playground.errors import RequestError


def choose_device(name: str) -> torch.device:
    """Return the device that `name` stands for: "cpu", "cuda", or "auto" for CUDA where it is.

    Raises:
        RequestError: for CUDA where there is none, and for other names.
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
