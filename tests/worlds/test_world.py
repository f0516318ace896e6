"""Truth tables, do-interventions, states."""

from __future__ import annotations

from itertools import product

import pytest

from playground.errors import RequestError


def default_rules_in_python(a, b, c, d, e, new_b=None):
    new_a = a ^ c
    new_b = 1 - d if new_b is None else new_b
    new_c = b & e
    new_d = a | new_b
    return {
        "newA": new_a,
        "newB": new_b,
        "newC": new_c,
        "newD": new_d,
        "sum": a + b + c + d + e,
        "sum2": new_a + new_b + new_c + new_d,
    }


def second_rules_in_python(x, y, z):
    first = int(not (x and y))
    return {"first": first, "second": first ^ z}


def test_truth_table_of_the_default_world(default_world):
    assert default_world.states == tuple(product((0, 1), repeat=5))
    for state, row in zip(default_world.states, default_world.truth_table, strict=True):
        expected = default_rules_in_python(*state)
        assert default_world.evaluate(state) == expected
        assert row.tolist() == list(expected.values())


def test_truth_table_of_the_second_world(second_world):
    for state, row in zip(second_world.states, second_world.truth_table, strict=True):
        assert second_world.evaluate(state) == second_rules_in_python(*state)
        assert row.tolist() == list(second_rules_in_python(*state).values())


@pytest.mark.parametrize("value", [0, 1])
def test_do_cuts_the_rule_and_lets_the_rest_follow(default_world, value):
    changed = default_world.do(newB=value)
    for state, row in zip(default_world.states, changed.truth_table, strict=True):
        assert changed.evaluate(state) == default_rules_in_python(*state, new_b=value)
        assert row.tolist() == list(default_rules_in_python(*state, new_b=value).values())
    assert changed.dependencies["newB"] == ()
    assert default_world.forced == ()


def test_do_on_an_input_and_twice(second_world):
    changed = second_world.do(X=0).do(second=0)
    assert changed.evaluate((1, 1, 0)) == {"first": 1, "second": 0}


def test_do_refuses_what_the_world_does_not_have(default_world):
    with pytest.raises(RequestError, match="newZ") as caught:
        default_world.do(newZ=1, sum=3, newA=2)
    assert len(caught.value.faults) == 3


def test_dependencies(default_world, second_world):
    assert default_world.dependencies["newD"] == ("A", "newB")
    assert default_world.dependencies["sum2"] == ("newA", "newB", "newC", "newD")
    assert second_world.dependencies == {"first": ("X", "Y"), "second": ("first", "Z")}


@pytest.mark.parametrize(
    "text", ["", "1,0", "0,1,1,1,2", "0, 1,1,1,0", " ", "0,1,1,1,0,", "0;1;1;1;0", "01110"]
)
def test_what_is_no_state_is_explained(default_world, text):
    with pytest.raises(RequestError, match=r"expected 5 digits \(A,B,C,D,E\)"):
        default_world.parse_state(text)


def test_worlds_are_equal_by_what_they_say(default_world):
    from playground.worlds import parse_world

    assert parse_world(default_world.text.replace("A XOR C", "(A XOR C) # same")) == default_world
    assert parse_world(default_world.text.replace("XOR", "OR")) != default_world
