"""Which states a model never sees in training."""

from __future__ import annotations

import random

from playground.errors import Fault, RequestError, count_of, quote
from playground.worlds import State, World

SHIPPED_HOLD_OUT = "1,1,1,1,1;0,0,0,0,0;1,0,1,0,1;0,1,0,1,0;0,0,1,1,1;1,1,0,0,0"
"""The states that the shipped models of the default world were not trained on: six of 32."""


def parse_hold_out(text: str, world: World) -> tuple[State, ...]:
    """Return the states in `text`, such as `1,0,1,0,1;0,0,*,*,0`, each once; `*` stands for 0 and 1.

    Raises:
        RequestError: with every part that is no state or pattern, or if no state is left to train on.
    """
    states, faults = [], []
    for part in text.split(";"):
        try:
            states += states_like(part, world)
        except RequestError as error:
            faults += error.faults
    if faults:
        raise RequestError(*faults)
    held_out = tuple(dict.fromkeys(states))
    _check_size(len(held_out), world)
    return held_out


def states_like(pattern: str, world: World) -> list[State]:
    """Return the states that a pattern such as `1,*,0,*,*` stands for, in the world's order.

    Raises:
        RequestError: if it is neither a state nor a pattern.
    """
    if "*" not in pattern:
        return [world.parse_state(pattern)]
    wanted = [part.strip() for part in pattern.split(",")]
    if len(wanted) != len(world.inputs) or not set(wanted) <= {"0", "1", "*"}:
        raise RequestError(
            Fault(
                rule="a pattern says 0, 1 or * of each input",
                expected=f"{count_of(len(world.inputs), 'part')} with commas between them, for {', '.join(world.inputs)}",
                got=quote(pattern),
                hint=f"Such as {','.join('1' if not index else '*' for index in range(len(world.inputs)))}.",
            )
        )
    return [
        state
        for state in world.states
        if all(want in ("*", str(bit)) for want, bit in zip(wanted, state, strict=True))
    ]


def random_hold_out(world: World, count: int, seed: int) -> tuple[State, ...]:
    """Return `count` different states, drawn with `seed`.

    Raises:
        RequestError: if `count` is negative or leaves no state to train on.
    """
    _check_size(count, world)
    return tuple(random.Random(seed).sample(world.states, count))


def _check_size(count: int, world: World) -> None:
    total = len(world.states)
    if not 0 <= count < total:
        raise RequestError(
            Fault(
                rule="some states are held out, and some are left to train on",
                expected=f"0 to {total - 1} of the world's {total} states",
                got=count_of(count, "state"),
                hint="Hold out fewer states." if count >= total else "Leave the option out to hold out none.",
            )
        )
