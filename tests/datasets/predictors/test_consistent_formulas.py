"""Formulas that fit, against all formulas of a few names written out one by one and evaluated state by state."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from playground.boolean.expressions import names_in
from playground.datasets import DatasetSpec, find_consistent_formulas, random_hold_out
from playground.datasets.predictors import consistent_formulas
from playground.errors import RequestError
from playground.worlds import World, parse_world

OPERATORS = ("AND", "OR", "XOR", "IMPLIES")
WORLDS = [
    "inputs: X, Y, Z\nfirst = X NAND Y\nsecond = first XOR Z\n",
    "inputs: A, B\none = 1\nx = one AND NOT A\ny = x OR B\nsum(A+B+x)\n",
    "inputs: P, Q, R\nx = P IMPLIES (Q AND R)\nsame = P XNOR Q\nagain = P XOR Q\n",
]


@cache
def texts(names: tuple[str, ...], size: int) -> tuple[str, ...]:
    """Return formulas of exactly that size that have all functions, with NOT before any name."""
    if size == 0:
        return ("0", "1")
    if size == 1:
        return tuple(form for name in names for form in (name, f"NOT {name}"))
    return tuple(
        f"({left}) {operator} ({right})"
        for first in range(1, size)
        for left in texts(names, first)
        for right in texts(names, size - first)
        for operator in OPERATORS
    )


def values(world: World, output: int, text: str) -> tuple[int, ...]:
    """Return what a formula says in every state, its names having their true values."""
    return _values(world.text, output, text)


@cache
def _values(rules: str, output: int, text: str) -> tuple[int, ...]:
    world = parse_world(rules)
    formula = parse_world(f"inputs: {','.join([*world.inputs, *world.outputs[:output]])}\nf_f = {text}")
    return tuple(
        formula.evaluate((*state, *list(world.evaluate(state).values())[:output]))["f_f"]
        for state in world.states
    )


@cache
def functions(world: World, output: int, size: int) -> dict[tuple[int, ...], int]:
    """Return every function that has a formula of up to that size, with the smallest size.

    A formula of a name in a larger one says what the name's table says, so that tables can stand for formulas.
    """
    names = (*world.inputs, *world.outputs[:output])
    levels = [{values(world, output, text) for text in texts(names, level)} for level in (0, 1)]
    evaluate = {
        "AND": min,
        "OR": max,
        "XOR": lambda bits: bits[0] ^ bits[1],
        "IMPLIES": lambda bits: max(1 - bits[0], bits[1]),
    }
    for level in range(2, size + 1):
        made = {
            tuple(operator(bits) for bits in zip(left, right, strict=True))
            for first in range(1, level)
            for left in levels[first]
            for right in levels[level - first]
            for operator in evaluate.values()
        }
        levels.append(made | {tuple(1 - bit for bit in table) for table in made})
    smallest: dict[tuple[int, ...], int] = {}
    for level, tables in enumerate(levels):
        for table in tables:
            smallest.setdefault(table, level)
    return smallest


def test_tables_stand_for_all_formulas_written_out():
    """What the next test compares with, against formulas as text, parsed and evaluated by the rules language itself."""
    world = parse_world(WORLDS[1])
    names = (*world.inputs, *world.outputs[:1])
    written = {values(world, 1, text) for level in range(3) for text in texts(names, level)}
    assert written == set(functions(world, 1, 2))


@pytest.mark.parametrize("rules", WORLDS)
@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_functions_that_fit_are_those_of_all_formulas(rules, size):
    world = parse_world(rules)
    for count in (0, 1, 2, len(world.states) - 1):
        for seed in range(3):
            spec = DatasetSpec(world=world, held_out=random_hold_out(world, count, seed))
            rows = [world.states.index(state) for state in spec.held_out]
            seen = [row for row in range(len(world.states)) if row not in rows]
            for output, found in enumerate(find_consistent_formulas(spec, size).outputs):
                truth = world.truth_table[:, output]
                sizes = functions(world, output, size)
                fitting = [table for table in sizes if all(table[row] == truth[row] for row in seen)]
                assert found.count == len(fitting)
                if not fitting:
                    assert (found.right, found.mean, found.smallest, found.smallest_size) == (None,) * 4
                    continue
                assert found.right is not None
                expected = [np.mean([table[row] == truth[row] for table in fitting]) for row in rows]
                np.testing.assert_allclose(found.right, expected)
                assert found.smallest_size == min(sizes[table] for table in fitting)
                assert found.smallest is not None
                assert values(world, output, found.smallest) in fitting


def test_a_formula_is_as_long_as_is_said(default_world):
    spec = DatasetSpec(world=default_world, held_out=random_hold_out(default_world, 6, 0))
    found = find_consistent_formulas(spec)
    assert [each.smallest for each in found.outputs] == ["A XOR C", "NOT D", "B AND E", "A OR NOT D"]
    assert [each.smallest_size for each in found.outputs] == [2, 1, 2, 2]
    for each in found.outputs:
        assert 1 <= each.count <= 2**6
    [rule] = parse_world(f"x = {find_consistent_formulas(spec, 4).outputs[0].smallest}").rules
    assert len(list(names_in(rule.expression))) == 2


def test_a_whole_answer_is_one_function_drawn_for_each_output(spec):
    found = find_consistent_formulas(spec, 3)
    shares = np.array([each.right for each in found.outputs])
    np.testing.assert_allclose(found.whole, [np.prod(column) for column in shares.T])
    assert found.whole_mean == pytest.approx(np.mean(found.whole))
    document = found.to_json()
    assert list(document["outputs"]) == list(spec.world.outputs)
    assert list(document["right"].values()) == pytest.approx(list(found.whole))


def test_where_nearly_nothing_is_seen_smaller_formulas_are_looked_at(second_world, monkeypatch):
    spec = DatasetSpec(world=second_world, held_out=second_world.states[1:])
    usual = find_consistent_formulas.__wrapped__(spec).size
    monkeypatch.setattr(consistent_formulas, "MOST_FITTING", 20)
    found = find_consistent_formulas.__wrapped__(spec)
    assert found.size < usual
    assert max(each.count for each in found.outputs) <= 20
    with pytest.raises(RequestError, match=f"expected 1 to {usual - 1}"):
        find_consistent_formulas.__wrapped__(spec, usual)


@pytest.mark.parametrize(
    ("size", "said"), [(0, "1 or more"), (-1, "1 or more"), (99, "1 to 6 in this world")]
)
def test_sizes_that_are_refused(default_world, size, said, monkeypatch):
    monkeypatch.setattr(consistent_formulas, "PATIENCE", 1)
    with pytest.raises(RequestError, match=said):
        find_consistent_formulas(DatasetSpec(world=default_world), size)
