"""The fewest heads that keep an answer right, and so the most that can be silenced together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from playground.analysis.circuits.circuits import NAMED, Circuits
from playground.errors import RequestError

JUDGED = (
    "Sets are judged with the true text before each token. Decoded, a model reads what it wrote itself, so with the same "
    "heads at their mean an answer may come out otherwise."
)
"""What has to be said wherever sets are shown."""


@dataclass(frozen=True)
class Smallest:
    """The smallest sets of heads that keep a target right in all states in which the whole model has it right.

    All other heads can be silenced together, so these sets are also the largest that can be: see `silenced`.

    Args:
        target: the answer, or everything.
        heads: all there are.
        states: in how many states the whole model has the target right.
        size: how many heads the smallest sets have.
        count: how many sets of that size there are.
        sets: the heads of the first of these sets.
        decoded: for each of these, in how many of all states the target is right if the model reads what it writes
            itself, as a board with the other heads mean-ablated says; None where that was not measured.
        all_states: how many states there are.
        keeping: for each number of heads from none to all, how many sets of as many keep the target right.
        measured: how many sets of as many were looked at.
        proven: whether all sets of heads were looked at. If not, there may be smaller ones.
    """

    target: str
    heads: tuple[str, ...]
    states: int
    size: int
    count: int
    sets: tuple[tuple[str, ...], ...]
    decoded: tuple[int | None, ...]
    all_states: int
    keeping: Int[np.ndarray, " size"]
    measured: Int[np.ndarray, " size"]
    proven: bool

    @property
    def decoded_in_words(self) -> str:
        """In how many states the target is right with the first of `sets`, decoded; a dash where that was not measured."""
        return "–" if self.decoded[0] is None else f"{self.decoded[0]} of {self.all_states}"

    @property
    def silenced(self) -> tuple[tuple[str, ...], ...]:
        """For each of `sets` the heads that are not in it."""
        return tuple(tuple(head for head in self.heads if head not in kept) for kept in self.sets)


def find_smallest(circuits: Circuits, named: int = NAMED) -> tuple[Smallest, ...]:
    """Return for every target the smallest sets of heads that keep it right.

    Args:
        circuits: as far as they have been measured.
        named: how many sets are named at most, the lowest heads first. Of more than `NAMED` the others are not decoded.

    Raises:
        RequestError: if the whole model has not been measured yet.
    """
    if not circuits.done[circuits.whole]:
        raise RequestError.of(
            message="the whole model has not been measured",
            expected="circuits in which the whole model has been measured",
            got="circuits without it",
            hint="Go on with these: measure_circuits(model, interventions, begun).",
        )
    return tuple(_smallest(circuits, target, named) for target in range(len(circuits.targets)))


def _smallest(circuits: Circuits, target: int, named: int) -> Smallest:
    keeps, found = circuits.keeping(target), circuits.smallest(target)
    decoded = [circuits.decoded_right_in(target, subset) for subset in found[:named]]
    sizes = circuits.subsets.sum(1)
    lengths = len(circuits.heads) + 1
    return Smallest(
        target=circuits.targets[target],
        heads=circuits.heads,
        states=int(circuits.right_in(target)[circuits.whole].sum()),
        size=int(sizes[found[0]]),
        count=len(found),
        sets=tuple(circuits.heads_in(subset) for subset in found[:named]),
        decoded=tuple(None if right is None else int(right.sum()) for right in decoded),
        all_states=len(circuits.held_out),
        keeping=np.bincount(sizes[keeps], minlength=lengths),
        measured=np.bincount(sizes[circuits.done], minlength=lengths),
        proven=circuits.exhaustive and bool(circuits.done.all()),
    )
