"""Ways to compute an answer and what causal models say: by hand in Python, and against `World.do`."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from playground.worlds import causal_variables, depends, derivations, parse_world, solve, values_of
from playground.worlds.causal import MOST_DERIVATIONS, CausalVariable
from playground.worlds.world import World
from tests.worlds.by_hand import by_hand

DEEP = """inputs: P, Q, R
one = P NAND Q
two = NOT (one XOR R)
three = (two AND one) OR NOT P
constant = 1
same = P NAND Q
in(P+R) - all(one+two+three+Q)
"""
"""A chain of three, an output that is read twice, one that is always 1, two of one rule, a count of inputs and outputs."""


@pytest.fixture(scope="module")
def deep_world() -> World:
    return parse_world(DEEP)


@pytest.fixture(params=["default", "second", "deep"])
def any_world(request: pytest.FixtureRequest, default_world, second_world, deep_world) -> World:
    return {"default": default_world, "second": second_world, "deep": deep_world}[request.param]


def all_texts(world: World) -> tuple[list[dict[str, int]], dict[str, np.ndarray]]:
    """Return every text's inputs and outputs, one by one, and as columns."""
    names = (*world.inputs, *world.outputs)
    rows = list(product((0, 1), repeat=len(names)))
    columns = dict(zip(names, np.array(rows).T, strict=True))
    return [dict(zip(names, row, strict=True)) for row in rows], columns


def default_ways(answer: str, text: dict[str, int]) -> list[int]:
    """Return what each way to compute an answer of the default world says, by hand."""
    new_a, new_b, new_c = text["A"] ^ text["C"], 1 - text["D"], text["B"] & text["E"]
    new_d = [text["newD"], text["A"] | text["newB"], text["A"] | new_b]
    ways = product((text["newA"], new_a), (text["newB"], new_b), (text["newC"], new_c), new_d)
    return {
        "newA": [new_a],
        "newB": [new_b],
        "newC": [new_c],
        "newD": new_d[1:],
        "sum": [sum(text[name] for name in "ABCDE")],
        "sum2": [sum(way) for way in ways],
    }[answer]


def test_ways_of_the_default_world_by_hand(default_world):
    texts, columns = all_texts(default_world)
    for answer in default_world.answers:
        ways = derivations(default_world, answer)
        predicted = np.stack([way.evaluate(columns) for way in ways]).T
        assert predicted.tolist() == [default_ways(answer, text) for text in texts]
    assert [way.text for way in derivations(default_world, "newD")] == ["A OR newB", "A OR NOT D"]
    assert [way.recomputed for way in derivations(default_world, "newD")] == [(), ("newB",)]
    counts = derivations(default_world, "sum2")
    assert counts[0].text == "newA + newB + newC + newD"
    assert counts[-1].text == "(A XOR C) + NOT D + (B AND E) + (A OR NOT D)"
    assert counts[-1].recomputed == ("newA", "newB", "newC", "newD")


def test_ways_of_a_chain_of_three_by_hand(deep_world):
    texts, columns = all_texts(deep_world)
    found = {way.text: way.evaluate(columns).tolist() for way in derivations(deep_world, "three")}

    def nand(text):
        return 1 - (text["P"] & text["Q"])

    def way(two, one):
        return [(two(text) & one(text)) | (1 - text["P"]) for text in texts]

    written_two, written_one = (lambda text: text["two"]), (lambda text: text["one"])
    two_of_written, two_of_inputs = (
        lambda text: 1 - (text["one"] ^ text["R"]),
        lambda text: 1 - (nand(text) ^ text["R"]),
    )
    # The outputs are read in the order in which they stand in the rule; the last is that of the inputs alone.
    assert list(found.values()) == [
        way(two, one) for two in (written_two, two_of_written, two_of_inputs) for one in (written_one, nand)
    ]
    assert next(iter(found)) == "(two AND one) OR NOT P"
    assert list(found)[-1] == "(NOT ((P NAND Q) XOR R) AND (P NAND Q)) OR NOT P"


def test_to_read_all_and_to_read_nothing_is_what_the_world_says(any_world):
    texts, columns = all_texts(any_world)
    for answer in any_world.answers:
        ways = derivations(any_world, answer)
        read, computed = ways[0].evaluate(columns), ways[-1].evaluate(columns)
        for index, text in enumerate(texts):
            state = tuple(text[name] for name in any_world.inputs)
            others = {name: text[name] for name in any_world.outputs if name != answer}
            assert read[index] == any_world.do(**others).evaluate(state)[answer]
            assert computed[index] == any_world.evaluate(state)[answer]
        assert ways[0].recomputed == ()
        reads_outputs = any(name in any_world.outputs for name in any_world.dependencies[answer])
        assert (len(ways) > 1) == reads_outputs


