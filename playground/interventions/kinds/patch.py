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
    effect: ClassVar[str] = "its output is set to what it is in another state, in every state"
    caution: ClassVar[str] = (
        "The value is one that the model does compute, but it carries what is true in that one state: "
        "another state may show something else, and in the state itself nothing changes."
    )
    example: ClassVar[str] = f"resample:L1H2<{EXAMPLE_STATES[0]}"


class Patch(_FromState):
    """Activation patching: which answers follow the other state if the part does?"""

    kind: ClassVar[str] = "patch"
    effect: ClassVar[str] = "its output is taken from another state's run, in every state"
    caution: ClassVar[str] = (
        "That an answer follows shows that this part at this token carries enough to change it, not that the "
        "model uses nothing else; everything that differs between the two states is carried over at once."
    )
    example: ClassVar[str] = f"patch:L2.resid@{EXAMPLE_OUTPUT}<{EXAMPLE_STATES[0]}"
