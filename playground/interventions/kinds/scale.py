"""`scale`: an output times an amount."""

from __future__ import annotations

from typing import ClassVar

from playground.interventions.kinds.base.activation import ActivationIntervention, Baseline, Change
from playground.interventions.kinds.base.intervention import Option


class Scale(ActivationIntervention):
    """The site's output is multiplied by an amount."""

    kind: ClassVar[str] = "scale"
    effect: ClassVar[str] = "the part's output is multiplied by the amount"
    caution: ClassVar[str] = (
        "An amount of 1 changes nothing, and 0 sets the output to zero. Amounts far from 1 give outputs "
        "far from any that the model computes."
    )
    example: ClassVar[str] = "scale:L1H2~2.5"
    needs: ClassVar[frozenset[Option]] = frozenset({"amount"})

    def change(self, baseline: Baseline) -> Change:
        """Return the output times the amount."""
        amount = self.amount
        assert amount is not None, "`needs` lists it"
        return lambda computed, at: computed * amount
