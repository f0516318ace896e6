"""A search for a hard hold-out: states that simple predictors miss, while the rules stay determined.

A hold-out is the harder, the less the simple predictors get right on it when fitted without it: whole answers
first, then single ones. Trying a hold-out costs a fit of every predictor for every answer, so only few are tried.
The search starts with the states that cross-validation predicts worst. It then swaps states that turned out to be
easy for states that seem hard.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from jaxtyping import Bool, Int

from playground.datasets.holdout import check_size, combinations_shown, greedy_cover, shown_by
from playground.datasets.predictors.simple import PREDICTORS, predict
from playground.errors import RequestError, count_of
from playground.worlds import State, World

EFFORT = 60
"""The most times that all predictors are fitted."""

FOLDS = 5
"""The number of folds in cross-validation."""

_SEED = 0
"""Seed for assigning states to folds."""

Held = Bool[np.ndarray, " state"]
Indices = Int[np.ndarray, "_"]
Ease = Int[np.ndarray, " state"]
"""How easy states are to predict: predictors with the whole answer right, then single answers right, as one number."""


def hardest_hold_out(world: World, count: int) -> tuple[State, ...]:
    """Return `count` states on which simple predictors do badly.

    Every rule stays determined by the seen states, see `undetermined`. The search has limited effort and always gives
    the same result, which need not be the hardest hold-out.

    Args:
        world: the world whose states are held out.
        count: the number of states to hold out.

    Returns:
        The states, in the world's order.

    Raises:
        RequestError: if `count` is negative, or too large for all rules to stay determined.
    """
    check_size(count, world)
    shown = shown_by(world)
    needed = _needed(shown)
    if count > len(world.states) - len(needed):
        raise RequestError.of(
            message="holding out this many states leaves rules undetermined",
            expected=f"at most {count_of(len(world.states) - len(needed), 'state')} to hold out: "
            f"no fewer than {len(needed)} were found that show every combination",
            got=str(count),
            hint="Hold out fewer, or name the states with --omit.",
        )
    if count == 0:
        return ()
    held = _Search(world, shown, needed, count).run()
    return tuple(world.states[index] for index in np.flatnonzero(held))


class _Search:
    """A search for one hold-out, which counts the fits it has spent."""

    def __init__(
        self, world: World, shown: Int[np.ndarray, "state answer"], needed: Sequence[int], count: int
    ) -> None:
        self._world, self._shown, self._needed, self._count = world, shown, needed, count
        self._spent = 0

    def run(self) -> Held:
        """Return the hardest hold-out found."""
        held = self._first()
        ease = self._ease(held)
        prospects = self._prospects(held)
        exchanged, tried = max(1, self._count // 4), {held.tobytes()}
        while self._spent < EFFORT:
            others = self._exchanges(held, ease, prospects, exchanged)
            other = next((each for each in others if each.tobytes() not in tried), None)
            if other is None and exchanged == 1:
                break
            if other is not None:
                tried.add(other.tobytes())
                found = self._ease(other)
                # States that were just held out now have a measured ease instead of an estimate.
                prospects = np.where(other, found, prospects)
                if found[other].sum() < ease[held].sum():
                    held, ease = other, found
                    continue
            exchanged = max(1, exchanged // 2)
        return held

    def _first(self) -> Held:
        """Return the first hold-out: the states that cross-validation predicts worst."""
        nothing = np.zeros(len(self._world.states), dtype=bool)
        order = np.argsort(self._prospects(nothing), kind="stable")
        held = self._filled(nothing, order)
        if held is None:
            held = self._filled(nothing, order[~np.isin(order, self._needed)])
        assert held is not None, "the caller has checked that enough states are dispensable"
        return held

    def _ease(self, held: Held) -> Ease:
        """Return how easy states are to predict with a given hold-out."""
        self._spent += 1
        truth = self._world.truth_table
        right = np.array([predict(self._world, ~held, name) == truth for name in PREDICTORS])
        return right.all(2).sum(0) * (right.size + 1) + right.sum((0, 2))

    def _prospects(self, held: Held) -> Ease:
        """Return how easy each other state is to predict when its fold is held out in addition."""
        prospects = np.zeros(len(held), dtype=np.int64)
        others = np.random.default_rng(_SEED).permutation(np.flatnonzero(~held))
        for part in np.array_split(others, min(FOLDS, len(others))):
            hidden = held.copy()
            hidden[part] = True
            if not hidden.all():
                prospects[part] = self._ease(hidden)[part]
        return prospects

    def _exchanges(self, held: Held, ease: Ease, prospects: Ease, exchanged: int) -> Iterator[Held]:
        """Yield hold-outs with `exchanged` states swapped, the most promising first."""
        inside, outside = np.flatnonzero(held), np.flatnonzero(~held)
        inside = inside[np.argsort(-ease[inside], kind="stable")]
        outside = outside[np.argsort(prospects[outside], kind="stable")]
        exchanges = [(inside[:exchanged], outside)]
        if exchanged == 1:
            gains = ease[inside][:, None] - prospects[outside]
            rows, columns = np.divmod(np.argsort(-gains, axis=None, kind="stable"), len(outside))
            exchanges = zip(inside[rows, None], outside[columns, None], strict=True)
        for out, into in exchanges:
            fewer = held.copy()
            fewer[out] = False
            if (other := self._filled(fewer, into)) is not None:
                yield other

    def _filled(self, held: Held, order: Indices) -> Held | None:
        """Return a hold-out filled up in the given order, with the rules still determined; None if that fails."""
        held = held.copy()
        answers = range(self._shown.shape[1])
        seen = np.stack([np.bincount(self._shown[~held, each], minlength=len(held)) for each in answers])
        missing = self._count - held.sum()
        for index in order:
            if missing == 0:
                break
            if (seen[answers, self._shown[index]] > 1).all():
                seen[answers, self._shown[index]] -= 1
                held[index], missing = True, missing - 1
        return held if missing == 0 else None


def _needed(shown: Int[np.ndarray, "state answer"]) -> list[int]:
    """Return few states that show every combination, none of them redundant."""
    shows = combinations_shown(shown)
    chosen = greedy_cover(shows)
    for each in list(chosen):
        if shows[[other for other in chosen if other != each]].any(0).all():
            chosen.remove(each)
    return chosen
