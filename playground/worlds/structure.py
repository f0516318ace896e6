"""The structure of a world: dependencies, chains, irrelevant inputs, answers that are easily guessed."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from playground.worlds.world import World

EASILY_GUESSED = 0.85
"""The share of the states from which on an answer with the same value counts as easily guessed."""


@dataclass(frozen=True)
class Balance:
    """How often an answer has each value.

    Args:
        answer: the name of the answer.
        shares: the shares of the states, from 0 to 1, in which it is 0, 1, 2 and so on.
    """

    answer: str
    shares: tuple[float, ...]

    @property
    def ones(self) -> float:
        """The share of the states in which it is 1."""
        return self.shares[1]

    @property
    def commonest(self) -> int:
        """The most frequent value; the smallest if several are equally frequent."""
        return int(np.argmax(self.shares))

    @property
    def guessed(self) -> float:
        """The share of the states in which always guessing the commonest value is right."""
        return max(self.shares)

    @property
    def is_easily_guessed(self) -> bool:
        """Whether the answer nearly always has the same value."""
        return self.guessed >= EASILY_GUESSED


@dataclass(frozen=True)
class Structure:
    """How the variables of a world depend on one another.

    Args:
        edges: pairs of a name that an answer's rule reads and that answer, answer by answer.
        chained: the outputs that read outputs.
        chain: the longest chain of outputs, each reading the one before it; of several, the first in the order of the rules.
        noise: the inputs that never change any answer, even if rules read them.
        balances: the balance of every answer.
    """

    edges: tuple[tuple[str, str], ...]
    chained: tuple[str, ...]
    chain: tuple[str, ...]
    noise: tuple[str, ...]
    balances: tuple[Balance, ...]


def structure_of(world: World) -> Structure:
    """Return how the variables of a world depend on one another; forced variables read nothing."""
    reads, outputs = world.dependencies, set(world.outputs)
    chains: dict[str, tuple[str, ...]] = {}
    for output in world.outputs:
        read = [chains[name] for name in reads[output] if name in outputs]
        chains[output] = (*max(read, key=len, default=()), output)
    return Structure(
        edges=tuple((name, answer) for answer in world.answers for name in reads[answer]),
        chained=tuple(output for output, chain in chains.items() if len(chain) > 1),
        chain=max(chains.values(), key=len),
        noise=_noise(world),
        balances=_balances(world),
    )


def _noise(world: World) -> tuple[str, ...]:
    """Return the inputs whose values change no answer in any state."""
    cube = world.truth_table.reshape(*(2 for _ in world.inputs), -1)
    return tuple(
        name for axis, name in enumerate(world.inputs) if (cube.take(0, axis) == cube.take(1, axis)).all()
    )


def _balances(world: World) -> tuple[Balance, ...]:
    largest = dict.fromkeys(world.outputs, 1) | {each.name: len(each.variables) for each in world.counts}
    return tuple(
        Balance(answer, tuple((np.bincount(column, minlength=largest[answer] + 1) / len(column)).tolist()))
        for answer, column in zip(world.answers, world.truth_table.T, strict=True)
    )
