"""`force`: another token is written."""

from __future__ import annotations

from typing import ClassVar

from playground.datasets import Template
from playground.interventions.kinds.base.intervention import EXAMPLE_OUTPUT
from playground.interventions.kinds.base.written import OPPOSITE, TokenIntervention


class Force(TokenIntervention):
    """The model is made to have written a value for one of its outputs, and goes on from there.

    The opposite of what it would have written is the one of 0 and 1 with the lower score.
    """

    kind: ClassVar[str] = "force"
    effect: ClassVar[str] = "the model continues as if it had written this value"
    caution: ClassVar[str] = (
        "Later answers are judged by the rules, by the rules with the output set by hand, and as written. "
        "Only where these judgements differ can you tell which one the model follows. The forced answer "
        "itself is not judged."
    )
    example: ClassVar[str] = f"force:{EXAMPLE_OUTPUT}={OPPOSITE}"

    def tokens(self, template: Template) -> tuple[int, ...]:
        """Return the token of the value; both tokens for the opposite."""
        values = ("0", "1") if self.value == OPPOSITE else (self.value,)
        return tuple(template.ids[value] for value in values)
