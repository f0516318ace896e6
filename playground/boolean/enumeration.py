"""The smallest expressions of Boolean functions of a few inputs, by enumeration.

Expressions are ordered by the number of literals (names, counting repetitions), then by the number of
operators: AND, OR, XOR and NOT count one; NAND, NOR and XNOR count two. So a function and its negation always
have the same number of literals. Ties go to the expression with fewer NOTs before names.

Two sets of functions are enumerated, over slots for inputs:

- functions with an expression in which each input occurs once (*read-once*, fanout-free: Butler, "On the number
  of functions realized by cascades and disjunctive networks", 1975). No function that depends on all of these
  inputs has a smaller expression;
- all functions of three inputs, from smaller expressions to larger ones.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations

import numpy as np
from jaxtyping import Bool, Int, UInt32

from playground.boolean.expressions import OPERATORS, Expression, Gate, Not, Variable

SLOTS = 5
"""The most inputs of a read-once function; with six there are 34 times as many functions as with five."""

CLOSED = 3
"""The most inputs for which all functions are enumerated."""

NEGATED = {"AND": "NAND", "OR": "NOR", "XOR": "XNOR"}
"""The plain gates, and the negation of each."""

_GATES = (*NEGATED, *NEGATED.values())
_INPUT, _NEGATED_INPUT = -1, -2
"""Codes used in place of a gate in the nodes of inputs."""

_NOT, _ON_INPUT = 16, 1
"""The cost of a negation, and the extra cost if it is before a name; ranks expressions with equally many literals."""

_NODE = np.dtype([("table", "u4"), ("cost", "i2"), ("gate", "i1"), ("left", "i4"), ("right", "i4")])
"""An expression: bit s of its table is its value in state s of all slots; left and right index its operands."""

_ONES = 2**2**SLOTS - 1

Ids = Int[np.ndarray, "_"]


@dataclass(frozen=True)
class Smallest:
    """Functions with the same number of inputs, all essential, and the same number of literals.

    They are ordered by their tables read as numbers, the first state being the lowest digit. So the negation
    of the first function is the last, that of the second the last but one, and so on.

    Args:
        arity: number of inputs.
        literals: number of literals of each expression.
        operators: number of operators of each expression.
        tables: the value of each function in every state of its inputs, the last input changing fastest.
        numbers: the tables over all slots, as numbers, in ascending order.
        nodes: everything enumerated: the gate and the indices of its operands.
        ids: the index of each function in `nodes`.
    """

    arity: int
    literals: int
    operators: Int[np.ndarray, " function"]
    tables: Bool[np.ndarray, "function state"]
    numbers: UInt32[np.ndarray, " function"]
    nodes: Sequence[tuple[int, int, int]]
    ids: Ids

    def expression(self, number: int, names: Sequence[str]) -> Expression:
        """Return the smallest expression of a function, with the given names for its inputs."""
        return _expression(self.nodes, int(self.ids[number]), names)

    def find(self, table: Bool[np.ndarray, " state"]) -> int | None:
        """Return the number of the function with this table; None if there is none."""
        if len(table) != self.tables.shape[1]:
            return None
        digits = np.packbits(np.repeat(table, 2 ** (SLOTS - self.arity)), bitorder="little")
        asked = np.uint32(int.from_bytes(digits.tobytes(), "little"))
        number = int(self.numbers.searchsorted(asked))
        return number if number < len(self.numbers) and self.numbers[number] == asked else None


@cache
def enumerate_smallest() -> tuple[Smallest, ...]:
    """Return all read-once functions of up to `SLOTS` inputs, and all other functions of up to `CLOSED` inputs."""
    nodes = _inputs()
    found: dict[tuple[int, ...], Ids] = {(slot,): np.array([2 * slot, 2 * slot + 1]) for slot in range(SLOTS)}
    for arity in range(2, SLOTS + 1):
        for chosen in combinations(range(SLOTS), arity):
            nodes, found[chosen] = _append(nodes, _smallest(nodes, _splits(chosen, found)))
    read_once = [(arity, arity, found[tuple(range(arity))]) for arity in range(1, SLOTS + 1)]
    levels = [
        np.concatenate([found[chosen] for chosen in combinations(range(CLOSED), literals)])
        for literals in range(1, CLOSED + 1)
    ]
    larger = []
    while sum(map(len, levels)) < 2**2**CLOSED - 2:
        pairs = [(levels[first], levels[-1 - first]) for first in range((len(levels) + 1) // 2)]
        known = [0, _ONES, *nodes["table"][np.concatenate(levels)]]
        candidates = _smallest(nodes, pairs)
        nodes, ids = _append(nodes, candidates[~np.isin(candidates["table"], known)])
        levels.append(ids)
        larger.append((CLOSED, len(levels), ids))
    operands = nodes[["gate", "left", "right"]].tolist()
    return tuple(
        Smallest(
            arity=arity,
            literals=literals,
            operators=literals - 1 + nodes["cost"][ids].astype(np.int64) // _NOT,
            tables=_tables(nodes["table"][ids], arity),
            numbers=nodes["table"][ids],
            nodes=operands,
            ids=ids,
        )
        for arity, literals, ids in (*read_once, *larger)
        if len(ids)
    )


def _inputs() -> np.ndarray:
    """Return the nodes of each input and its negation."""
    nodes = np.zeros(2 * SLOTS, _NODE)
    states = np.arange(2**SLOTS)
    for slot in range(SLOTS):
        ones = (states >> (SLOTS - 1 - slot)) & 1
        table = int((ones << states).sum())
        nodes[2 * slot] = (table, 0, _INPUT, slot, 0)
        nodes[2 * slot + 1] = (table ^ _ONES, _NOT + _ON_INPUT, _NEGATED_INPUT, slot, 0)
    return nodes


def _splits(chosen: tuple[int, ...], found: dict[tuple[int, ...], Ids]) -> Iterable[tuple[Ids, Ids]]:
    """Yield the functions of both parts, for each way to split the slots in two."""
    first, *others = chosen
    for count in range(len(others)):
        for some in combinations(others, count):
            rest = tuple(slot for slot in others if slot not in some)
            yield found[first, *some], found[rest]


def _smallest(nodes: np.ndarray, pairs: Iterable[tuple[Ids, Ids]]) -> np.ndarray:
    """Return every function that a gate makes from the functions of a pair, once, at its lowest cost."""
    blocks = []
    for left, right in pairs:
        block = np.empty((len(_GATES), len(left), len(right)), _NODE)
        one, other = nodes[left][:, None], nodes[right]
        for number, gate in enumerate(NEGATED):
            block["table"][number] = OPERATORS[gate](one["table"], other["table"])
        block["table"][len(NEGATED) :] = block["table"][: len(NEGATED)] ^ np.uint32(_ONES)
        block["gate"] = np.arange(len(_GATES))[:, None, None]
        block["cost"] = one["cost"] + other["cost"] + _NOT * (block["gate"] >= len(NEGATED))
        block["left"], block["right"] = left[:, None], right
        blocks.append(block.reshape(-1))
    every = np.concatenate(blocks)
    every = every[np.lexsort((every["cost"], every["table"]))]
    return every[np.append(True, np.diff(every["table"]) != 0)]


def _append(nodes: np.ndarray, more: np.ndarray) -> tuple[np.ndarray, Ids]:
    return np.concatenate([nodes, more]), np.arange(len(nodes), len(nodes) + len(more))


def _tables(numbers: np.ndarray, arity: int) -> Bool[np.ndarray, "function state"]:
    """Return the values of functions that depend on the first slots only."""
    states = np.arange(2**arity, dtype=np.uint32) << np.uint32(SLOTS - arity)
    return (numbers[:, None] >> states & 1).astype(bool)


def _expression(nodes: Sequence[tuple[int, int, int]], node: int, names: Sequence[str]) -> Expression:
    gate, left, right = nodes[node]
    if gate >= 0:
        return Gate(_GATES[gate], _expression(nodes, left, names), _expression(nodes, right, names))
    return Variable(names[left]) if gate == _INPUT else Not(Variable(names[left]))
