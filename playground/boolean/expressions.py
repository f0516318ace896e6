"""Boolean expressions: the right-hand side of a rule.

Values are 0 and 1, as Python integers or as integer arrays of one shape. The operators are bitwise, so the
same code evaluates a single state or a whole truth table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeVar, cast

import numpy as np

Bit = TypeVar("Bit", int, np.ndarray)

OPERATORS: Mapping[str, Callable] = {
    "AND": lambda left, right: left & right,
    "NAND": lambda left, right: 1 - (left & right),
    "XOR": lambda left, right: left ^ right,
    "XNOR": lambda left, right: 1 - (left ^ right),
    "OR": lambda left, right: left | right,
    "NOR": lambda left, right: 1 - (left | right),
    "IMPLIES": lambda left, right: (1 - left) | right,
}


@dataclass(frozen=True)
class Constant:
    """0 or 1."""

    value: int

    def __str__(self) -> str:
        return str(self.value)


@dataclass(frozen=True)
class Variable:
    """The value of an input, or of an output that is defined above."""

    name: str

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Not:
    """1 where the operand is 0."""

    operand: Expression

    def __str__(self) -> str:
        return f"NOT {self.operand}"


@dataclass(frozen=True)
class Gate:
    """A binary operator, one of `OPERATORS`."""

    operator: str
    left: Expression
    right: Expression

    def __str__(self) -> str:
        return f"({self.left} {self.operator} {self.right})"


Expression = Constant | Variable | Not | Gate


def evaluate(expression: Expression, values: Mapping[str, Bit]) -> Bit:
    """Return the value of `expression`.

    Args:
        expression: what to evaluate.
        values: name -> value for every name in it; integers 0 and 1, or integer arrays of one shape.

    Returns:
        An integer, or an array of that shape. (A constant is an integer in either case.)
    """
    match expression:
        case Constant(value):
            return cast("Bit", value)
        case Variable(name):
            return values[name]
        case Not(operand):
            return 1 - evaluate(operand, values)
        case Gate(operator, left, right):
            return OPERATORS[operator](evaluate(left, values), evaluate(right, values))


def parts_of(expression: Expression) -> Iterator[Expression]:
    """Yield `expression` and all its parts, from left to right, each operator before its operands."""
    rest = [expression]
    while rest:
        part = rest.pop()
        yield part
        match part:
            case Not(operand):
                rest.append(operand)
            case Gate(_, left, right):
                rest += [right, left]


def names_in(expression: Expression) -> Iterator[str]:
    """Yield every name in `expression`, from left to right, including repetitions."""
    return (part.name for part in parts_of(expression) if isinstance(part, Variable))


def substitute(
    expression: Expression,
    instead: Mapping[str, Expression],
    negate: Callable[[Expression], Expression] = Not,
) -> Expression:
    """Return an expression with some names replaced by expressions.

    Args:
        expression: the expression to rewrite.
        instead: name -> its replacement.
        negate: returns the negation of an operand of NOT.
    """
    match expression:
        case Variable(name):
            return instead.get(name, expression)
        case Not(operand):
            return negate(substitute(operand, instead, negate))
        case Gate(operator, left, right):
            return Gate(operator, substitute(left, instead, negate), substitute(right, instead, negate))
        case Constant():
            return expression
