"""Weights as arrays: their axes, and summary statistics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float

from playground.models import Network, Site

By = Literal["blocks", "rows", "columns", "weights"]
"""The parts of a weight: slices along one of its axes, or single numbers."""


@dataclass(frozen=True)
class Summary:
    """Summary statistics of a weight.

    Args:
        weight: its name.
        shape: its shape, in the orientation that its name implies.
        norm: square root of the sum of its squares (Frobenius norm of a matrix).
        largest: largest absolute value.
        mean: mean of its numbers.
        deviation: their standard deviation; the unit of `noise`.
        zeros: how many are exactly 0.
        singular_values: of each matrix in `matrices_of`, in descending order; none for a vector.
    """

    weight: Site
    shape: tuple[int, ...]
    norm: float
    largest: float
    mean: float
    deviation: float
    zeros: int
    singular_values: Float[np.ndarray, "block value"]


def axes_of(weight: Site, shape: Sequence[int]) -> Mapping[By, int]:
    """Return which axis of a weight indexes its rows, its columns, and its matrices (blocks).

    In a layer's weight with all its heads (head x row x column), the blocks are the heads; in a convolution (row x
    column x tap), they are the taps. A vector has neither rows nor columns.

    Args:
        weight: its name.
        shape: one to three axes.
    """
    match len(shape):
        case 1:
            return {}
        case 2:
            return {"rows": 0, "columns": 1}
        case _:
            assert len(shape) == 3, "no model has a weight of more axes"  # noqa: PLR2004
            if (weight.part or "").startswith("attn."):
                return {"blocks": 0, "rows": 1, "columns": 2}
            return {"rows": 0, "columns": 1, "blocks": 2}


def matrices_of(weight: Site, values: Float[np.ndarray, "*axes"]) -> Float[np.ndarray, "block row column"]:
    """Return a weight as matrices: one, or one for each head or tap; a vector is one row.

    Args:
        weight: its name.
        values: its numbers, in the orientation that the name implies.
    """
    axes = axes_of(weight, values.shape)
    if not axes:
        return values[None, None]
    return np.moveaxis(values, axes["blocks"], 0) if "blocks" in axes else values[None]


def summarise(network: Network, weight: Site) -> Summary:
    """Return summary statistics of a weight, by its name in `Network.weights`."""
    values = network.weights[weight].cpu().numpy()
    matrices = matrices_of(weight, values).astype(np.float64)
    found = np.linalg.svd(matrices, compute_uv=False) if values.ndim > 1 else np.zeros((1, 0))
    return Summary(
        weight=weight,
        shape=values.shape,
        norm=float(np.linalg.norm(matrices)),
        largest=float(np.abs(values).max()),
        mean=float(matrices.mean()),
        deviation=float(matrices.std()),
        zeros=int((values == 0).sum()),
        singular_values=found,
    )
