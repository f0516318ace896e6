"""Interventions on weights."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Callable
from functools import lru_cache
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Bool, UInt8
from torch import Tensor

from playground.interventions.kinds.base.intervention import WHOLE, SiteIntervention


class WeightIntervention(SiteIntervention):
    """A change of learnt weights, while the tokens at its positions are read.

    It changes all numbers of the matrix that the site's index selects, or a share of them, drawn at random
    without replacement.
    """

    noun: ClassVar[str] = "weight"
    positive_amount: ClassVar[bool] = True
    default_amount: ClassVar[float] = 0.5

    @abstractmethod
    def change(self, weight: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the change of the part of a weight that the site names, a function that does not modify its argument.

        Earlier interventions may have changed the part already. Random numbers are drawn here, since the returned
        function is called in every pass.

        Args:
            weight: the whole weight, as learnt.
        """

    def mask(self, weight: Tensor) -> Bool[Tensor, ...]:
        """Return which numbers of the part that the site names are changed, on the weight's device."""
        shape = tuple(weight[self.site.slices].shape)
        return torch.from_numpy(self.meant(shape)).to(weight.device)

    def meant(self, shape: tuple[int, ...]) -> Bool[np.ndarray, ...]:
        """Return which numbers are changed.

        Args:
            shape: of the part of the weight that the site names.
        """
        if self.share is None:
            return np.ones(shape, dtype=bool)
        size = math.prod(shape)
        drawn = _draw(size, round(size * self.share / WHOLE), self.seed)
        return np.unpackbits(drawn, count=size).astype(bool).reshape(shape)


@lru_cache(maxsize=128)
def _draw(size: int, count: int, seed: int) -> UInt8[np.ndarray, " byte"]:
    """Return a random choice of `count` of `size` numbers, a bit each; cached, as one request needs it several times."""
    meant = np.zeros(size, dtype=bool)
    meant[np.random.default_rng(seed).permutation(size)[:count]] = True
    return np.packbits(meant)
