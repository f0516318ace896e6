"""Which answers a measurement looks at, where they are written, and which tokens are right and wrong there."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.datasets import Template
from playground.errors import Fault, RequestError, nearest
from playground.worlds import World, depends


@dataclass(frozen=True)
class Answers:
    """Some answers of a world, in its order.

    Args:
        names: the answers' names.
        positions: the position from which each is written, one before its own token; ascending.
        right: the token that the world's rules require, whatever the model has written before; see `Board.margin`.
        other: for an output, the token of the other bit; -1 for counts, which have several other values.
    """

    names: tuple[str, ...]
    positions: Int[np.ndarray, " answer"]
    right: Int[np.ndarray, "answer state"]
    other: Int[np.ndarray, "answer state"]

    def best_wrong(
        self, logits: Float[np.ndarray, "answer state vocabulary"]
    ) -> Int[np.ndarray, "answer state"]:
        """Return the wrong token with the highest score."""
        scores = logits.copy()
        np.put_along_axis(scores, self.right[:, :, None], -np.inf, axis=-1)
        return scores.argmax(-1)

    def wrong(self, logits: Float[np.ndarray, "answer state vocabulary"]) -> Int[np.ndarray, "answer state"]:
        """Return the wrong token to compare with the right one: the other bit of an output, `best_wrong` for a count."""
        return np.where(self.other < 0, self.best_wrong(logits), self.other)

    def ahead(
        self, logits: Float[np.ndarray, "answer state vocabulary"], of: Int[np.ndarray, "answer state"]
    ) -> Float[np.ndarray, "answer state"]:
        """Return the logit of the right token minus that of another (`of`)."""
        right, other = (np.take_along_axis(logits, each[:, :, None], -1) for each in (self.right, of))
        return (right - other)[:, :, 0]


def find_answers(template: Template, names: Sequence[str] | None = None) -> Answers:
    """Return answers by name; those of `chained_answers` by default.

    Raises:
        RequestError: for names that are not answers of the world, and for an empty list.
    """
    world = template.world
    chosen = _checked(world, chained_answers(world) if names is None else names)
    stand = np.array([template.positions[name] for name in chosen])
    right = template.truth[:, stand].T
    zero, one = template.ids["0"], template.ids["1"]
    is_output = np.array([name in world.outputs for name in chosen])
    other = np.where(is_output[:, None], np.where(right == one, zero, one), -1)
    return Answers(chosen, stand - 1, right, other)


def chained_answers(world: World) -> tuple[str, ...]:
    """Return the answers that read another answer by the world's rules, and the answers that are read.

    These are the answers that a model can find in two ways: from what it has written, or from the inputs alone.
    If no answer reads another, all answers are returned.
    """
    read = {name: set(names) & set(world.answers) for name, names in world.dependencies.items()}
    chained = {name for name in read if read[name]}.union(*read.values())
    return tuple(name for name in world.answers if name in chained) or world.answers


def outputs_read(world: World, answer: str) -> tuple[str, ...]:
    """Return the outputs that the world's rule for an answer reads."""
    return tuple(name for name in world.dependencies[answer] if name in world.outputs)


def inputs_behind_outputs(world: World, answer: str) -> tuple[str, ...]:
    """Return the inputs that an answer depends on through the outputs it reads."""
    read = outputs_read(world, answer)
    return tuple(name for name in world.inputs if any(depends(world, output, name) for output in read))


def scores_of(
    logits: Float[Tensor, "state token vocabulary"], answers: Answers
) -> Float[np.ndarray, "answer state vocabulary"]:
    """Return the scores from which answers were written."""
    return logits[:, torch.from_numpy(answers.positions)].transpose(0, 1).double().cpu().numpy()


def _checked(world: World, names: Sequence[str]) -> tuple[str, ...]:
    """Return answers in the world's order, each once."""
    faults = [
        Fault(
            where=name,
            message="unknown answer",
            expected=nearest(name, world.answers),
            got=f"{name}, an input, which is given" if name in world.inputs else name,
            hint=f"Did you mean {close[0]}?"
            if (close := difflib.get_close_matches(name, world.answers, n=1))
            else f"Write it like {world.answers[0]}.",
        )
        for name in dict.fromkeys(names)
        if name not in world.answers
    ]
    if not names:
        faults = [
            Fault(
                message="no answer is chosen",
                expected=f"some of {', '.join(world.answers)}",
                got="none",
                hint="Leave the answers out to use the default ones.",
            )
        ]
    if faults:
        raise RequestError(*faults)
    return tuple(name for name in world.answers if name in names)


def mean_over(
    values: Float[np.ndarray, ...], states: Bool[np.ndarray, " state"], axis: int
) -> Float[np.ndarray, ...] | None:
    """Return the mean over some states along an axis; None if there are none."""
    return np.compress(states, values, axis).mean(axis) if states.any() else None
