"""The default hold-out of a world: a fifth of its states, with every answer determined where possible.

An answer is determined if every combination of values that its rule reads occurs in a seen state, see
`undetermined`. So the seen states have to cover all these combinations. If no random draw does, integer programming
decides whether a small enough cover exists.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int

from playground.datasets.holdout import (
    Undetermined,
    combinations_shown,
    greedy_cover,
    random_hold_out,
    shown_by,
    undetermined,
)
from playground.errors import count_of
from playground.worlds import State, World

SHARE = 5
"""One of this many states is held out."""
DRAWS = 100
"""Hold-outs to draw, with seeds from 0 on, before one is computed."""
PATIENCE = 10.0
"""Time limit of the solver, in seconds."""

Shown = Int[np.ndarray, "state answer"]


def default_hold_out(world: World) -> tuple[State, ...]:
    """Return the default hold-out of a world, which is always the same.

    It leaves as many answers determined as possible, preferring earlier answers: all of them if any choice of as
    many states does. Of such choices, it is the first one drawn at random.
    """
    return determining_hold_out(world, len(world.states) // SHARE).states


@dataclass(frozen=True)
class DeterminingHoldOut:
    """States to hold out, and the answers that the remaining states determine.

    Args:
        states: the states to hold out.
        answers: the determined answers; no choice of as many states determines these and one more.
    """

    states: tuple[State, ...]
    answers: tuple[str, ...]


@lru_cache(maxsize=256)
def determining_hold_out(world: World, count: int) -> DeterminingHoldOut:
    """Return a hold-out of `count` states that leaves as many answers determined as possible.

    Args:
        world: the world whose states are held out.
        count: the number of states to hold out.

    Raises:
        RequestError: if `count` is negative or leaves no state to train on.
    """
    drawn = [random_hold_out(world, count, seed) for seed in range(DRAWS)]
    shown, kept = shown_by(world), list(range(len(world.answers)))
    held = _first_drawn(shown, kept, drawn, world)
    if held is None:
        kept = []
        for answer in range(len(world.answers)):
            if _cover(shown[:, [*kept, answer]], len(shown) - count) is not None:
                kept.append(answer)
        held = _first_drawn(shown, kept, drawn, world) or _computed(shown[:, kept], count, world)
    return DeterminingHoldOut(held, tuple(world.answers[answer] for answer in kept))


def explain_undetermined(world: World, held_out: Sequence[State]) -> tuple[tuple[Undetermined, str], ...]:
    """Return the answers that the seen states do not determine, each with a sentence explaining why.

    Either no hold-out of this size determines the answer, or another choice would.
    """
    found = undetermined(world, held_out)
    if not found:
        return ()
    count = len(set(held_out))
    possible = determining_hold_out(world, count).answers
    return tuple((each, _why(each, world, count, possible)) for each in found)


def _why(each: Undetermined, world: World, count: int, possible: tuple[str, ...]) -> str:
    states, answer = count_of(count, "state"), world.answers.index(each.answer)
    seen, combinations = len(world.states) - count, int(shown_by(world)[:, answer].max()) + 1
    if combinations > seen:
        take = "takes" if len(each.reads) == 1 else "take"
        values = "values" if len(each.reads) == 1 else "combinations of values"
        return (
            f"No choice of {states} to hold out would determine {each.answer}: {', '.join(each.reads)} {take} "
            f"{combinations:,} {values}, each has to be seen, and {count_of(seen, 'state')} cannot show them all."
        )
    if each.answer in possible:
        return f"Another choice of {states} would determine {each.answer}."
    return f"No choice of {states} to hold out was found that would determine {each.answer} as well as {', '.join(possible)}."


def _first_drawn(
    shown: Shown, answers: list[int], drawn: list[tuple[State, ...]], world: World
) -> tuple[State, ...] | None:
    """Return the first of the drawn hold-outs that leaves the given answers determined."""
    rows = {state: row for row, state in enumerate(world.states)}
    wanted = [np.bincount(shown[:, answer]) for answer in answers]
    for states in drawn:
        held = [rows[state] for state in states]
        if all(
            (np.bincount(shown[held, answer], minlength=len(all_of)) < all_of).all()
            for answer, all_of in zip(answers, wanted, strict=True)
        ):
            return states
    return None


def _computed(shown: Shown, count: int, world: World) -> tuple[State, ...]:
    """Return a hold-out that leaves all answers determined; the caller knows that one exists."""
    seen = _cover(shown, len(shown) - count)
    assert seen is not None, "the caller has checked that a cover exists"
    free = np.flatnonzero(~seen)
    held = np.sort(np.random.default_rng(0).choice(free, count, replace=False))
    return tuple(world.states[row] for row in held)


def _cover(shown: Shown, most: int) -> Bool[np.ndarray, " state"] | None:
    """Return at most `most` states that together show every combination; None if none were found.

    This is a set cover (Karp 1972). If the greedy cover is too large, HiGHS searches for a smaller one or proves that
    there is none. For a fifth of the states this has never taken long; after `PATIENCE` seconds the search gives up.
    """
    if (shown.max(0) + 1 > most).any():
        return None
    shows = combinations_shown(shown)
    few = greedy_cover(shows)
    if len(few) <= most:
        return np.isin(np.arange(len(shown)), few)
    from scipy.optimize import Bounds, LinearConstraint, milp
    from scipy.sparse import csr_array

    each_shown = csr_array(shows.T.astype(float))
    count = csr_array(np.ones((1, len(shows))))
    found = milp(
        np.zeros(len(shows)),
        integrality=np.ones(len(shows)),
        bounds=Bounds(0, 1),
        constraints=[LinearConstraint(each_shown, 1, np.inf), LinearConstraint(count, 0, most)],
        options={"time_limit": PATIENCE},
    )
    if found.x is None:
        return None
    seen = found.x > 1 / 2
    assert shows[seen].any(0).all(), "the solver says that this is a cover"
    return seen
