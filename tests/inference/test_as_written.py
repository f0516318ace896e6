"""Boards and completions judged as written: on all states, against the rules written out by hand."""

from __future__ import annotations

import json

import numpy as np
import pandas as pd
import pytest

from playground.datasets import JUDGEMENTS, NOT_JUDGED
from playground.inference import Board, Model, complete, load_model
from tests.support.judged_by_hand import judge_by_hand

CONDITIONS = (
    "",
    "zero:L0H0",
    "scale:L1~3",
    "force:{0}=!",
    "force:{1}=1",
    "force:{0}=!;force:{1}=!;zero:L1.mlp",
)
MAYBE = {"right", "right_as_written"}


def _is_judged_as_by_hand(board: Board) -> set[str]:
    """Hold all that a board says of one condition against the rules; return the judgements that there are."""
    template, world = board.template, board.dataset.world
    names = [slot.name for slot in template.slots]
    separators = [slot.separator for slot in template.slots]
    document, frame, found = json.loads(json.dumps(board.to_json())), board.to_frame(), set()
    whole, single = [], []
    for row, state in enumerate(document["states"]):
        words = [template.vocabulary[index] for index in board.tokens[row]]
        judged, follows = judge_by_hand(
            world, words, names, separators, given=template.prompt_length, forced=board.forced
        )
        by_name = {name: word for name, word in zip(names, judged, strict=True) if name in world.answers}
        right = {name: token for name, token in zip(names, follows, strict=True) if name in world.answers}
        assert state["judgement"] == by_name
        assert state["truth_as_written"] == right
        assert state["correct_as_written"] == (set(judged) <= MAYBE | {"forced", "given"})
        line = frame.loc[state["state"]]
        assert {name: line[f"{name}_judgement"] for name in world.answers} == by_name
        of_line = {name: line[f"{name}_truth_as_written"] for name in world.answers}
        assert {name: None if pd.isna(token) else token for name, token in of_line.items()} == right
        assert line["correct_as_written"] == state["correct_as_written"] == board.correct_as_written[row]
        whole.append(state["correct_as_written"])
        single.append([word in MAYBE for word in by_name.values()])
        found |= set(by_name.values())
    share = document["accuracy_as_written"]
    groups = {"all": ..., "seen": ~board.held_out, "held_out": board.held_out}
    for group, rows in groups.items():
        assert share[group] == np.mean(np.array(whole)[rows])
        for index, name in enumerate(world.answers):
            if name not in board.forced:
                assert share["by_output"][name][group] == np.mean(np.array(single)[rows, index])
    assert set(share["by_output"]) == set(world.answers) - set(board.forced)
    for name, tally in board.tally_by_answer_as_written.items():
        assert sum(right for right, _ in tally.values()) == np.sum(single, axis=0)[world.answers.index(name)]
    return found


@pytest.mark.parametrize("condition", CONDITIONS)
def test_a_board_as_written(random_model: Model, condition: str):
    board = random_model.board(condition.format(*random_model.world.outputs))
    assert ("forced" in _is_judged_as_by_hand(board)) == ("force" in condition)


def test_boards_of_the_baselines_as_written(random_baseline: Model):
    for condition in ("", "force:{0}=!"):
        board = random_baseline.board(condition.format(*random_baseline.world.outputs))
        assert ("forced" in _is_judged_as_by_hand(board)) == bool(condition)


@pytest.mark.parametrize("condition", CONDITIONS)
def test_of_the_whole_as_written_is_what_the_rules_say_of_what_was_not_forced(
    random_model: Model, condition: str
):
    board = random_model.board(condition.format(*random_model.world.outputs))
    by_rules = board.correct if board.correct_do is None else board.correct_do
    assert board.correct_as_written.tolist() == by_rules.tolist()


@pytest.mark.parametrize("run", ["gpt2", "gpt2:50", "rnn", "cnn", "mann"])
@pytest.mark.parametrize("condition", ["", "force:newB=!"])
def test_the_shipped_models_as_written(run: str, condition: str):
    board = load_model("shipped", run, "cpu").board(condition)
    found = _is_judged_as_by_hand(board)
    by_rules = board.correct if board.correct_do is None else board.correct_do
    assert board.correct_as_written.tolist() == by_rules.tolist()
    assert ("forced" in found) == bool(condition)


def test_gpt2_counts_what_it_was_forced_to_write():
    """sum2 is what is written above it in 30 of 32 states, where by the rules it is right in 2."""
    board = load_model("shipped", "gpt2", "cpu").board("force:newB=!")
    assert {
        name: sum(right for right, _ in tally["sum2"].values())
        for name, tally in (
            ("by the rules", board.tally_by_answer),
            ("as written", board.tally_by_answer_as_written),
        )
    } == {"by the rules": 2, "as written": 30}
    assert board.accuracy_by_answer_as_written["sum2"].all == 30 / 32
    column = board.dataset.world.answers.index("sum2")
    assert (board.written == board.truth_do)[:, column].sum() == 16


@pytest.mark.slow
@pytest.mark.parametrize("given", ["", "\n0", "\n1,0", "\n,"])
@pytest.mark.parametrize("condition", ["", "force:{1}=!"])
def test_a_completion_as_written(random_model: Model, given: str, condition: str):
    template, world = random_model.template, random_model.world
    condition = condition.format(*world.outputs)
    if condition and given == "\n1,0":
        given = "\n1"
    names = [slot.name for slot in template.slots]
    separators = [slot.separator for slot in template.slots]
    for state in world.states[:: len(world.states) // 8]:
        done = complete(random_model, template.prompt(state) + given, condition)
        words = [template.vocabulary[index] for index in done.tokens]
        forced = world.outputs[1:2] if condition else ()
        judged, follows = judge_by_hand(world, words, names, separators, given=done.given, forced=forced)
        assert [str(JUDGEMENTS[place]) for place in done.judged] == judged
        right = [
            None if index == NOT_JUDGED else template.vocabulary[index] for index in done.truth_as_written
        ]
        assert right == follows
        is_free = [word for word in judged if word not in ("forced", "given", "given_against_rules")]
        assert done.correct_as_written == (set(is_free) <= MAYBE)


def test_a_text_without_a_prompt_is_not_judged(random_model: Model):
    for text in (",", "0,,"):
        done = complete(random_model, text)
        assert (done.judged, done.truth_as_written, done.correct_as_written) == (None, None, None)


def test_the_same_text_is_judged_alike_on_a_board_and_as_a_completion(random_model: Model):
    for condition in ("", f"force:{random_model.world.outputs[0]}=!"):
        board = random_model.board(condition)
        for row, state in enumerate(random_model.world.states[:8]):
            done = complete(random_model, random_model.template.prompt(state), condition)
            assert done.judged.tolist() == board.judged[row].tolist()
