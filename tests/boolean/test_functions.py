"""Boolean functions and their smallest formulas, against brute force, sympy and published numbers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations, product

import numpy as np
import pytest
from sympy import Symbol, preorder_traversal, symbols
from sympy.logic import POSform, SOPform

from playground.boolean.functions import (
    MOST_CANDIDATES,
    Formula,
    candidate_families,
    count_candidates,
    exact_formula,
    walsh_matrix,
)
from playground.worlds import parse_world

NAMES = ("A", "B", "Cc", "D1", "E", "F", "G", "H", "I", "J")
READ_ONCE = {1: 2, 2: 10, 3: 114, 4: 2154, 5: 56946}
"""Butler 1975, "On the number of functions realized by cascades and disjunctive networks"; OEIS A005616."""


def table_of(text: str, names: tuple[str, ...]) -> tuple[bool, ...]:
    """Return what a formula says in every state: by the rules' own parser, or by counting."""
    for sign, holds in ((" >= ", int.__ge__), (" < ", int.__lt__), (" != ", int.__ne__), (" = ", int.__eq__)):
        if sign in text:
            terms, bound = text.split(sign)
            counted = [names.index(name) for name in terms.split("+")]
            states = product((0, 1), repeat=len(names))
            return tuple(holds(sum(state[each] for each in counted), int(bound)) for state in states)
    world = parse_world(f"inputs: {', '.join(names)}\nout = {text}\nrest = {' OR '.join(names)}\n")
    return tuple(bool(value) for value in world.truth_table[:, 0])


def literals_in(text: str) -> int:
    words = text.replace("(", " ").replace(")", " ").replace("+", " ").split()
    return sum(word in NAMES for word in words)


def operators_in(text: str) -> int:
    words = text.replace("(", " ").replace(")", " ").replace("+", " + ").split()
    cost = {"NAND": 2, "NOR": 2, "XNOR": 2} | dict.fromkeys(
        ("AND", "OR", "XOR", "NOT", "+", ">=", "<", "=", "!="), 1
    )
    return sum(cost.get(word, 0) for word in words)


def smallest_sizes(inputs: int, most: int) -> dict[int, tuple[int, int]]:
    """Return literals and operators of smallest expressions, going through all of up to so many literals."""
    full = 2 ** (2**inputs) - 1
    sizes: dict[int, tuple[int, int]] = {}
    for each in range(inputs):
        table = sum(1 << s for s in range(2**inputs) if s >> (inputs - 1 - each) & 1)
        sizes |= {table: (1, 0), table ^ full: (1, 1)}
    for literals in range(2, most + 1):
        found: dict[int, tuple[int, int]] = {}
        for (one, (first, some)), (other, (second, more)) in product(sizes.items(), repeat=2):
            if first + second == literals:
                for table in (one & other, one | other, one ^ other):
                    for made, extra in ((table, 1), (table ^ full, 2)):
                        size = (literals, some + more + extra)
                        if 0 < made < full and made not in sizes:
                            found[made] = min(size, found.get(made, size))
        sizes |= found
    return sizes


@pytest.mark.parametrize(("inputs", "literals", "functions"), [(2, 2, 14), (3, 5, 254), (4, 4, None)])
def test_no_expression_is_smaller(inputs, literals, functions):
    names, counts = NAMES[:inputs], 0
    sizes = smallest_sizes(inputs, literals)
    assert functions in (None, len(sizes))
    for number, size in sizes.items():
        table = np.array([bool(number >> state & 1) for state in range(2**inputs)])
        formula = exact_formula(table, names)
        assert formula is not None
        if "+" in formula.text:
            counts += 1
            assert formula.literals == formula.operators == literals_in(formula.text)
            assert (formula.literals, formula.operators) <= size
        else:
            assert (formula.literals, formula.operators) == size, formula.text
        if number % (3 if inputs < 4 else 199) == 0:
            assert table_of(formula.text, names) == tuple(table)
    # Of three: majority, exactly one, exactly two, and what they are not.
    assert inputs == 4 or counts == {2: 0, 3: 6}[inputs]


def test_known_formulas():
    states = np.array(list(product((0, 1), repeat=4)), dtype=bool)
    a, b, c, d = states.T
    expected = {
        "A": a,
        "NOT D1": ~d,
        "A XOR Cc": a ^ c,
        "A XNOR B": ~(a ^ b),
        "A AND B AND NOT Cc": a & b & ~c,
        "A OR (B XOR D1)": a | (b ^ d),
        "A+B+Cc >= 2": (a & b) | (c & (a ^ b)),
        "A+B+Cc+D1 < 3": states.sum(1) < 3,
        "A+B+D1 != 1": (a * 1 + b + d) != 1,
        "A XOR B XOR Cc XOR D1": a ^ b ^ c ^ d,
        "A NAND D1": ~(a & d),
        "0": a & ~a,
        "1": a | ~a,
    }
    found = {exact_formula(table, NAMES[:4]) for table in expected.values()}
    assert {each.text for each in found if each} == set(expected)
    assert exact_formula(a ^ c, NAMES[:4]) == Formula("A XOR Cc", 2, 1)
    assert exact_formula(states.sum(1) < 3, NAMES[:4]) == Formula("A+B+Cc+D1 < 3", 4, 4)


