"""`flip`: weights with the opposite sign."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

import torch
from torch import Tensor

from playground.interventions.kinds.base.intervention import Option
from playground.interventions.kinds.base.weight import WeightIntervention


class Flip(WeightIntervention):
    """The sign of weights is flipped."""

    kind: ClassVar[str] = "flip"
    effect: ClassVar[str] = "the sign of the weight is flipped"
    caution: ClassVar[str] = (
        "Flipping a weight near zero changes little. Flipping many weights takes them far from the values "
        "learnt, so what breaks then says little about any one of them."
    )
    example: ClassVar[str] = "flip:L0.mlp.W_in[12,40]"
    takes: ClassVar[frozenset[Option]] = frozenset({"share", "seed"})

    def change(self, weight: Tensor) -> Callable[[Tensor], Tensor]:
        """Return the selected weights with the opposite sign."""
        meant = self.mask(weight)
        return lambda part: torch.where(meant, -part, part)
