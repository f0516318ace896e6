"""Boolean functions of a world's inputs, each with the smallest known formula.

The candidates for explaining a part are the functions with the smallest expressions (`enumeration.py`), and
parities and counts of any number of inputs: `A+B+C >= 2`, `A+B+C = 1`. A count has one literal per name,
and one operator per `+` and for the comparison. A table lists a function's values in counting order, the
last input changing fastest, as a world lists its states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from math import comb

import numpy as np
from jaxtyping import Bool, Float

from playground.boolean.composition import MOST_COMPOSED, compose, essential, size_of
from playground.boolean.enumeration import CLOSED, NEGATED, SLOTS, Smallest, enumerate_smallest
from playground.boolean.expressions import OPERATORS, Expression, Gate, Variable

MOST_CANDIDATES = 50_000
"""Read-once functions of four inputs, then of five, are added as long as there are at most this many candidates."""


@dataclass(frozen=True)
class Formula:
    """A formula as text: in the rules language, or a count compared with a number.

    Args:
        text: the formula.
        literals: the number of names in it, counting repetitions.
        operators: the number of operators: AND, OR, XOR, NOT, `+` and comparisons count one; NAND, NOR and XNOR two.
    """

    text: str
    literals: int
    operators: int


@dataclass(frozen=True)
class Family:
    """Functions with the same number of inputs, all essential, and the same number of literals.

    The negation of the first function is the last, that of the second the last but one, and so on.

    Args:
        arity: number of inputs.
        literals: number of literals of each formula.
        tables: the values of each.
        write: takes the number of a function and names for its inputs, and returns its formula.
    """

    arity: int
    literals: int
    tables: Bool[np.ndarray, "function state"]
    write: Callable[[int, Sequence[str]], Formula]


def candidate_families(inputs: int, most: int = MOST_CANDIDATES) -> tuple[Family, ...]:
    """Return the candidate functions, the smallest first.

    All functions of up to three inputs, parities and counts are always included. Read-once functions of
    four inputs, then of five, are added as long as the total does not exceed `most`.

    Args:
        inputs: the number of inputs. A family covers every choice of as many inputs as its arity.
        most: the most candidates, counting a function and its negation as one.
    """
    found = [family for arity in range(1, min(inputs, CLOSED) + 1) for family in _enumerated(arity)]
    found += [family for arity in range(CLOSED, inputs + 1) for family in _symmetric(arity)]
    for arity in range(CLOSED + 1, min(inputs, SLOTS) + 1):
        larger = [*found, *_enumerated(arity)]
        if count_candidates(larger, inputs) > most:
            break
        found = larger
    return tuple(sorted(found, key=lambda family: (family.literals, family.arity)))


def count_candidates(families: Iterable[Family], inputs: int) -> int:
    """Return how many functions the families cover, counting a function and its negation as one."""
    return sum(comb(inputs, family.arity) * len(family.tables) // 2 for family in families)


def walsh_matrix(inputs: int) -> Float[np.ndarray, "state subset"]:
    """Return, for each state and subset of the inputs, the product of these inputs, with 0 mapped to 1 and 1 to -1.

    These are the parity functions of O'Donnell, *Analysis of Boolean Functions* (2014), section 1.2. Subsets are in
    the order of the states: a subset has the inputs that are 1 in the state.
    """
    return reduce(np.kron, [np.array([[1.0, 1.0], [1.0, -1.0]])] * inputs, np.ones((1, 1)))


def exact_formula(table: Bool[np.ndarray, " state"], inputs: Sequence[str]) -> Formula | None:
    """Return the smallest known formula of a function.

    It is the smallest for functions of up to three essential inputs, read-once functions, parities and
    counts. For other functions it is composed from the cofactors' expressions, and need not be the smallest.

    Args:
        table: the function's value in every state.
        inputs: the names of its inputs.

    Returns:
        The formula; None for any other function of more than `MOST_COMPOSED` essential inputs.
    """
    table, names = essential(table, tuple(inputs))
    for family in _symmetric(len(names)):
        if len(same := np.flatnonzero((family.tables == table).all(axis=1))):
            return family.write(int(same[0]), names)
    if len(names) > MOST_COMPOSED:
        return None
    return _formula(compose(table.tobytes(), names))


def write_expression(expression: Expression, around: str = "") -> str:
    """Return an expression in the rules language, without parentheses within a chain of the same gate.

    Args:
        expression: the expression to write.
        around: the enclosing gate, if any.
    """
    if not isinstance(expression, Gate):
        return str(expression)
    gate = expression.operator
    text = f"{write_expression(expression.left, gate)} {gate} {write_expression(expression.right, gate)}"
    return text if not around or gate == around in NEGATED else f"({text})"


def _formula(expression: Expression) -> Formula:
    return Formula(write_expression(expression), *size_of(expression))


@cache
def _enumerated(arity: int) -> tuple[Family, ...]:
    """Return the enumerated functions, except the symmetric ones, which `_symmetric` writes in its own way."""
    symmetric = {table.tobytes() for family in _symmetric(arity) for table in family.tables}

    def family(each: Smallest) -> Family:
        kept = [number for number, table in enumerate(each.tables) if table.tobytes() not in symmetric]
        operators = each.operators.tolist()

        def write(number: int, names: Sequence[str]) -> Formula:
            text = write_expression(each.expression(kept[number], names))
            return Formula(text, each.literals, operators[kept[number]])

        return Family(arity=arity, literals=each.literals, tables=each.tables[kept], write=write)

    return tuple(family(each) for each in enumerate_smallest() if each.arity == arity)


@cache
def _symmetric(arity: int) -> tuple[Family, ...]:
    """Return counts; for more inputs than `CLOSED` also conjunction, disjunction and parity."""
    if arity < CLOSED:
        return ()
    ones = np.array([state.bit_count() for state in range(2**arity)])
    numbers = range(1, arity)
    pairs = [(f">= {number}", f"< {number}", ones >= number) for number in numbers[1:]]
    pairs += [(f"= {number}", f"!= {number}", ones == number) for number in numbers]
    if arity > CLOSED:
        pairs += [("AND", "NAND", ones == arity), ("OR", "NOR", ones > 0), ("XOR", "XNOR", ones % 2 == 1)]
    signs = [sign for sign, _, _ in pairs] + [negated for _, negated, _ in reversed(pairs)]
    tables = [table for _, _, table in pairs]

    def write(number: int, names: Sequence[str]) -> Formula:
        sign = signs[number]
        if sign not in OPERATORS:
            return Formula(f"{'+'.join(names)} {sign}", arity, arity)
        plain = next((each for each, negated in NEGATED.items() if negated == sign), sign)
        *others, last = (Variable(name) for name in names)
        return _formula(Gate(sign, reduce(lambda left, right: Gate(plain, left, right), others), last))

    return (Family(arity, arity, np.array(tables + [~table for table in reversed(tables)]), write),)
