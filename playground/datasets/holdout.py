"""Which states a model never sees in training."""

from __future__ import annotations

import random

from playground.errors import Fault, RequestError, count_of
from playground.worlds import State, World

SHIPPED_HOLD_OUT = "1,1,1,1,1;0,0,0,0,0;1,0,1,0,1;0,1,0,1,0;0,0,1,1,1;1,1,0,0,0"
"""The states that the shipped models of the default world were not trained on: six of 32."""


def parse_hold_out(text: str, world: World) -> tuple[State, ...]:
    """Return the states in `text`, such as `1,0,1,0,1;0,0,0,0,0`, each once.

    Raises:
        RequestError: with every part that is not a state, or if no state is left to train on.
    """
    states, faults = [], []
    for part in text.split(";"):
        try:
            states.append(world.parse_state(part))
        except RequestError as error:
            faults += error.faults
    if faults:
        raise RequestError(*faults)
    held_out = tuple(dict.fromkeys(states))
    _check_size(len(held_out), world)
    return held_out


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
