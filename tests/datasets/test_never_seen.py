"""What is said that no seen state has: true whenever it is said, and said whenever it is true."""

from __future__ import annotations

import re
from itertools import product

import pytest

from playground.datasets import DatasetSpec, guess, never_seen, random_hold_out, states_like
from playground.files import project_root
from playground.worlds import World, load_world

WORLDS = sorted((project_root() / "data" / "worlds").glob("*.rules"))
MOST_STATES = 64
HOLD_OUTS = 6


def values_in(world: World, state: tuple[int, ...]) -> dict[str, int]:
    return dict(zip(world.inputs, state, strict=True)) | world.evaluate(state)


def said_by_hand(world: World, held_out: tuple, about: list) -> dict[str, tuple[tuple[str, ...], set]]:
    """Return for each answer what its rule reads, or the count itself, and the values that no seen state has.

    Args:
        world: with its states.
        held_out: of them.
        about: the states of which it is asked.
    """
    seen = [values_in(world, state) for state in world.states if state not in held_out]
    asked = [values_in(world, state) for state in about]
    found = {}
    for answer in world.answers:
        counted = {count.name for count in world.counts}
        reads = (answer,) if answer in counted else world.dependencies[answer]
        missing = {tuple(each[name] for name in reads) for each in asked}
        missing -= {tuple(each[name] for name in reads) for each in seen}
        if missing:
            found[answer] = (reads, missing)
    return found


def holds(sentence: str, world: World, by_hand: dict) -> str:
    """Read a sentence word by word, hold it against what is so, and return the answer that it is about."""
    counted = re.fullmatch(r"No seen state has (\w+) = ([\d, or]+)\.", sentence)
    if counted:
        answer, values = counted.groups()
        assert by_hand[answer] == ((answer,), {(int(value),) for value in re.findall(r"\d+", values)})
        return answer
    follows = re.fullmatch(r"No seen state has (.+), from which (\w+) follows\.", sentence)
    assert follows, sentence
    what, answer = follows.groups()
    reads, missing = by_hand[answer]
    many = re.fullmatch(r"(\d+) of the combinations of (.+)", what)
    if many:
        assert int(many[1]) == len(missing) > 2
        assert re.split(r", | and ", many[2]) == list(reads)
    else:
        named = [dict(re.findall(r"(\w+) = (\d)", part)) for part in what.split(", or ")]
        assert all(tuple(each) == reads for each in named)
        assert {tuple(map(int, each.values())) for each in named} == missing
    return answer


def all_are_said(world: World, held_out: tuple) -> int:
    """Hold the sentences about all states, and about some alone, against brute force; return how many there are."""
    seen = [state for state in world.states if state not in held_out]
    for state in (None, *held_out[:2], seen[0]):
        by_hand = said_by_hand(world, held_out, list(world.states) if state is None else [state])
        sentences = never_seen(world, held_out, state)
        assert [holds(sentence, world, by_hand) for sentence in sentences] == list(by_hand)
    return len(never_seen(world, held_out))


@pytest.mark.parametrize("path", WORLDS, ids=lambda path: path.stem)
def test_it_is_said_where_it_is_so_and_nowhere_else(path):
    world = load_world(path)
    total = len(world.states)
    counts = []
    for seed in range(HOLD_OUTS if total <= MOST_STATES else 2):
        held_out = random_hold_out(world, min(1 + seed * total // HOLD_OUTS, total - 1), seed)
        counts.append(all_are_said(world, held_out))
    pattern = ",".join(["1", *["*"] * (len(world.inputs) - 1)])
    counts.append(all_are_said(world, tuple(states_like(pattern, world))))
    assert never_seen(world, ()) == ()
    assert max(counts) > 0


def test_of_all_hold_outs_of_a_small_world(second_world: World):
    found = [
        all_are_said(second_world, held)
        for mask in product((False, True), repeat=len(second_world.states))
        if not all(mask)
        for held in [tuple(state for state, out in zip(second_world.states, mask, strict=True) if out)]
    ]
    assert len(found) == 2 ** len(second_world.states) - 1
    assert 0 < sum(map(bool, found)) < len(found)


def test_it_is_no_matter_of_what_simple_predictors_make_of_it(default_world: World):
    """A value that no seen state has may be right all the same: it is said of what was shown, not of what can be known."""
    hidden = tuple(states_like("*,*,*,1,*", default_world))
    [first, *_] = never_seen(default_world, hidden)
    assert first == "No seen state has D = 1, from which newB follows."
    assert guess(DatasetSpec(world=default_world, held_out=hidden)).best is not None
