"""`mean`: mean ablation."""

from __future__ import annotations

from typing import ClassVar

from playground.interventions.kinds.base.activation import ActivationIntervention, Baseline, Change


class Mean(ActivationIntervention):
    """Mean ablation: the site's output is set to its mean over all states, at each position.

    The mean is that of the unedited model on the texts that it writes itself.
    """

    kind: ClassVar[str] = "mean"
    effect: ClassVar[str] = "at each position, the part's output is set to its mean over all states"
    caution: ClassVar[str] = (
        "This removes only what differs between states; what the part adds equally in all of them stays. "
        "If no answer breaks, another part may have taken over."
    )
    example: ClassVar[str] = "mean:L2.mlp"
    reads_all_states: ClassVar[bool] = True

    def change(self, baseline: Baseline) -> Change:
        """Return the mean over all states."""
        mean = baseline.mean()
        return lambda computed, at: mean[list(at)]
