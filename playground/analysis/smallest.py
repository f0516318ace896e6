"""The fewest heads that keep an answer right, and so the most that can be silenced together."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from playground.analysis.circuits import Circuits
from playground.errors import Fault, RequestError

NAMED = 20
"""Sets that are named of those that there are."""


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
    keeping: Int[np.ndarray, " size"]
    measured: Int[np.ndarray, " size"]
    proven: bool

    @property
    def silenced(self) -> tuple[tuple[str, ...], ...]:
        """For each of `sets` the heads that are not in it."""
        return tuple(tuple(head for head in self.heads if head not in kept) for kept in self.sets)


def find_smallest(circuits: Circuits, named: int = NAMED) -> tuple[Smallest, ...]:
    """Return for every target the smallest sets of heads that keep it right.

    Args:
        circuits: as far as they have been measured.
        named: how many sets are named at most, the lowest heads first.

    Raises:
        RequestError: if the whole model has not been measured yet.
    """
    if not circuits.done[circuits.whole]:
        raise RequestError(
            Fault(
                rule="what a set of heads keeps right is what the whole model has right",
                expected="circuits in which the whole model has been measured",
                got="circuits without it",
                hint="Go on with these: measure_circuits(model, interventions, begun).",
            )
        )
    return tuple(_smallest(circuits, target, named) for target in range(len(circuits.targets)))


def _smallest(circuits: Circuits, target: int, named: int) -> Smallest:
    right = circuits.right_in(target)
    wanted = right[circuits.whole]
    keeps = circuits.done & right[:, wanted].all(1)
    sizes = circuits.subsets.sum(1)
    size = int(sizes[keeps].min())
    found = np.flatnonzero(keeps & (sizes == size))
    # By the heads that are kept, compared from the first head on.
    first = sorted(found.tolist(), key=lambda subset: np.flatnonzero(circuits.subsets[subset]).tolist())
    lengths = len(circuits.heads) + 1
    return Smallest(
        target=circuits.targets[target],
        heads=circuits.heads,
        states=int(wanted.sum()),
        size=size,
        count=len(found),
        sets=tuple(circuits.heads_in(subset) for subset in first[:named]),
        keeping=np.bincount(sizes[keeps], minlength=lengths),
        measured=np.bincount(sizes[circuits.done], minlength=lengths),
        proven=circuits.exhaustive and bool(circuits.done.all()),
    )
