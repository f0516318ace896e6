"""`nuke`: weights of zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from torch import Tensor

from playground.interventions.kinds.base.intervention import Option
from playground.interventions.kinds.base.weight import WeightIntervention


class Nuke(WeightIntervention):
    """Weights are set to zero."""

    kind: ClassVar[str] = "nuke"
    effect: ClassVar[str] = "the weight is set to zero"
    caution: ClassVar[str] = (
        "Where weights are large, zero is not a neutral value. If no answer breaks, another part may have "
        "taken over."
    )
    example: ClassVar[str] = "nuke:L0.mlp.W_in[12,:]"
    takes: ClassVar[frozenset[Option]] = frozenset({"share", "seed"})

    def change(self, weight: Tensor) -> Callable[[Tensor], Tensor]:
        """Return zero for the selected weights."""
        meant = self.mask(weight)
        return lambda part: part.masked_fill(meant, 0.0)
