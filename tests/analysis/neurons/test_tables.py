"""Formulas of planted tables are found; shares and spectra are what numpy and the definition give."""

from __future__ import annotations

from itertools import combinations, product

import numpy as np
import pytest

from playground.analysis.neurons.tables import PRICE, TWO_VALUED, explain_tables
from playground.worlds import World, parse_world


def inputs_of(world: World) -> np.ndarray:
    return np.array(world.states).T


def says(text: str, world: World) -> np.ndarray:
    """Return a formula's values: counted, or as a rule of a world with the same inputs."""
    if "+" in text:
        terms, sign, bound = text.split(" ")
        ones = sum(inputs_of(world)[world.inputs.index(name)] for name in terms.split("+"))
        compared = {">=": np.greater_equal, "<": np.less, "=": np.equal, "!=": np.not_equal}
        return compared[sign](ones, int(bound)).astype(int)
    rules = f"inputs: {', '.join(world.inputs)}\nout = {text}\nrest = {' OR '.join(world.inputs)}\n"
    return parse_world(rules).truth_table[:, 0]


def share(values: np.ndarray, formula: np.ndarray) -> float:
    """Return what the best affine fit explains, by least squares."""
    design = np.stack([formula, np.ones(len(formula))], axis=1).astype(float)
    fitted = design @ np.linalg.lstsq(design, values, rcond=None)[0]
    return float(1 - ((values - fitted) ** 2).sum() / ((values - values.mean()) ** 2).sum())


def test_what_is_planted_is_found(default_world):
    a, b, c, d, e = inputs_of(default_world)
    draw = np.random.default_rng(0)
    odd = draw.random(32) < 0.5
    ones = a + b + c + d + e
    tables = {
        "A XOR C": 3.0 * (a ^ c) - 1,
        "NOT D": 5 - 2.0 * d + 0.1 * draw.random(32),
        "B AND E": (b & e) + 0.2 * draw.standard_normal(32),
        "A+B+C+D+E >= 3": (ones >= 3) + 0.3 * draw.standard_normal(32),
        "B+C+D != 2": -1.0 * (b + c + d == 2),
        "constant": 0.3 + 1e-8 * draw.standard_normal(32),
        "no small one": 0.7 * odd,
        "A OR (C AND NOT D)": 4.0 * (a | (c & (1 - d))),
    }
    found = explain_tables(np.array(list(tables.values())), default_world)
    for index, name in enumerate(tables):
        if name != "no small one":
            assert found.formulas[index] == name
    small = list(tables).index("no small one")
    assert found.literals[small] > 5
    assert (says(found.formulas[small], default_world) == odd).all()
    assert found.exact.tolist() == [True, True, False, False, True, False, True, True]
    assert found.literals[[0, 1, 2, 3, 4, 5, 7]].tolist() == [2, 1, 2, 5, 3, 0, 3]
    assert found.operators[[0, 1, 2, 3, 4, 5, 7]].tolist() == [1, 1, 1, 5, 3, 0, 3]
    for index, (name, values) in enumerate(tables.items()):
        if name == "constant":
            assert found.explained[index] == 0
            assert not found.spectrum[index].any()
            continue
        formula = says(found.formulas[index], default_world)
        assert found.explained[index] == pytest.approx(share(values, formula), abs=1e-5)
        assert values[formula == 1].mean() > values[formula == 0].mean()


def all_expressions(world: World, most: int) -> dict[bytes, int]:
    """Return the literals of every function with at most so many: those of all expressions, and counts."""
    columns = inputs_of(world).astype(bool)
    found = {table.tobytes(): 1 for column in columns for table in (column, ~column)}
    for literals in range(2, most + 1):
        for (one, first), (other, second) in product(list(found.items()), repeat=2):
            if first + second == literals:
                left, right = (np.frombuffer(each, dtype=bool) for each in (one, other))
                for table in (left & right, left | right, left ^ right):
                    found.setdefault(table.tobytes(), literals)
                    found.setdefault((~table).tobytes(), literals)
    for size in range(3, len(columns) + 1):
        for chosen in combinations(columns, size):
            ones = np.sum(chosen, axis=0)
            for number in range(1, size):
                for table in (ones >= number, ones == number):
                    found[table.tobytes()] = min(size, found.get(table.tobytes(), size))
    return {table: literals for table, literals in found.items() if 0 < sum(table) < len(table)}


