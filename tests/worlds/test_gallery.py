"""The worlds that come along are what they say: held against arithmetic, and against lots drawn anew."""

from __future__ import annotations

import random
import re

import numpy as np
import pytest

from playground.files import default_rules, project_root
from playground.worlds import World, describe_rules, load_world, structure_of

FOLDER = project_root() / "data" / "worlds"
DOCUMENT = (project_root() / "docs" / "worlds.md").read_text(encoding="utf-8")
NAMES = sorted(path.stem for path in FOLDER.glob("*.rules"))


def of(name: str) -> World:
    return load_world(FOLDER / f"{name}.rules")


def columns(world: World) -> dict[str, np.ndarray]:
    """Return every variable's value in all states."""
    inputs = dict(zip(world.inputs, np.array(world.states).T, strict=True))
    return inputs | dict(zip(world.answers, world.truth_table.T, strict=True))


@pytest.mark.parametrize("name", NAMES)
def test_each_says_what_it_is_for_and_is_in_the_table_with_what_models_make_of_it(name):
    purpose = describe_rules(of(name).text)
    assert purpose.endswith((".", "?"))
    [line] = re.findall(rf"^\| `{name}`: (.+)$", DOCUMENT, flags=re.MULTILINE)
    cells = line.split(" | ")
    assert cells[0] == purpose
    assert cells[1] == f"{len(of(name).states):,}"
    assert re.search(r"\d steps", cells[5])


def test_there_are_ten_at_least_and_a_chain_that_is_five_deep():
    assert len(NAMES) >= 10
    assert structure_of(of("chain")).chain == ("newA", "newB", "newC", "newD", "newE")
    assert len(of("ten").states) == 1_024


def test_parity_is_a_sum_modulo_two_and_the_ladder_ends_with_the_same():
    for name in ("parity", "ladder"):
        world = of(name)
        values = columns(world)
        assert (values["odd"] == np.array(world.states).sum(1) % 2).all()
    assert structure_of(of("ladder")).chain[-1] == "odd"


def test_the_multiplexer_copies_the_input_of_that_address():
    values = columns(of("multiplexer"))
    data = np.array([values[f"D{index}"] for index in range(4)])
    assert (values["chosen"] == data[2 * values["S1"] + values["S0"], np.arange(64)]).all()


def test_the_majority_is_three_or_more():
    values = columns(of("majority"))
    assert (values["most"] == (values["sum"] >= 3)).all()


def test_the_adder_adds_and_its_carry_is_read():
    world = of("adder")
    v = columns(world)
    total = 2 * v["A1"] + v["A0"] + 2 * v["B1"] + v["B0"] + v["carry"]
    assert (4 * v["c2"] + 2 * v["s1"] + v["s0"] == total).all()
    assert "c1" in world.dependencies["s1"]


def test_noise_matters_to_nothing():
    assert structure_of(of("noise")).noise == ("N1", "N2", "N3", "N4")


def test_the_control_is_drawn_by_lot_with_the_balance_of_the_default_world():
    control, default = of("control"), load_world(default_rules())
    generator = random.Random(0)
    for name in default.outputs:
        ones = int(columns(default)[name].sum())
        drawn = set(generator.sample(default.states, ones))
        assert {
            state for state, bit in zip(control.states, columns(control)[name], strict=True) if bit
        } == drawn
    assert control.counts == default.counts
