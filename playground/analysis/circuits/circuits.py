"""Circuits: which answers stay right with only some of the heads, for every subset of them.

A head outside the subset is mean-ablated: at each position, its output `z` is replaced by its mean over all states,
taken from the unedited model on its own texts. This is what `mean:L1H2` does, so any subset can be checked with
`Model.board`.

All passes read the true texts. An answer is right if its token has the highest score after the true text before it.
The target `everything` is right if that holds for every token of the completion, separators included. This is so if
and only if greedy decoding writes the whole text correctly: until its first wrong token, decoding sees exactly what
these passes see. A single answer may be right here but wrong on a board, where a wrong token may come before it, or
the reverse. So the smallest sets are also decoded, as on a board (see `Decoded`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Int, UInt8

from playground.analysis.base.layered import layers_of
from playground.analysis.base.measurement import Measurement
from playground.analysis.circuits.subsets import SubsetPasses
from playground.errors import RequestError, count_of
from playground.inference import Model
from playground.inference.model import InterventionsLike, as_values
from playground.interventions import Mean, parse_all
from playground.seeds import check_seed

EVERYTHING = "everything"
"""The last target: the whole completion is right."""
MOST_HEADS = 16
"""With more heads, subsets are sampled."""
ORDERS = 512
"""Orders in which the heads are added one by one, where subsets are sampled."""
REPORTED = 256
"""Subsets measured between two results."""


NAMED = 20
"""At most this many of the smallest sets for each target are named and decoded."""


@dataclass(frozen=True)
class Decoded:
    """What is right with some of the subsets when the model reads its own text, as on a board.

    Args:
        subsets: the subsets' indices, in ascending order.
        right: whether a target is right in a state, as in `Circuits`.
    """

    subsets: Int[np.ndarray, " set"]
    right: UInt8[np.ndarray, "set target byte"]


@dataclass(frozen=True)
class Circuits(Measurement):
    """What stays right with only some heads kept, all others mean-ablated; partial while it is being measured.

    Args:
        heads: their names.
        targets: the answers of the world, then `everything`.
        held_out: whether a state was held out of training.
        exhaustive: whether all subsets of the heads are included, in counting order with head 0 changing fastest. If
            not, the subsets are all prefixes of some orders of the heads.
        subsets: which heads are kept.
        orders: random orders of the heads, by index, where subsets are sampled; none otherwise.
        right: whether a target is right in a state, eight states to a byte as in `numpy.packbits`; 0 where `done` is
            false. See `right_in`.
        done: which subsets have been measured.
        decoded: the smallest sets for each target, decoded; none before all subsets have been measured.
    """

    heads: tuple[str, ...]
    targets: tuple[str, ...]
    held_out: Bool[np.ndarray, " state"]
    exhaustive: bool
    subsets: Bool[np.ndarray, "subset head"]
    orders: Int[np.ndarray, "order head"]
    right: UInt8[np.ndarray, "subset target byte"]
    done: Bool[np.ndarray, " subset"]
    decoded: Decoded

    @property
    def progress(self) -> tuple[int, int]:
        """How many subsets have been measured, and how many there are."""
        return int(self.done.sum()), self.done.size

    @property
    def whole(self) -> int:
        """The index of the subset that has all heads."""
        return int(self.subsets.all(1).argmax())

    @property
    def none(self) -> int:
        """The index of the subset that has no heads."""
        return int((~self.subsets).all(1).argmax())

    def right_in(self, target: int) -> Bool[np.ndarray, "subset state"]:
        """Return whether a target is right, for each subset and state.

        Args:
            target: its index; -1 for everything.
        """
        return np.unpackbits(self.right[:, target], axis=-1, count=len(self.held_out)).astype(bool)

    def decoded_right_in(self, target: int, subset: int) -> Bool[np.ndarray, " state"] | None:
        """Return in which states a target is right when the model reads its own text.

        Args:
            target: its index; -1 for everything.
            subset: the index of the subset of kept heads.

        Returns:
            None if that subset was not decoded.
        """
        row = np.flatnonzero(self.decoded.subsets == subset)
        if not row.size:
            return None
        bits = self.decoded.right[row[0], target]
        return np.unpackbits(bits, count=len(self.held_out)).astype(bool)

    def keeping(self, target: int) -> Bool[np.ndarray, " subset"]:
        """Return which measured subsets keep a target right in all states in which the whole model has it right."""
        right = self.right_in(target)
        return self.done & right[:, right[self.whole]].all(1)

    def smallest(self, target: int) -> tuple[int, ...]:
        """Return the indices of the smallest subsets that keep a target right, those with the lowest heads first."""
        keeps, sizes = self.keeping(target), self.subsets.sum(1)
        found = np.flatnonzero(keeps & (sizes == sizes[keeps].min()))
        # Sorted by the kept heads, compared from the first head on.
        return tuple(sorted(found.tolist(), key=lambda subset: np.flatnonzero(self.subsets[subset]).tolist()))

    def heads_in(self, subset: int) -> tuple[str, ...]:
        """Return the names of the heads that a subset keeps."""
        return tuple(head for head, kept in zip(self.heads, self.subsets[subset], strict=True) if kept)


def measure_circuits(
    model: Model,
    interventions: InterventionsLike = (),
    begun: Circuits | None = None,
    *,
    orders: int = ORDERS,
    seed: int = 0,
) -> Iterator[Circuits]:
    """Yield what stays right with every subset of the heads, updated after every few hundred subsets.

    The caller may stop at any time and resume later from the last result; the model stays unchanged throughout.
    Subsets that keep most heads in the lowest layers come first, starting with the whole model.

    Args:
        model: a model with layers of attention heads; it stays as it is.
        interventions: applied throughout; the means are those of the unedited model.
        begun: a partial result for the same model and interventions, to resume from.
        orders: how many orders of the heads are drawn if there are too many heads for all subsets. All prefixes of
            these orders are then measured, from no head to all.
        seed: seed for drawing the orders.

    Yields:
        Growing results, the last one complete.

    Raises:
        RequestError: as `layers_of` does, or if `begun` belongs to another request; before anything is run.
    """
    passes = SubsetPasses(layers_of(model, interventions, "circuits"), model)
    start = _nothing_yet(model, interventions, orders, seed)
    if begun is not None:
        _check_begun(begun, start)
        start = begun
    return _measure_all(passes, start, model)


def _nothing_yet(model: Model, interventions: InterventionsLike, orders: int, seed: int) -> Circuits:
    check_seed(seed)
    heads = tuple(map(str, model.network.elements))
    drawn = np.zeros((0, len(heads)), dtype=np.int64)
    if exhaustive := len(heads) <= MOST_HEADS:
        subsets = (np.arange(2 ** len(heads))[:, None] >> np.arange(len(heads)) & 1).astype(bool)
    else:
        generator = np.random.default_rng(seed)
        drawn = np.stack([generator.permutation(len(heads)) for _ in range(max(1, orders))])
        # A head's place in an order is the length of the longest prefix without it.
        places = np.argsort(drawn, axis=1)
        beginnings = places[:, None] < np.arange(len(heads) + 1)[:, None]
        subsets = np.unique(beginnings.reshape(-1, len(heads)), axis=0)
    targets, states_in_bytes = (*model.world.answers, EVERYTHING), -(-len(model.world.states) // 8)
    return Circuits(
        model=model.name,
        interventions=tuple(map(str, as_values(interventions))),
        heads=heads,
        targets=targets,
        held_out=model.baseline.held_out,
        exhaustive=exhaustive,
        subsets=subsets,
        orders=drawn,
        right=np.zeros((len(subsets), len(targets), states_in_bytes), dtype=np.uint8),
        done=np.zeros(len(subsets), dtype=bool),
        decoded=Decoded(
            np.zeros(0, dtype=np.int64), np.zeros((0, len(targets), states_in_bytes), dtype=np.uint8)
        ),
    )


def _check_begun(begun: Circuits, start: Circuits) -> None:
    same = (
        (begun.model, begun.interventions, begun.heads, begun.targets)
        == (start.model, start.interventions, start.heads, start.targets)
        and np.array_equal(begun.held_out, start.held_out)
        and np.array_equal(begun.subsets, start.subsets)
        and np.array_equal(begun.orders, start.orders)
    )
    if not same:
        raise RequestError.of(
            message="these circuits belong to another measurement",
            expected=f"{start.model} with {start.interventions or 'no interventions'} and {count_of(len(start.subsets), 'subset')}",
            got=f"{begun.model} with {begun.interventions or 'no interventions'} and {count_of(len(begun.subsets), 'subset')}",
            hint="Measure from the beginning.",
        )


def _measure_all(passes: SubsetPasses, start: Circuits, model: Model) -> Iterator[Circuits]:
    right, done = start.right.copy(), start.done.copy()

    def so_far() -> Circuits:
        return replace(start, right=right.copy(), done=done.copy())

    reported = int(done.sum())
    for subsets, found in passes.right(start.subsets, np.flatnonzero(~done)):
        right[subsets], done[subsets] = found, True
        if done.sum() >= reported + REPORTED and not done.all():
            reported = int(done.sum())
            yield so_far()
    whole = so_far()
    yield replace(whole, decoded=_decode_smallest(model, whole))


def _decode_smallest(model: Model, circuits: Circuits) -> Decoded:
    """Return the decoded results, as on a board, of the smallest sets that are named for each target."""
    targets = range(len(circuits.targets))
    named = {subset for target in targets for subset in circuits.smallest(target)[:NAMED]}
    subsets = np.array(sorted(named), dtype=np.int64)
    asked = parse_all(";".join(circuits.interventions))
    right = np.zeros((len(subsets), len(targets), circuits.right.shape[-1]), dtype=np.uint8)
    for row, kept in enumerate(circuits.subsets[subsets]):
        heads = zip(model.network.elements, kept.tolist(), strict=True)
        board = model.board([*asked, *(Mean(head) for head, keeps in heads if not keeps)])
        answers = np.concatenate([board.written == board.truth, board.correct[:, None]], axis=1)
        right[row] = np.packbits(answers.T, axis=-1)
    return Decoded(subsets, right)
