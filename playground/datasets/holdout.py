"""Hold-outs: the states that a model never sees in training."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from jaxtyping import Bool, Int

from playground.errors import RequestError, count_of, quote
from playground.seeds import check_seed
from playground.worlds import State, World

SHIPPED_HOLD_OUT = "1,1,1,1,1;0,0,0,0,0;1,0,1,0,1;0,1,0,1,0;0,0,1,1,1;1,1,0,0,0"
"""The six of 32 states that the shipped models of the default world were not trained on."""

MOST_NAMED = 2
"""Up to this many combinations of values are listed; of more, only their number is given."""


def parse_hold_out(text: str, world: World) -> tuple[State, ...]:
    """Return the states in `text`, such as `1,0,1,0,1;0,0,*,*,0`, each once; `*` stands for 0 and 1.

    Raises:
        RequestError: with every part that is neither a state nor a pattern, or if no state is left to train on.
    """
    held_out = states_in(text, world)
    check_size(len(held_out), world)
    return held_out


def states_in(text: str, world: World) -> tuple[State, ...]:
    """Return the states that match patterns joined by `;`, each once; a final `;` and spaces around patterns are ignored.

    Raises:
        RequestError: with every part that is neither a state nor a pattern, or if there is none.
    """
    states, faults = [], []
    for part in [part.strip() for part in text.split(";") if part.strip()] or [""]:
        try:
            states += states_like(part, world)
        except RequestError as error:
            faults += error.faults
    if faults:
        raise RequestError(*faults)
    return tuple(dict.fromkeys(states))


def states_like(pattern: str, world: World) -> list[State]:
    """Return the states that match a pattern such as `1,*,0,*,*`, in the world's order.

    Raises:
        RequestError: if it is neither a state nor a pattern.
    """
    if "*" not in pattern:
        return [world.parse_state(pattern)]
    wanted = [part.strip() for part in pattern.split(",")]
    if len(wanted) != len(world.inputs) or not set(wanted) <= {"0", "1", "*"}:
        raise RequestError.of(
            message="invalid pattern of states",
            expected=f"{count_of(len(world.inputs), 'part')} (0, 1 or *) joined by commas, for {', '.join(world.inputs)}",
            got=quote(pattern),
            hint=f"For example {','.join('1' if not index else '*' for index in range(len(world.inputs)))}.",
        )
    return [
        state
        for state in world.states
        if all(want in ("*", str(bit)) for want, bit in zip(wanted, state, strict=True))
    ]


def random_hold_out(world: World, count: int, seed: int) -> tuple[State, ...]:
    """Return `count` different states, drawn with `seed`.

    Raises:
        RequestError: if `count` is negative or leaves no state to train on, or if the seed is invalid.
    """
    check_size(count, world)
    return tuple(random.Random(check_seed(seed)).sample(world.states, count))


@dataclass(frozen=True)
class Undetermined:
    """An answer that the seen states do not determine: a held-out state has a combination of values that no seen state has.

    Args:
        answer: the name of the answer.
        reads: the names that its rule reads; for a count, its own name, because its value may be a token that no
            sample has at that position.
        unseen: the combinations of their values that occur in held-out states only.
    """

    answer: str
    reads: tuple[str, ...]
    unseen: tuple[tuple[int, ...], ...]

    def __str__(self) -> str:
        """Return one sentence, used everywhere, that says what no seen state has."""
        if self.reads == (self.answer,):
            return f"No seen state has {self.answer} = {_or(str(value) for (value,) in self.unseen)}."
        if len(self.unseen) > MOST_NAMED:
            names = f"{', '.join(self.reads[:-1])} and {self.reads[-1]}" if self.reads[1:] else self.reads[0]
            found = f"{len(self.unseen)} of the combinations of {names}"
        else:
            found = ", or ".join(
                " and ".join(f"{name} = {value}" for name, value in zip(self.reads, values, strict=True))
                for values in self.unseen
            )
        return f"No seen state has {found}, from which {self.answer} follows."


def _or(parts: Iterable[str]) -> str:
    *others, last = parts
    return f"{', '.join(others)} or {last}" if others else last


@lru_cache(maxsize=256)
def never_seen(world: World, held_out: tuple[State, ...], state: State | None = None) -> tuple[str, ...]:
    """Return sentences that say what held-out states have but no seen state has, in the order of the world's answers.

    A model may still be right there: the sentences only say what was not shown, see `undetermined`.

    Args:
        world: the world whose states are held out.
        held_out: the states that are not seen.
        state: a single held-out state to describe; by default all of them.
    """
    found = undetermined(world, held_out)
    if state is not None:
        row = world.states.index(state)
        had = {each.answer: tuple(_read(world, each.answer)[1][row].tolist()) for each in found}
        found = [
            replace(each, unseen=(had[each.answer],)) for each in found if had[each.answer] in each.unseen
        ]
    return tuple(map(str, found))


def undetermined(world: World, held_out: Iterable[State]) -> tuple[Undetermined, ...]:
    """Return the answers that the seen states do not determine, in the world's order.

    Every combination of values that a rule reads, and every value of a count, has to occur in a seen state if it
    occurs in any state.
    """
    hidden = set(held_out)
    seen = np.array([state not in hidden for state in world.states])
    found = []
    for answer, shown in zip(world.answers, shown_by(world).T, strict=True):
        missing = np.setdiff1d(shown, shown[seen])
        if len(missing):
            names, values = _read(world, answer)
            rows = [values[np.flatnonzero(shown == each)[0]] for each in missing]
            found.append(Undetermined(answer, names, tuple(tuple(row.tolist()) for row in rows)))
    return tuple(found)


def shown_by(world: World) -> Int[np.ndarray, "state answer"]:
    """Return, for each state and answer, the number (from 0) of the combination that the answer's rule reads there."""
    columns = [np.unique(_read(world, answer)[1], axis=0, return_inverse=True)[1] for answer in world.answers]
    return np.stack([column.reshape(-1) for column in columns], axis=1)


