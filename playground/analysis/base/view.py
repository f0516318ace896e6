"""What of a result is asked for: the model it is of, and what a reader has chosen."""

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
    """What a method's blocks are about.

    Args:
        model: that was measured; it stays as it is.
        interventions: under which it was.
        answer: the one that is chosen; None for all.
        state: the index of the state that is chosen; None if none is.
        options: values of the method's options that are chosen, by name.
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

        That is the chosen answer; if none is chosen, every one that was measured, folded where it reads no other answer
        while another does.

        Args:
            measured: answers that a result is about.
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
        """Return why nothing is shown of the chosen answer; None if something can be."""
        names = tuple(measured)
        if self.answer is None or self.answer in names:
            return None
        return (
            f"{self.answer} was not measured: it reads no other answer, and no other answer reads it. "
            f"Measured: {', '.join(names)}."
        )


def default_answer(world: World) -> str:
    """Return the answer that is shown at first: the first that reads others, which can come about in two ways."""
    return next((name for name in world.answers if outputs_read(world, name)), chained_answers(world)[0])


def layer_of(part: str) -> str:
    """Return the layer that a part belongs to; nothing if it belongs to none."""
    found = re.match(r"L\d+", part)
    return found[0] if found else ""


def signed(value: float) -> str:
    """Return a number with its sign and two digits."""
    # There is no minus nought.
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")


def percent(value: float | None) -> str:
    """Return a share in percent; a dash for none."""
    return "–" if value is None or value != value else f"{round(100 * value) or 0}%".replace("-", "−")  # noqa: PLR0124
