"""Boards: every number of them from the logits by another way."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from playground.errors import RequestError
from playground.inference import board, load_model


def test_numbers_of_a_board(random_model):
    run, board = random_model.run_all("zero:L0H0"), random_model.board("zero:L0H0")
    template, world = random_model.template, random_model.world
    right_states = 0
    for row, state in enumerate(world.states):
        values = world.evaluate(state)
        for column, name in enumerate(world.answers):
            position = template.positions[name]
            scores = run.logits[row, position - 1].double().numpy()
            right = template.ids[str(values[name])]
            assert board.truth[row, column] == right
            assert board.written[row, column] == scores.argmax()
            margin = scores[right] - max(score for i, score in enumerate(scores) if i != right)
            assert board.margin[row, column] == pytest.approx(margin, abs=1e-5)
            probability = np.exp(scores - scores.max())
            probability /= probability.sum()
            assert board.probability[row, column] == pytest.approx(probability[scores.argmax()], abs=1e-5)
            assert (board.margin[row, column] > 0) == (board.written[row, column] == right)
        right_text = template.decode(run.tokens[row].numpy()) == template.prompt(state) + template.completion(
            state
        )
        assert board.correct[row] == right_text
        assert board.held_out[row] == (state in random_model.dataset.held_out)
        right_states += right_text
    assert board.accuracy.all == right_states / len(world.states)


def test_accuracies_are_shares_of_seen_and_held_out_states(random_model):
    board = random_model.board()
    for index, share in enumerate(board.accuracy_by_answer.values()):
        right = board.written[:, index] == board.truth[:, index]
        assert share.seen == right[~board.held_out].mean()
        assert share.held_out == right[board.held_out].mean()
        assert share.all == right.mean()
    assert len(board.accuracy_by_answer) == len(random_model.world.answers)


def test_the_document_of_a_board(random_model):
    board = random_model.board("zero:L0H0;mean:L1.mlp")
    document = json.loads(json.dumps(board.to_json()))
    assert set(document) == {
        "model",
        "world",
        "interventions",
        "outputs",
        "states",
        "accuracy",
        "accuracy_as_written",
        "guessing",
        "never_seen",
    }
    assert document["interventions"] == ["zero:L0H0", "mean:L1.mlp"]
    assert document["outputs"] == list(random_model.world.answers)
    assert len(document["states"]) == len(random_model.world.states)
    first = document["states"][0]
    assert set(first) == {
        "state",
        "held_out",
        "truth",
        "written",
        "probability",
        "margin",
        "correct",
        "truth_as_written",
        "correct_as_written",
        "judgement",
    }
    assert set(first["written"]) == set(random_model.world.answers)
    assert all(isinstance(token, str) for token in first["truth"].values())
    assert set(document["accuracy"]) == {"all", "seen", "held_out", "by_output"}


def test_without_interventions_the_board_is_the_clean_one(random_model):
    assert torch.equal(random_model.run_all("").tokens, random_model.baseline_run.tokens)
    assert np.array_equal(random_model.board().tokens, random_model.baseline_run.tokens.numpy())


@pytest.mark.parametrize("text", ["zero:L7", "zero:L0H9", "mean:L0@nowhere", "junk", "zero:L0H0;zero:L0H0@>"])
def test_what_the_model_lacks_is_an_error_and_never_silently_left_out(random_model, text):
    with pytest.raises(RequestError):
        random_model.board(text)


@pytest.mark.parametrize("values", ["0", "1", "!", "!!"])
def test_what_is_true_under_force_is_what_the_rules_say_with_it_set_by_hand(random_model, values):
    """Brute force over all states, with `World.do` for each alone."""
    template, world = random_model.template, random_model.world
    forced = world.outputs[: len(values)]
    text = ";".join(f"force:{name}={value}" for name, value in zip(forced, values, strict=True))
    board = random_model.board(text)
    assert board.forced == forced
    right, right_do, by_answer = [], [], []
    for row, state in enumerate(world.states):
        set_by_hand = {
            name: int(template.vocabulary[board.tokens[row, template.positions[name]]]) for name in forced
        }
        done = world.do(**set_by_hand).evaluate(state)
        assert board.truth_do[row].tolist() == [template.ids[str(done[name])] for name in world.answers]
        for truth, whole in ((world.evaluate(state), right), (done, right_do)):
            judged = template.encode(template.prompt(state) + template.completion(state))
            for name in world.answers:
                position = template.positions[name]
                judged[position] = template.ids[str(truth[name])]
                if name in forced:
                    judged[position] = board.tokens[row, position]
            whole.append(judged == board.tokens[row].tolist())
        free = [name for name in world.answers if name not in forced]
        by_answer.append(
            [board.tokens[row, template.positions[name]] == template.ids[str(done[name])] for name in free]
        )
    assert board.correct.tolist() == right
    assert board.correct_do.tolist() == right_do
    assert board.accuracy_do.all == np.mean(right_do)
    assert board.accuracy_do.held_out == np.mean(np.array(right_do)[board.held_out])
    shares = {name: share.all for name, share in board.accuracy_by_answer_do.items()}
    assert shares == pytest.approx(dict(zip(free, np.mean(by_answer, axis=0), strict=True)))
    assert set(board.accuracy_by_answer) == set(free)
    document = json.loads(json.dumps(board.to_json()))
    assert document["accuracy_do"]["all"] == board.accuracy_do.all
    assert set(document["accuracy_do"]["by_output"]) == set(free)
    for row, state in enumerate(document["states"]):
        assert list(state["truth_do"].values()) == [template.vocabulary[i] for i in board.truth_do[row]]


def test_without_force_there_is_one_truth(random_model):
    board = random_model.board("zero:L0H0")
    assert board.truth_do is None
    assert board.correct_do is None
    assert board.accuracy_do is None
    assert "accuracy_do" not in board.to_json()


def test_a_board_by_the_function_and_of_a_run_at_hand(random_model):
    text = "flip:L0.mlp.W_in~20%#1;zero:L1H0"
    expected = random_model.board(text)
    for other in (
        board(random_model, text),
        random_model.board(text, random_model.run_all(text, shown=False)),
    ):
        assert other.to_json() == expected.to_json()
    assert board(random_model).to_json() == random_model.baseline.to_json()


def test_scores_that_are_no_numbers_are_an_error():
    with pytest.raises(RequestError, match="Take a smaller amount"):
        load_model("shipped", "mann", "cpu").board("scale:memory~1000")
