"""`guess`, and what other commands say of simple predictors."""

from __future__ import annotations

import json

import pytest

from playground.datasets import (
    SHIPPED_HOLD_OUT,
    DatasetSpec,
    find_consistent_formulas,
    guess,
    hardest_hold_out,
    parse_hold_out,
)
from playground.errors import RequestError
from playground.worlds import state_text


def cells(words: str, first: str) -> list[str]:
    """Return the cells of the line that begins with a label."""
    [line] = [line for line in words.splitlines() if line.strip().startswith(first)]
    return line.strip().removeprefix(first).split()


def test_without_options_it_is_about_the_shipped_hold_out(invoke, default_world):
    spec = DatasetSpec(world=default_world, held_out=parse_hold_out(SHIPPED_HOLD_OUT, default_world))
    document, words = json.loads(invoke("guess", "--json")), invoke("guess")
    assert document["held_out"] == SHIPPED_HOLD_OUT.split(";")
    assert document["seen"] == 26
    assert document["undetermined"] == [{"answer": "sum", "reads": ["sum"], "unseen": [[0], [5]]}]
    assert sum(line.startswith("No seen state has sum = 0 or 5.") for line in words.splitlines()) == 1
    assert document["never_seen"] == ["No seen state has sum = 0 or 5."]
    guesses = guess(spec)
    assert document["guessing"] == guesses.to_json()
    for each, said in zip(guesses.guesses, document["predictors"], strict=True):
        assert said == each.to_json()
        right, total = each.tally
        shares = [*each.by_answer.values(), each.outputs]
        assert cells(words, each.name) == [f"{share:.0%}" for share in shares] + f"{right} of {total}".split()
    formulas = find_consistent_formulas(spec)
    assert document["formulas"] == formulas.to_json()
    for each in formulas.outputs:
        assert cells(words, each.output + " ") == [
            f"{each.count}",
            f"{each.mean:.0%}",
            *each.smallest.split(),
        ]
    for index, state in enumerate(spec.held_out):
        said = cells(words, state_text(state))
        assert said[:3] == [str(guesses.guesses[0].held_out_right[index].sum()), "of", "6"]


def test_it_asks_about_a_dataset_or_any_world(invoke, workplace_copy, second_world):
    assert json.loads(invoke("guess", "--name", "second", "--json"))["held_out"] == ["1,1,0"]
    document = json.loads(invoke("guess", "--name", "second", "--omit", "0,*,0", "--json"))
    assert document["held_out"] == ["0,0,0", "0,1,0"]
    (workplace_copy / "my.rules").write_text(second_world.text)
    of_file = json.loads(invoke("guess", "--world", "my.rules", "--omit", "0,*,0", "--json"))
    assert of_file == document
    assert (
        json.loads(invoke("guess", "--world", "my.rules", "--size", "1", "--json"))["formulas"]["size"] == 1
    )
    words = invoke("guess", "--world", "my.rules")
    assert "Nothing is held out" in words
    assert "--omit-hardest K" in words


def test_the_hardest_states_can_be_asked_about_and_held_out(invoke, workplace_copy, second_world):
    (workplace_copy / "my.rules").write_text(second_world.text)
    hardest = [state_text(state) for state in hardest_hold_out(second_world, 2)]
    asked = json.loads(invoke("guess", "--world", "my.rules", "--omit-hardest", "2", "--json"))
    assert asked["held_out"] == hardest
    assert asked["undetermined"] == []
    invoke("generate", "--world", "my.rules", "--omit-hardest", "2", "--name", "hard")
    lines = (workplace_copy / "data" / "hard" / "heldout.jsonl").read_text().splitlines()
    assert [json.loads(line)["prompt"] for line in lines] == hardest


def test_a_board_says_what_simple_predictors_give(invoke, workplace_copy):
    document, words = json.loads(invoke("board", "--json")), invoke("board", "--model", "all")
    guessing = document["guessing"]
    shares = [*guessing["by_output"].values(), guessing["held_out"]]
    assert cells(words, "simple predictors") == ["held", "out", *(f"{share:.0%}" for share in shares)]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--name", "nowhere"), "one of default, second, got 'nowhere'"),
        (("--name", "second", "--world", "my.rules"), "one of --world and --name"),
        (("--omit-hardest", "3", "--omit-random", "2"), "got --omit-random and --omit-hardest"),
        (("--omit-hardest", "31"), "at most"),
        (("--size", "0"), "1 or more"),
    ],
)
def test_wrong_requests(invoke, arguments, said):
    with pytest.raises(RequestError, match=said):
        invoke("guess", *arguments)
