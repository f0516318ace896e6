"""`steer`: adding the difference of two states' outputs."""

from __future__ import annotations

from typing import ClassVar

from playground.interventions.kinds.base.activation import ActivationIntervention, Baseline, Change
from playground.interventions.kinds.base.intervention import EXAMPLE_STATES, Option


class Steer(ActivationIntervention):
    """Steering: the difference between two states' outputs, times an amount, is added to the site's output.

    The difference is the first state's minus the second's, at the same position, of the unedited model on
    the texts that it writes itself (Turner et al. 2023, arXiv 2308.10248, with one pair).
    """

    kind: ClassVar[str] = "steer"
    effect: ClassVar[str] = (
        "the amount times the difference between the part's outputs in two given states is added to its "
        "output"
    )
    caution: ClassVar[str] = (
        "The difference carries everything that differs between the two states. To steer by a single "
        "variable, choose two states that differ in that variable only. Large amounts give outputs far "
        "from any that the model computes."
    )
    example: ClassVar[str] = f"steer:L2.resid~1<{EXAMPLE_STATES[0]}>{EXAMPLE_STATES[1]}"
    needs: ClassVar[frozenset[Option]] = frozenset({"amount", "source", "minus"})

    def change(self, baseline: Baseline) -> Change:
        """Return the output plus the amount times the difference."""
        amount = self.amount
        assert amount is not None, "`needs` lists it"
        difference = baseline.in_state(self.source) - baseline.in_state(self.minus)
        return lambda computed, at: computed + amount * difference[list(at)]
