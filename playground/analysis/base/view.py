"""The view of a result: its model, and what a reader has chosen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from playground.analysis.base.answers import chained_answers, outputs_read
from playground.inference import Model, token_names
from playground.interventions import Intervention
from playground.worlds import World, state_text


@dataclass(frozen=True)
class View:
    """What a method's blocks should show.

    Args:
        model: the model that was measured; it stays as it is.
        interventions: the interventions applied.
        answer: the chosen answer; None for all.
        state: the index of the chosen state; None if none is chosen.
        options: the chosen values of the method's options, by name.
    """

    model: Model
    interventions: tuple[Intervention, ...] = ()
    answer: str | None = None
    state: int | None = None
    options: Mapping[str, str] = field(default_factory=dict)

    @property
    def world(self) -> World:
        """The model's world."""
        return self.model.world

    def answers(self, measured: Iterable[str]) -> Iterator[tuple[str, bool]]:
        """Yield the answers to show, and whether their blocks are folded.

        If an answer is chosen, it is the only one. Otherwise every measured answer is shown; if any answer reads
        others, those that read none are folded.

        Args:
            measured: the answers in the result.
        """
        reading = [name for name in self.world.answers if outputs_read(self.world, name)]
        for name in measured:
            if self.answer is None:
                yield name, bool(reading) and name not in reading
            elif name == self.answer:
                yield name, False

    def writing(self, answer: str) -> str:
        """Return the name of the token from which an answer is written."""
        return self.tokens[int(self.model.template.positions[answer]) - 1]

    @cached_property
    def tokens(self) -> tuple[str, ...]:
        """The names of all positions of a text."""
        return token_names(self.model.template)

    @cached_property
    def states(self) -> tuple[str, ...]:
        """The states of the world, as texts."""
        return tuple(map(state_text, self.world.states))

    def not_measured(self, measured: Iterable[str]) -> str | None:
        """Return why the chosen answer cannot be shown; None if it can."""
        names = tuple(measured)
        if self.answer is None or self.answer in names:
            return None
        return (
            f"{self.answer} was not measured: it reads no other answer, and no other answer reads it. "
            f"Measured: {', '.join(names)}."
        )


def default_answer(world: World) -> str:
    """Return the answer shown by default: the first that reads others, if there is one."""
    return next((name for name in world.answers if outputs_read(world, name)), chained_answers(world)[0])


def layer_of(part: str) -> str:
    """Return the layer that a part belongs to; "" if it belongs to none."""
    found = re.match(r"L\d+", part)
    return found[0] if found else ""


def signed(value: float) -> str:
    """Return a number with its sign and two decimals."""
    # Adding 0.0 turns -0.0 into 0.0.
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")


def percent(value: float | None) -> str:
    """Return a share in percent; a dash for None or NaN."""
    return "–" if value is None or value != value else f"{round(100 * value) or 0}%".replace("-", "−")  # noqa: PLR0124
