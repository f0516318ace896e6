"""`clamp`: an output that stays within its usual range."""

from __future__ import annotations

from typing import ClassVar

from playground.interventions import ActivationIntervention, Baseline, Change, Option


class Clamp(ActivationIntervention):
    """Each number of the site's output is clipped to the amount times its standard deviation over all states.

    The deviation is that of the unedited model at the same position.
    """

    kind: ClassVar[str] = "clamp"
    effect: ClassVar[str] = (
        "each number of its output is clipped to plus or minus the amount times its standard deviation"
    )
    caution: ClassVar[str] = (
        "The range lies around zero, not around the mean: a number that hardly differs between states "
        "loses most of its value."
    )
    example: ClassVar[str] = "clamp:L1H2~0.5"
    needs: ClassVar[frozenset[Option]] = frozenset({"amount"})
    positive_amount: ClassVar[bool] = True
    default_amount: ClassVar[float] = 0.5
    amount_label: ClassVar[str] = "standard deviations"
    reads_all_states: ClassVar[bool] = True

    def change(self, baseline: Baseline) -> Change:
        """Return the output within its range."""
        largest = (self.amount or 0) * baseline.in_all_states().std(0, correction=0)
        return lambda computed, at: computed.clamp(-largest[list(at)], largest[list(at)])
