"""Expressions of functions that are not enumerated, composed from expressions of smaller functions."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from jaxtyping import Bool

from playground.boolean.enumeration import NEGATED, enumerate_smallest
from playground.boolean.expressions import Constant, Expression, Gate, Not, Variable

MOST_COMPOSED = 5
"""The most inputs of a composed function; each additional input takes ten times as long."""


@lru_cache(maxsize=10_000)
def compose(table: bytes, names: tuple[str, ...]) -> Expression:
    """Return an expression of a function, composed from expressions of its cofactors.

    Let f0 and f1 be the cofactors for an input x (x set to 0 and to 1), and d = f0 XOR f1. Then the function equals
    (x AND f1) OR (NOT x AND f0), f0 XOR (x AND d), and f1 XOR (NOT x AND d) (Boole's and Davio's expansions). It
    also equals f0 OR (x AND f1) if f0 implies f1, and f1 OR (NOT x AND f0) if f1 implies f0. The smallest of these,
    over all inputs x, is returned.
    """
    values, names = essential(np.frombuffer(table, dtype=bool), names)
    if not names:
        return Constant(int(values[0]))
    for each in enumerate_smallest():
        if (number := each.find(values)) is not None:
            return each.expression(number, names)
    cube, found = values.reshape((2,) * len(names)), []
    for axis, name in enumerate(names):
        x, others = Variable(name), (*names[:axis], *names[axis + 1 :])
        zero, one = cube.take(0, axis), cube.take(1, axis)
        f0, f1, d = (compose(part.tobytes(), others) for part in (zero, one, zero ^ one))
        found += [
            joined("OR", joined("AND", x, f1), joined("AND", Not(x), f0)),
            joined("XOR", f0, joined("AND", x, d)),
            joined("XOR", f1, joined("AND", Not(x), d)),
        ]
        if (zero <= one).all():
            found.append(joined("OR", f0, joined("AND", x, f1)))
        if (one <= zero).all():
            found.append(joined("OR", f1, joined("AND", Not(x), f0)))
    return min(found, key=size_of)


def size_of(expression: Expression) -> tuple[int, int]:
    """Return the number of literals and the number of operators."""
    match expression:
        case Gate(gate, left, right):
            (literals, operators), (more, others) = size_of(left), size_of(right)
            return literals + more, operators + others + (1 if gate in NEGATED else 2)
        case Not(operand):
            literals, operators = size_of(operand)
            return literals, operators + 1
        case Variable():
            return 1, 0
        case Constant():
            return 0, 0


def essential(
    table: Bool[np.ndarray, " state"], names: tuple[str, ...]
) -> tuple[Bool[np.ndarray, " fewer"], tuple[str, ...]]:
    """Return a function reduced to its essential inputs, those that can change its value."""
    cube = table.reshape((2,) * len(names))
    for axis in reversed(range(len(names))):
        zero, one = cube.take(0, axis), cube.take(1, axis)
        if (zero == one).all():
            cube, names = zero, (*names[:axis], *names[axis + 1 :])
    return cube.reshape(-1), names


def joined(gate: str, left: Expression, right: Expression) -> Expression:
    """Return a plain gate of two expressions, simplified if either is constant."""
    for value, other in ((left, right), (right, left)):
        match gate, value:
            case ("AND", Constant(1)) | ("OR" | "XOR", Constant(0)):
                return other
            case ("AND", Constant(0)) | ("OR", Constant(1)):
                return value
            case "XOR", Constant(1):
                return negated(other)
    return Gate(gate, left, right)


def negated(expression: Expression) -> Expression:
    """Return the negation of a non-constant expression; a gate becomes its negated gate."""
    match expression:
        case Not(operand):
            return operand
        case Gate(gate, left, right):
            opposite = NEGATED | {negated: plain for plain, negated in NEGATED.items()}
            return Gate(opposite[gate], left, right)
        case _:
            return Not(expression)
