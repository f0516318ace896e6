"""`patch` and `resample`: the output from another state's run. One operation with two names, for two questions."""

from __future__ import annotations

from typing import ClassVar

from playground.interventions.kinds.base.activation import ActivationIntervention, Baseline, Change
from playground.interventions.kinds.base.intervention import EXAMPLE_OUTPUT, EXAMPLE_STATES, Option


class _FromState(ActivationIntervention):
    """The site's output is taken from another state, at the same position.

    The value is that of the unedited model on the text that it writes in that state.
    """

    needs: ClassVar[frozenset[Option]] = frozenset({"source"})

    def change(self, baseline: Baseline) -> Change:
        """Return what the site computes in the other state."""
        other = baseline.in_state(self.source)
        return lambda computed, at: other[list(at)]


class Resample(_FromState):
    """Resampling ablation: does anything break if the part carries another state's value?"""

    kind: ClassVar[str] = "resample"
    effect: ClassVar[str] = "in every state, the part's output is replaced by its output in the given state"
    caution: ClassVar[str] = (
        "The model does compute this value, but the value carries everything specific to the given state. "
        "Another state may give a different result, and in the given state itself nothing changes."
    )
    example: ClassVar[str] = f"resample:L1H2<{EXAMPLE_STATES[0]}"


class Patch(_FromState):
    """Activation patching: which answers follow the other state if the part does?"""

    kind: ClassVar[str] = "patch"
    effect: ClassVar[str] = "in every state, the part's output is replaced by its output in the given state"
    caution: ClassVar[str] = (
        "If an answer follows the given state, this part carries enough at these tokens to change it, but "
        "the model may use other parts too. Everything that differs between the two states is carried "
        "over at once."
    )
    example: ClassVar[str] = f"patch:L2.resid@{EXAMPLE_OUTPUT}<{EXAMPLE_STATES[0]}"
