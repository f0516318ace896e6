"""What a world is like, against networkx and against going through all states."""

from __future__ import annotations

from collections import Counter

import networkx as nx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.worlds import parse_world, structure_of

OPERATORS = ("AND", "NAND", "XOR", "XNOR", "OR", "NOR", "IMPLIES")


@st.composite
def rules(draw) -> str:
    """Return a world of some inputs, outputs that may read those above, and counts."""
    inputs = [f"in{index}" for index in range(draw(st.integers(2, 5)))]
    known, lines = list(inputs), [f"inputs: {', '.join(inputs)}"]
    for index in range(draw(st.integers(1, 6))):
        # Constants, and an input with itself: what a rule reads may matter to nothing.
        left, right = (draw(st.sampled_from([*known, "0", "1"])) for _ in range(2))
        lines.append(f"out{index} = {left} {draw(st.sampled_from(OPERATORS))} {right}")
        known.append(f"out{index}")
    counted = draw(st.lists(st.sampled_from(known), unique=True, max_size=4))
    return "\n".join([*lines, *([f"sum({'+'.join(counted)})"] if counted else [])])


@given(rules())
@settings(max_examples=150, deadline=None)
def test_edges_depths_and_chains_are_those_of_the_graph(text):
    world = parse_world(text)
    found = structure_of(world)
    graph = nx.DiGraph(found.edges)
    graph.add_nodes_from(world.answers)
    reads = {
        rule.name: set(str(rule.expression).replace("(", " ").replace(")", " ").split())
        for rule in world.rules
    }
    reads |= {count.name: set(count.variables) for count in world.counts}
    assert {name: set(graph.predecessors(name)) for name in world.answers} == {
        name: reads[name] & {*world.inputs, *world.outputs} for name in world.answers
    }
    outputs = graph.subgraph(world.outputs)
    assert found.chained == tuple(name for name in world.outputs if outputs.in_degree(name))
    assert len(found.chain) == nx.dag_longest_path_length(outputs) + 1
    assert nx.is_path(outputs, list(found.chain))


@given(rules())
@settings(max_examples=100, deadline=None)
def test_noise_and_balance_are_those_of_all_states(text):
    world = parse_world(text)
    found = structure_of(world)
    values = {state: world.evaluate(state) for state in world.states}
    for index, name in enumerate(world.inputs):
        flips = [(*state[:index], 1 - state[index], *state[index + 1 :]) for state in world.states]
        matters = any(values[one] != values[other] for one, other in zip(world.states, flips, strict=True))
        assert (name in found.noise) is not matters
    for balance in found.balances:
        times = Counter(each[balance.answer] for each in values.values())
        assert balance.shares == tuple(times[value] / len(values) for value in range(len(balance.shares)))
        assert sum(balance.shares) == pytest.approx(1)
        assert times[balance.commonest] / len(values) == balance.guessed == max(times.values()) / len(values)
        assert balance.is_easily_guessed is (balance.guessed >= 0.85)
    assert [balance.answer for balance in found.balances] == list(world.answers)


def test_the_default_world(default_world):
    found = structure_of(default_world)
    assert found.chained == ("newD",)
    assert found.chain == ("newB", "newD")
    assert found.noise == ()
    assert [balance.ones for balance in found.balances[:4]] == [0.5, 0.5, 0.25, 0.75]
    assert found.balances[4].guessed == 10 / 32


def test_what_is_read_but_never_matters_is_noise_and_what_is_set_by_hand_reads_nothing():
    world = parse_world("inputs: A, B, C\none = A XOR A\ntwo = B OR one\nthree = two AND 0")
    found = structure_of(world)
    assert found.noise == ("A", "C")
    assert found.chain == ("one", "two", "three")
    assert [balance.is_easily_guessed for balance in found.balances] == [True, False, True]
    cut = structure_of(world.do(two=1))
    assert cut.chain == ("two", "three")
    assert cut.noise == ("A", "B", "C")
