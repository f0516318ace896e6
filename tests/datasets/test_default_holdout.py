"""What is held out of a world at first leaves every answer determined that any choice of as many states does: brute force."""

from __future__ import annotations

from functools import cache
from itertools import combinations
from math import comb
from random import Random

import numpy as np
import pytest

from playground.boolean.functions import exact_formula
from playground.datasets import default_hold_out, determining_hold_out, explain_undetermined, random_hold_out
from playground.datasets.default_holdout import SHARE
from playground.files import project_root
from playground.worlds import State, World, load_world, parse_world

GALLERY = sorted((project_root() / "data" / "worlds").glob("*.rules"))
MOST_CHOICES = 1_000


def shown(world: World, state: State) -> dict[str, tuple[int, ...]]:
    """Return for each answer what a state shows of it, rule by rule."""
    values = dict(zip(world.inputs, state, strict=True)) | world.evaluate(state)
    reads = {rule.name: world.dependencies[rule.name] for rule in world.rules}
    reads |= {count.name: (count.name,) for count in world.counts}
    return {answer: tuple(values[name] for name in names) for answer, names in reads.items()}


@cache
def shown_by_states(world: World) -> dict[State, set[tuple]]:
    """Return what each state shows, each combination with the answer of which it is one."""
    return {state: set(shown(world, state).items()) for state in world.states}


def determined(world: World, held_out: tuple[State, ...]) -> set[str]:
    every = shown_by_states(world)
    seen = set().union(*(each for state, each in every.items() if state not in held_out))
    unseen = set().union(*(every[state] for state in held_out)) - seen
    return set(world.answers) - {answer for answer, _ in unseen}


def best(world: World, count: int) -> tuple[str, ...]:
    """Return the answers that some choice of states determines together, those that stand first being preferred."""
    possible = {frozenset(determined(world, each)) for each in combinations(world.states, count)}
    kept: list[str] = []
    for answer in world.answers:
        if any({*kept, answer} <= each for each in possible):
            kept.append(answer)
    return tuple(kept)


def check(world: World, count: int, held_out: tuple[State, ...]) -> None:
    wanted = best(world, count)
    assert len(set(held_out)) == count
    assert set(wanted) <= determined(world, held_out)
    said = explain_undetermined(world, held_out)
    assert {each.answer for each, _ in said} == set(world.answers) - determined(world, held_out)
    for each, why in said:
        assert why.startswith("No choice of ")
        assert each.answer in why
        assert len(why.splitlines()) == 1


ONE_OUTPUT = [
    f"inputs: X, Y, Z\nx = {exact_formula(np.array(list(f'{code:08b}')) == '1', ('X', 'Y', 'Z')).text}"
    for code in range(256)
    if "+" not in exact_formula(np.array(list(f"{code:08b}")) == "1", ("X", "Y", "Z")).text
]


@pytest.mark.slow
@pytest.mark.parametrize("more", ["", "\ny = x XOR Z", "\ny = Z NAND x\nsum(X+Y+Z)", "\nsum(X+Y+Z) - n(x)"])
def test_three_inputs_and_every_function_of_them(more):
    assert len(ONE_OUTPUT) > 200
    for text in ONE_OUTPUT:
        world = parse_world(text + more)
        check(world, 1, default_hold_out(world))


def test_two_inputs_have_too_few_states_to_hold_one_out():
    for gate in ("AND", "XOR", "NOR", "IMPLIES"):
        assert default_hold_out(parse_world(f"x = A {gate} B")) == ()


def drawn_world(seed: int) -> World:
    """Return a small world: rules that read two to four names above them, and counts."""
    drawn = Random(seed)
    inputs = list("ABCD"[: drawn.choice([3, 4])])
    known, lines = list(inputs), ["inputs: " + ", ".join(inputs)]
    for index in range(drawn.randint(1, 3)):
        names = drawn.sample(known, drawn.randint(2, min(4, len(known))))
        gates = [drawn.choice(["AND", "XOR", "NOR"]) for _ in names]
        text = names[0] + "".join(f" {gate} {name}" for gate, name in zip(gates, names[1:], strict=False))
        lines.append(f"o{index} = {text}")
        known.append(f"o{index}")
    if drawn.random() < 1 / 2:
        lines.append(f"n({'+'.join(drawn.sample(known, drawn.randint(1, len(known))))})")
    return parse_world("\n".join(lines))


@pytest.mark.parametrize("seed", range(120))
def test_small_worlds(seed):
    world = drawn_world(seed)
    check(world, len(world.states) // SHARE, default_hold_out(world))


@pytest.mark.parametrize("seed", range(40))
def test_any_number_of_states_of_small_worlds(seed):
    """Where draws fail, a choice is computed; that there is none is not said before it is known."""
    world = drawn_world(seed)
    for count in range(len(world.states)):
        if comb(len(world.states), count) <= 600:
            found = determining_hold_out(world, count)
            assert found.answers == best(world, count)
            check(world, count, found.states)


@pytest.mark.parametrize("path", GALLERY, ids=lambda path: path.stem)
def test_the_gallery(path):
    world = load_world(path)
    count = len(world.states) // SHARE
    held_out = default_hold_out(world)
    assert len(set(held_out)) == count
    missing = set(world.answers) - determined(world, held_out)
    # An answer whose rule meets more combinations than there are seen states cannot be determined by any choice.
    hopeless = {
        answer
        for answer in world.answers
        if len({shown(world, state)[answer] for state in world.states}) > len(world.states) - count
    }
    assert missing == hopeless
    assert missing == {
        "control": {"newA", "newB", "newC", "newD"},
        "majority": {"most"},
        "multiplexer": {"chosen"},
        "parity": {"odd"},
    }.get(path.stem, set())
    if comb(len(world.states), count) <= MOST_CHOICES and not hopeless:
        assert set(best(world, count)) == set(world.answers)


def test_a_draw_that_would_do_is_taken(default_world):
    """The default is a draw like any other, not a choice with a pattern."""
    drawn = [random_hold_out(default_world, 6, seed) for seed in range(20)]
    right = [each for each in drawn if determined(default_world, each) == set(default_world.answers)]
    assert default_hold_out(default_world) == right[0]


def test_why_an_answer_is_undetermined_is_said(second_world):
    world = parse_world("inputs: X, Y, Z\nodd = X XOR Y XOR Z\nboth = X AND Y")
    [(each, why)] = explain_undetermined(world, default_hold_out(world))
    assert each.answer == "odd"
    assert why == (
        "No choice of 1 state to hold out would determine odd: X, Y, Z take 8 combinations of values, "
        "each has to be seen, and 7 states cannot show them all."
    )
    [(_, why)] = explain_undetermined(second_world, ((1, 1, 0),))
    assert why == "Another choice of 1 state would determine second."
    together = parse_world("inputs: X, Y, Z\na = X AND Y\nb = Y AND Z\nc = X AND Z")
    found = determining_hold_out(together, 4)
    assert found.answers == best(together, 4)


def test_a_large_world_is_answered_though_no_draw_leaves_it_determined():
    """Each pair of states that differ in J alone has to be seen in one of the two: no draw of half of them does it."""
    names = "ABCDEFGHIJ"
    world = parse_world(f"inputs: {', '.join(names)}\nx = {' XOR '.join(names[:-1])}")
    found = determining_hold_out(world, 512)
    assert found.answers == ("x",)
    assert determined(world, found.states) == {"x"}