@pytest.mark.parametrize(("of_four", "literals"), [(False, 5), (True, 4)])
def test_no_formula_is_better_by_the_rule(second_world, of_four, literals):
    rules = "inputs: P, Q, R, S\nout = P AND Q\nrest = R OR S\n"
    world = parse_world(rules) if of_four else second_world
    states, draw = len(world.states), np.random.default_rng(1)
    planted = draw.integers(0, 2, (12, states)) + 0.4 * draw.standard_normal((12, states))
    tables = np.concatenate([planted, draw.standard_normal((12, states))])
    found = explain_tables(tables, world)
    known = all_expressions(world, literals)
    functions = np.array([np.frombuffer(table, dtype=bool) for table in known], dtype=float)
    shares = np.corrcoef(tables, functions)[: len(tables), len(tables) :] ** 2
    best = (shares - PRICE * np.array(list(known.values()))).max(axis=1)
    scores = found.explained - PRICE * found.literals
    assert not found.exact.any()
    # Of three inputs these are all functions; of four, some with five literals are tried as well.
    assert of_four or len(known) == 254 == 2 * found.candidates
    assert (scores >= best - 1e-5).all()
    assert of_four or scores == pytest.approx(best, abs=1e-5)
    assert scores[found.literals <= literals] == pytest.approx(best[found.literals <= literals], abs=1e-5)
    for values, text, explained in zip(tables, found.formulas, found.explained, strict=True):
        assert explained == pytest.approx(share(values, says(text, world)), abs=1e-5)


def test_the_spectrum_is_that_of_the_definition(default_world, second_world):
    for world in (default_world, second_world):
        states = len(world.states)
        tables = np.random.default_rng(2).standard_normal((5, states)) * 7 + 100
        spectrum = explain_tables(tables, world).spectrum
        for table, shares in zip(tables, spectrum, strict=True):
            squares = np.zeros(states)
            for number, subset in enumerate(world.states):
                coefficient = 0.0
                for value, state in zip(table, world.states, strict=True):
                    sign = np.prod([1 - 2 * bit for bit, member in zip(state, subset, strict=True) if member])
                    coefficient += value * sign / states
                squares[number] = coefficient**2 if any(subset) else 0
            assert squares.sum() == pytest.approx(table.var())
            assert shares == pytest.approx(squares / squares.sum(), abs=1e-5)
            assert shares.sum() == pytest.approx(1, abs=1e-5)
    a, b, *_ = inputs_of(default_world)
    # O'Donnell, example 1.2 and exercise 1.1: what AND has, without its mean, is shared evenly.
    shares = explain_tables(np.array([a & b, a ^ b]).astype(float), default_world).spectrum
    order = [default_world.states.index(each) for each in ((1, 0, 0, 0, 0), (0, 1, 0, 0, 0), (1, 1, 0, 0, 0))]
    assert shares[0, order] == pytest.approx([1 / 3] * 3, abs=1e-6)
    assert shares[1, order] == pytest.approx([0, 0, 1], abs=1e-6)


def test_a_formula_explains_no_more_than_the_spectrum_has_on_its_inputs(default_world):
    tables = np.random.default_rng(3).standard_normal((40, 32)) + 2 * inputs_of(default_world)[0]
    found = explain_tables(tables, default_world)
    subsets = np.array(default_world.states, dtype=bool)
    for text, explained, shares in zip(found.formulas, found.explained, found.spectrum, strict=True):
        absent = [name not in text.replace("AND", "").replace("NAND", "") for name in default_world.inputs]
        assert explained <= shares[~subsets[:, absent].any(axis=1)].sum() + 1e-5
    assert 0.3 < found.explained.mean() < 1