def combinations_shown(shown: Int[np.ndarray, "state answer"]) -> Bool[np.ndarray, "state combination"]:
    """Return which combinations each state shows, with the combinations of all answers side by side.

    Args:
        shown: as returned by `shown_by`.
    """
    sizes = shown.max(0) + 1
    shows = np.zeros((len(shown), int(sizes.sum())), dtype=bool)
    np.put_along_axis(shows, shown + np.cumsum(sizes) - sizes, values=True, axis=1)
    return shows


def greedy_cover(shows: Bool[np.ndarray, "state combination"]) -> list[int]:
    """Return few states that show every combination: greedily, the first that shows most of the missing ones."""
    missing, gain, chosen = np.ones(shows.shape[1], dtype=bool), shows.sum(1), []
    while missing.any():
        chosen.append(int(gain.argmax()))
        new = shows[chosen[-1]] & missing
        missing &= ~new
        gain = gain - shows[:, new].sum(1)
    return chosen


def _read(world: World, answer: str) -> tuple[tuple[str, ...], Int[np.ndarray, "state name"]]:
    """Return the names that an output's rule reads, or the name of the count itself, and their values."""
    names = world.dependencies[answer] if answer in world.outputs else (answer,)
    values = np.concatenate([np.array(world.states), world.truth_table], axis=1)
    columns = [(world.inputs + world.answers).index(name) for name in names]
    return names, values[:, columns]


def check_size(count: int, world: World) -> None:
    """Check that `count` states of a world can be held out.

    Raises:
        RequestError: if `count` is negative or leaves no state to train on.
    """
    total = len(world.states)
    if not 0 <= count < total:
        raise RequestError.of(
            message="the hold-out must leave states to train on",
            expected=f"0 to {total - 1} of the world's {total} states",
            got=count_of(count, "state"),
            hint="Hold out fewer states." if count >= total else "Leave the option out to hold out none.",
        )
