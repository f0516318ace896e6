"""Interventions on the tokens that a model writes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import ClassVar

from playground.datasets import Template
from playground.interventions.kinds.base.intervention import Intervention
from playground.interventions.positions import Anchor, Span

OPPOSITE = "!"


@dataclass(frozen=True)
class TokenIntervention(Intervention):
    """The model is made to write another token for an output of the world, and continues from there.

    Args:
        output: name of an output of the world.
        value: `0`, `1`, or `!` for the opposite of what the model would have written.
    """

    output: str
    value: str
    positions: Span = field(init=False, compare=False)

    target: ClassVar[str] = f"an output and its value, 0, 1 or {OPPOSITE}"

    def __post_init__(self) -> None:
        assert self.value in ("0", "1", OPPOSITE), "the parser lets no other value pass"
        anchor = Anchor(self.output, writing=True)
        object.__setattr__(self, "positions", Span(anchor, anchor))

    def __str__(self) -> str:
        return f"{self.kind}:{self.output}={self.value}"

    @abstractmethod
    def tokens(self, template: Template) -> tuple[int, ...]:
        """Return the ids of the tokens that may be written; of several, the one with the lowest score is written.

        Args:
            template: of the model's texts.
        """