@pytest.mark.parametrize("inputs", [4, 5])
def test_any_function_has_an_exact_formula_no_longer_than_a_sum_or_product(inputs):
    draw = np.random.default_rng(inputs)
    names = NAMES[:inputs]
    variables = symbols(" ".join(names))
    for share in (0.2, 0.5, 0.8) * 3:
        table = draw.random(2**inputs) < share
        formula = exact_formula(table, names)
        assert formula is not None
        assert table_of(formula.text, names) == tuple(table)
        assert (formula.literals, formula.operators) == (
            literals_in(formula.text),
            operators_in(formula.text),
        )
        ones = np.flatnonzero(table).tolist()
        lengths = [
            sum(isinstance(each, Symbol) for each in preorder_traversal(form(variables, ones)))
            for form in (SOPform, POSform)
        ]
        assert formula.literals <= min(lengths), formula.text


def test_of_many_inputs_only_what_has_a_form_is_exact():
    states = np.array(list(product((0, 1), repeat=7)))
    names = NAMES[:7]
    assert exact_formula(np.random.default_rng(0).random(128) < 0.5, names) is None
    assert exact_formula(states.sum(1) >= 4, names) == Formula("A+B+Cc+D1+E+F+G >= 4", 7, 7)
    parity = exact_formula(states.sum(1) % 2 == 0, names)
    assert parity is not None
    assert (parity.literals, parity.operators) == (7, 7)
    assert table_of(parity.text, names) == tuple(states.sum(1) % 2 == 0)
    few = exact_formula((states[:, 1] & states[:, 6]).astype(bool), names)
    assert few == Formula("B AND G", 2, 1)


def tables_of_all(inputs: int) -> Iterator[tuple[int, bytes, Formula]]:
    """Yield the literals, the table and the formula of every candidate and of its negation, on all states."""
    states = np.array(list(product((0, 1), repeat=inputs)))
    for family in candidate_families(inputs):
        for chosen in combinations(range(inputs), family.arity):
            local = states[:, chosen] @ (1 << np.arange(family.arity)[::-1])
            names = tuple(NAMES[each] for each in chosen)
            for number, table in enumerate(family.tables):
                yield family.literals, table[local].tobytes(), family.write(number, names)


@pytest.mark.parametrize("inputs", [2, 3, 4])
def test_candidates_are_all_different_and_what_their_formulas_say(inputs):
    names, seen = NAMES[:inputs], set()
    for index, (literals, table, formula) in enumerate(tables_of_all(inputs)):
        assert table not in seen
        seen.add(table)
        if index % {2: 1, 3: 3, 4: 41}[inputs] == 0:
            assert np.array(table_of(formula.text, names)).tobytes() == table, formula.text
            assert literals == formula.literals == literals_in(formula.text)
            assert formula.operators == operators_in(formula.text)
    assert len(seen) == 2 * count_candidates(candidate_families(inputs), inputs)
    if inputs < 4:
        assert len(seen) == 2 ** (2**inputs) - 2
    # Of four: all that do not need more than three, all read-once ones, and counts that are not.
    if inputs == 4:
        of_three = 4 * 218 + 6 * 10 + 4 * 2
        assert len(seen) == of_three + READ_ONCE[4] + 2 * 5


def test_read_once_functions_are_as_many_as_published():
    families = candidate_families(5)
    for arity in (4, 5):
        counts, read_once = sorted(
            (each for each in families if each.arity == arity), key=lambda each: len(each.tables)
        )
        assert "+" in counts.write(0, NAMES).text
        # Conjunction, disjunction, parity and their negations stand with the counts.
        assert len(read_once.tables) + 6 == READ_ONCE[arity]
        assert read_once.literals == arity
        cubes = read_once.tables.reshape(-1, *(2,) * arity)
        assert all(
            (cubes.take(0, axis) != cubes.take(1, axis)).reshape(len(cubes), -1).any(1).all()
            for axis in range(1, arity + 1)
        )
    for family in families:
        assert (family.tables == ~family.tables[::-1]).all()


@pytest.mark.parametrize("inputs", range(2, 11))
def test_parities_and_counts_are_always_among_them_and_all_stays_bounded(inputs):
    families = candidate_families(inputs)
    assert count_candidates(families, inputs) <= MOST_CANDIDATES
    assert [each.literals for each in families] == sorted(each.literals for each in families)
    for arity in range(2, inputs + 1):
        tables = {table.tobytes() for each in families if each.arity == arity for table in each.tables}
        ones = np.array([sum(state) for state in product((0, 1), repeat=arity)])
        assert (ones % 2 == 1).tobytes() in tables
        assert all((ones >= number).tobytes() in tables for number in range(1, arity + 1))
        assert all((ones == number).tobytes() in tables for number in range(arity + 1))
    few = candidate_families(5, most=2_000)
    assert count_candidates(few, 5) <= 2_000 < count_candidates(candidate_families(5), 5)


@pytest.mark.parametrize("inputs", [1, 3])
def test_walsh_functions_are_products_of_inputs(inputs):
    states = list(product((0, 1), repeat=inputs))
    matrix = walsh_matrix(inputs)
    for row, state in enumerate(states):
        for column, subset in enumerate(states):
            value = 1
            for bit, member in zip(state, subset, strict=True):
                value *= (-1) ** bit if member else 1
            assert matrix[row, column] == value
