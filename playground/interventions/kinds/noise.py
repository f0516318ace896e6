"""`noise`: Gaussian noise on weights."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from playground.errors import Fault
from playground.interventions.kinds.base.intervention import Option
from playground.interventions.kinds.base.weight import WeightIntervention
from playground.models import Network


class Noise(WeightIntervention):
    """Gaussian noise is added to weights; the amount is in standard deviations of the named matrix, as learnt."""

    kind: ClassVar[str] = "noise"
    effect: ClassVar[str] = (
        "Gaussian noise is added to the weight; its standard deviation is the amount times that of the matrix"
    )
    caution: ClassVar[str] = (
        "One seed is a single draw. Try several before you say how much noise the model tolerates."
    )
    example: ClassVar[str] = "noise:L0.mlp.W_in~0.5#7"
    needs: ClassVar[frozenset[Option]] = frozenset({"amount"})
    takes: ClassVar[frozenset[Option]] = frozenset({"seed"})
    amount_label: ClassVar[str] = "standard deviations"

    def change(self, weight: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the weights plus noise, the same in every pass."""
        part = weight[self.site.slices]
        assert self.amount is not None, "`needs` lists it"
        drawn = np.random.default_rng(self.seed).standard_normal(tuple(part.shape))
        noise = self.amount * _deviation(weight) * torch.from_numpy(drawn).to(part)
        return lambda part: part + noise

    def faults_on(self, network: Network) -> list[Fault]:
        """Return a fault if all numbers of the matrix are the same: the amount then has no unit."""
        weight = self.site.whole
        if _deviation(network.weights[weight]):
            return []
        return [
            Fault(
                message="this intervention changes nothing",
                expected="a weight whose numbers differ, so that they have a standard deviation",
                got=f"{weight}, whose numbers are all the same",
                hint="Choose another weight.",
            )
        ]


def _deviation(weight: Tensor) -> float:
    return float(weight.std(correction=0))
