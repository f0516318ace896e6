"""What is said where a name is wrong."""

from __future__ import annotations

import pytest

from playground.errors import LONGEST_PART, MOST_NAMES, RequestError, nearest
from playground.interventions import find_conditions, parse_all
from playground.interventions.named.sets import NamedCondition
from playground.interventions.named.store import save_condition
from playground.models.storage.checkpoint import check_step, snapshot_path

HEADS = [f"L{layer}H{head}" for layer in range(4) for head in range(4)]


@pytest.mark.parametrize(
    ("wrong", "known", "said"),
    [
        ("newE", [], "none: there are none yet"),
        ("newE", ["newA"], "newA"),
        ("newE", ["newA", "newB"], "one of newA, newB"),
        ("L7H7", HEADS, "one of 16, such as L0H0, L0H1, L0H2"),
        ("L2H4", HEADS, "one of 16, such as L2H0, L2H1, L2H2"),
        ("l3h1", ["xyz", *HEADS], "one of 17, such as "),
        ("", HEADS, "one of 16, such as L0H0, L0H1, L0H2"),
    ],
)
def test_few_names_are_listed_and_of_many_the_nearest_three(wrong, known, said):
    assert nearest(wrong, known).startswith(said)
    assert nearest(wrong, known).count(",") <= max(MOST_NAMES, 3)


@pytest.mark.parametrize("text", ["flip:" + "[" * 100_000, "x" * 100_000, "zero:L0@>" + ">" * 100_000])
def test_what_was_typed_is_told_as_far_as_it_can_be_read(text):
    with pytest.raises(RequestError) as caught:
        parse_all(text)
    assert len(str(caught.value)) < 2 * LONGEST_PART


def test_no_part_of_a_fault_is_without_end(random_model):
    with pytest.raises(RequestError) as caught:
        random_model.run_all("zero:" + "L" * 100_000)
    assert len(str(caught.value)) < 3 * LONGEST_PART


def test_conditions(tmp_path):
    path = tmp_path / "conditions.json"
    for number in range(30):
        save_condition(NamedCondition(f"set {number}", ("zero:L0",)), path)
    with pytest.raises(RequestError) as caught:
        find_conditions(["set 71"], path)
    assert "one of 30, such as set 1, set 7, " in caught.value.faults[0].expected


def test_steps(tmp_path):
    for step in (0, 50, 100, 200, 400, 800, 1600, 3200):
        snapshot_path(tmp_path, step).parent.mkdir(exist_ok=True)
        snapshot_path(tmp_path, step).write_bytes(b"")
    with pytest.raises(RequestError) as caught:
        check_step(tmp_path, 390)
    assert caught.value.faults[0].expected == "one of 100, 200, 400 (of 8)"


WRONG = [
    "zero:L0.nope",
    "zero:nope",
    "flip:nope",
    "flip:L0.nope",
    "flip:L0H0.W_Z",
    "force:nope=1",
    "zero:L0@nope",
]


@pytest.mark.parametrize("text", WRONG)
def test_parts_outputs_and_positions(random_model, text):
    for fault in random_model.fit(parse_all(text)).faults:
        assert len(fault.expected) < 100
        assert fault.expected.count(",") <= 8


@pytest.mark.parametrize("text", WRONG)
def test_those_of_the_baselines(random_baseline, text):
    for fault in random_baseline.fit(parse_all(text)).faults:
        assert len(fault.expected) < 100
        assert fault.expected.count(",") <= 8
