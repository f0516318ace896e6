"""The smallest sets of heads that keep an answer right: all other heads can be silenced together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from playground.analysis.circuits.circuits import NAMED, Circuits

JUDGED = (
    "Sets are judged with the true text before each token. When decoded, the model reads its own text, so "
    "the answer may differ with the same heads at their mean."
)
"""The caveat shown with every list of sets."""


@dataclass(frozen=True)
class Smallest:
    """The smallest sets of heads that keep a target right in all states in which the whole model has it right.

    All other heads can be silenced together: see `silenced`.

    Args:
        target: the answer, or everything.
        heads: all there are.
        states: number of states in which the whole model has the target right.
        size: number of heads in the smallest sets.
        count: number of such sets.
        sets: the heads of the first of these sets.
        decoded: for each of these, in how many of all states the target is right when the model reads its own text,
            as on a board with the other heads mean-ablated; None where that was not measured.
        all_states: number of all states.
        keeping: for each number of heads from none to all, how many sets of that size keep the target right.
        measured: how many sets of that size were tried.
        proven: whether all sets of heads were tried. If not, there may be smaller ones.
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
        """In how many states the target is right with the first of `sets`, decoded; a dash if that was not measured."""
        return "–" if self.decoded[0] is None else f"{self.decoded[0]} of {self.all_states}"

    @property
    def silenced(self) -> tuple[tuple[str, ...], ...]:
        """For each of `sets`, the heads that are not in it."""
        return tuple(tuple(head for head in self.heads if head not in kept) for kept in self.sets)


def find_smallest(circuits: Circuits, named: int = NAMED) -> tuple[Smallest, ...]:
    """Return, for every target, the smallest sets of heads that keep it right.

    Args:
        circuits: a result in which at least the whole model has been measured.
        named: the most sets to name, the lowest heads first. Beyond `NAMED`, sets are not decoded.
    """
    assert circuits.done[circuits.whole], "sets are held against the whole model"
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