def test_of_very_many_ways_the_telling_ones_are_kept():
    outputs = [f"o{index}" for index in range(9)]
    world = parse_world(
        "inputs: P, Q\n"
        + "".join(f"{name} = {'NOT P' if index % 2 else 'Q'}\n" for index, name in enumerate(outputs))
        + f"in(P+Q) - all({'+'.join(outputs)})\n"
    )
    ways = derivations(world, "all")
    assert 2 ** len(outputs) > MOST_DERIVATIONS >= len(ways)
    recomputed = [set(way.recomputed) for way in ways]
    assert recomputed[0] == set()
    assert recomputed[-1] == set(outputs)
    for name in outputs:
        assert {name} in recomputed
        assert set(outputs) - {name} in recomputed


def test_long_formulas_are_not_written_out():
    rules = [f"o{index} = (o{index - 1} XOR B) OR NOT o{index - 1}" for index in range(1, 10)]
    world = parse_world("\n".join(["o0 = A AND B", *rules, "n(o8+o9)"]))
    values = dict(zip(world.inputs, np.array(world.states).T, strict=True))
    values |= {name: np.array([1, 0, 1, 0]) for name in world.outputs}
    for answer in ("o9", "n"):
        *_, alone = derivations(world, answer)
        assert len(alone.text) < 200
        assert (alone.evaluate(values) == world.truth_table[:, world.answers.index(answer)]).all()
    read, alone = derivations(world, "o9")
    assert alone.text == "(o8(A, B) XOR B) OR NOT o8(A, B)"
    assert read.evaluate(values).tolist() == [
        int((o8 ^ b) or not o8) for o8, b in ((1, 0), (0, 1), (1, 0), (0, 1))
    ]


def test_variables_have_names_of_their_own():
    world = parse_world("a = A AND B\nb = A AND B\nc = A\nn(A+B+a) - m(A+B+b)")
    names = [each.name for each in causal_variables(world)]
    assert len(set(names)) == len(names)
    assert names == ["A", "B", "a", "b", "c", "A AND B (a)", "A AND B (b)", "A (c)", "A+B (n)", "A+B (m)"]


def test_all_that_follows_from_inputs_and_from_what_is_forced(any_world):
    states = np.array(any_world.states).T
    values = dict(zip(any_world.inputs, states, strict=True))
    for name in (None, *any_world.inputs, *any_world.outputs):
        for value in (0, 1) if name else (None,):
            forced = {name: np.array(value)} if name else None
            done = any_world.do(**{name: value}) if name else any_world
            found = solve(any_world, values, forced)
            for index, answer in enumerate(any_world.answers):
                assert found[answer].shape == states[0].shape
                assert found[answer].tolist() == done.truth_table[:, index].tolist()


def test_what_an_answer_would_be_if_a_variable_were_another(any_world):
    """Every variable, every answer, pairs of states, in the base some outputs that are wrong."""
    random = np.random.default_rng(0)
    pairs = random.integers(len(any_world.states), size=(60, 2))
    written = random.integers(2, size=(2, 60, len(any_world.outputs)))
    base, source = (
        values_of(any_world, [any_world.states[index] for index in column], outputs)
        for column, outputs in zip(pairs.T, written, strict=True)
    )
    seen = set()
    for variable in causal_variables(any_world):
        for answer in variable.answers(any_world):
            got = variable.counterfactual(any_world, answer, base, source)
            assert got.shape == (60,)
            assert got.tolist() == [
                by_hand(any_world, variable, answer, pairs[index], written[:, index]) for index in range(60)
            ], (variable, answer)
            seen.add(variable.kind)
    assert {"input", "written", "recomputed"} <= seen


def test_variables_are_there_once_with_what_follows_from_them(any_world):
    found = causal_variables(any_world)
    assert len(set(found)) == len(found)
    assert [each.name for each in found if each.kind == "input"] == list(any_world.inputs)
    assert [each.output for each in found if each.kind == "written"] == list(any_world.outputs)
    assert [each.output for each in found if each.kind == "recomputed"] == list(any_world.outputs)
    for variable in found:
        if variable.kind == "partial sum":
            continue
        start = variable.output or variable.name
        # What follows from a variable is what can change when it alone is set by hand.
        moved = {
            answer
            for column, answer in enumerate(any_world.answers)
            if (
                any_world.do(**{start: 0}).truth_table[:, column]
                != any_world.do(**{start: 1}).truth_table[:, column]
            ).any()
        }
        assert moved <= set(variable.answers(any_world)) | direct_only(any_world, variable)
    assert not depends(any_world, any_world.answers[0], any_world.answers[-1])


def direct_only(world: World, variable: CausalVariable) -> set[str]:
    """Return the answers that follow from a written output by way of others alone, which stand written themselves."""
    if variable.kind != "written":
        return set()
    direct = {
        variable.output,
        *(name for name in world.answers if variable.output in world.dependencies[name]),
    }
    return set(world.answers) - direct


def test_partial_sums_are_the_beginnings_of_counts(default_world):
    found = [each for each in causal_variables(default_world) if each.kind == "partial sum"]
    assert [(each.name, each.answers(default_world)) for each in found] == [
        ("A+B", ("sum",)),
        ("A+B+C", ("sum",)),
        ("A+B+C+D", ("sum",)),
        ("newA+newB", ("sum2",)),
        ("newA+newB+newC", ("sum2",)),
    ]
