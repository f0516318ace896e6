"""Which rules a hold-out leaves determined, and hold-outs that simple predictors get wrong, against all there are."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from playground.datasets import (
    SHIPPED_HOLD_OUT,
    DatasetSpec,
    guess,
    hardest_hold_out,
    parse_hold_out,
    random_hold_out,
    undetermined,
)
from playground.errors import RequestError
from playground.worlds import World, parse_world

FOUR_INPUTS = "inputs: P, Q, R, S\nx = P OR (Q AND R)\ny = x XOR S\nsum(P+Q+x)\n"


def score(world: World, held_out: tuple) -> tuple[float, float]:
    """Return what predictors get right: whole answers, then single ones."""
    rows = [world.states.index(state) for state in held_out]
    right = [
        each.values[rows] == world.truth_table[rows]
        for each in guess(DatasetSpec(world=world, held_out=held_out)).guesses
    ]
    return float(np.mean([each.all(1).mean() for each in right])), float(np.mean(right))


def is_determined(world: World, held_out: tuple) -> bool:
    """Return whether all that rules read, and all numbers, occur in seen states: state by state, rule by rule."""

    def shown(state: tuple) -> set:
        values = dict(zip(world.inputs, state, strict=True)) | world.evaluate(state)
        rules = {
            (rule.name, tuple(values[name] for name in world.dependencies[rule.name])) for rule in world.rules
        }
        return rules | {(count.name, values[count.name]) for count in world.counts}

    seen = set().union(*(shown(state) for state in world.states if state not in held_out))
    return all(shown(state) <= seen for state in world.states)


def test_a_hold_out_is_undetermined_where_a_combination_is_in_no_seen_state(world):
    said = set()
    for seed in range(30):
        held_out = random_hold_out(world, 1 + seed % (len(world.states) // 2), seed)
        said.add(is_determined(world, held_out))
        assert (undetermined(world, held_out) == ()) == is_determined(world, held_out)
    assert said == {True, False}


def test_what_is_undetermined_is_said_in_words(default_world, second_world):
    shipped = undetermined(default_world, parse_hold_out(SHIPPED_HOLD_OUT, default_world))
    assert [str(each) for each in shipped] == ["No seen state has sum = 0 or 5."]
    [first, second] = undetermined(second_world, parse_hold_out("1,1,*", second_world))
    assert str(first) == "No seen state has X = 1 and Y = 1, from which first follows."
    assert str(second) == (
        "No seen state has first = 0 and Z = 0, or first = 0 and Z = 1, from which second follows."
    )


def test_a_constant_rule_is_determined_by_any_state():
    world = parse_world("inputs: A, B\none = 1\nx = A\n")
    assert [each.answer for each in undetermined(world, parse_hold_out("0,0;1,1;0,1", world))] == ["x"]


@pytest.mark.slow
@pytest.mark.parametrize("rules", ["inputs: X, Y, Z\nfirst = X NAND Y\nsecond = first XOR Z\n", FOUR_INPUTS])
def test_of_all_pairs_none_is_harder(rules):
    world = parse_world(rules)
    possible = [pair for pair in combinations(world.states, 2) if is_determined(world, pair)]
    scores = sorted(score(world, pair) for pair in possible)
    found = hardest_hold_out(world, 2)
    assert found in possible
    assert score(world, found) == scores[0] < scores[len(scores) // 2]
    assert hardest_hold_out(world, 2) == found


@pytest.mark.slow
def test_it_is_harder_than_hold_outs_drawn_at_random(default_world):
    found = hardest_hold_out(default_world, 6)
    assert len(set(found)) == 6
    assert is_determined(default_world, found)
    drawn = [random_hold_out(default_world, 6, seed) for seed in range(20)]
    assert score(default_world, found) < min(score(default_world, each) for each in drawn)


def test_as_many_as_can_be_are_held_out(second_world):
    """Of X,Y = 1,1 both states have to be seen, of the others one each."""
    found = hardest_hold_out(second_world, 3)
    assert len(found) == 3
    assert is_determined(second_world, found)
    assert not any(is_determined(second_world, each) for each in combinations(second_world.states, 4))
    with pytest.raises(RequestError, match="at most 3 states to hold out"):
        hardest_hold_out(second_world, 4)


def test_none_can_be_held_out_but_not_fewer(second_world):
    assert hardest_hold_out(second_world, 0) == ()
    for count in (-1, 8):
        with pytest.raises(RequestError, match="leave states to train on"):
            hardest_hold_out(second_world, count)