def test_what_is_constant_is_held_against_a_scale(second_world):
    x, y, _ = inputs_of(second_world)
    table = 1e-6 * (x & y)[None]
    assert explain_tables(table, second_world).formulas == ("X AND Y",)
    assert explain_tables(table, second_world, scale=np.ones(1)).formulas == ("constant",)
    assert explain_tables(np.zeros((1, 8)), second_world).formulas == ("constant",)
    assert explain_tables(table + 1, second_world).formulas == ("constant",)


def test_two_values_are_near_the_ends(second_world):
    x, y, z = inputs_of(second_world)
    near = x + (TWO_VALUED - 0.01) * (y & z & (1 - x))
    found = explain_tables(np.array([near, x + (TWO_VALUED + 0.05) * (y & z & (1 - x))]), second_world)
    assert found.exact.tolist() == [True, False]
    assert found.formulas == ("X", "X")
    assert (found.explained < 1).all()


@pytest.mark.parametrize("inputs", [2, 6, 10])
def test_worlds_of_any_number_of_inputs(inputs):
    names = [f"X{number}" for number in range(inputs)]
    rules = f"inputs: {', '.join(names)}\nfirst = {' OR '.join(names)}\nsecond = X0 XOR X1\n"
    world, draw = parse_world(rules), np.random.default_rng(4)
    columns = inputs_of(world)
    ones, noise = columns.sum(0), draw.standard_normal((3, 2**inputs))
    first, last = columns[0], columns[-1]
    tables = [first & (1 - last), ones % 2, (first | last) + 0.2 * noise[0], (ones % 2) + 0.2 * noise[1]]
    if inputs > 2:
        tables += [ones >= inputs - 2, (ones >= 3) + 0.1 * noise[2], (first & last) ^ columns[2]]
    found = explain_tables(np.array(tables, dtype=float), world)
    parity = " XOR ".join(names)
    expected = [f"X0 AND NOT {names[-1]}", parity, f"X0 OR {names[-1]}", parity]
    if inputs > 2:
        every = "+".join(names)
        expected += [f"{every} >= {inputs - 2}", f"{every} >= 3", f"(X0 AND {names[-1]}) XOR X2"]
    assert found.formulas == tuple(expected)
    assert found.spectrum.shape == (len(tables), 2**inputs)
    assert found.candidates <= 50_000


def test_two_values_of_many_inputs_without_a_form_are_not_called_exact():
    names = [f"X{number}" for number in range(7)]
    world = parse_world(f"inputs: {', '.join(names)}\nfirst = {' OR '.join(names)}\nsecond = X0 XOR X1\n")
    odd = np.random.default_rng(5).random(128) < 0.5
    found = explain_tables(odd[None].astype(float), world)
    assert not found.exact[0]
    assert found.explained[0] == pytest.approx(
        share(odd.astype(float), says(found.formulas[0], world)), abs=1e-5
    )


def test_chance_is_what_random_numbers_get(default_world, second_world):
    draw = np.random.default_rng(6)
    for world in (default_world, second_world):
        found = explain_tables(draw.standard_normal((400, len(world.states))), world)
        rest = found.explained[~found.exact]
        assert found.chance == pytest.approx(float(np.median(rest)), abs=0.05)


def test_a_name_more_has_to_earn_its_place(default_world):
    a, b, c, d, _ = inputs_of(default_world)
    rare = a & b & c & (1 - d)
    # Three names more explain a little more: not enough, and enough.
    little, enough = (d + size * rare + 0.11 * (b - c) for size in (0.55, 0.6))
    for values, gain in ((little, False), (enough, True)):
        more = share(values, d | rare) - share(values, d)
        assert (more > 3 * PRICE) == gain
        assert more > 0
    found = explain_tables(np.array([little, enough]), default_world)
    assert found.formulas == ("D", "(A AND B AND C) OR D")


def test_no_tables_are_no_fault(second_world):
    found = explain_tables(np.zeros((0, 8)), second_world)
    assert found.formulas == ()
    assert found.spectrum.shape == (0, 8)
