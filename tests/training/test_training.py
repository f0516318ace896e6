"""One training: what follows from its seed, when it ends, what is written and what is not."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from torch.nn.functional import cross_entropy

from playground.datasets import DatasetSpec, guess, load_dataset
from playground.errors import RequestError
from playground.inference import open_model
from playground.models import ARCHITECTURES, Size
from playground.training import Recipe, report_on
from tests.training.small_jobs import (
    assert_same_run,
    document_of,
    draw_data,
    left_in,
    make_job,
    train,
    train_until,
    weights_of,
)


@pytest.fixture(scope="module")
def second_data(second_world, tmp_path_factory) -> Path:
    return draw_data(second_world, tmp_path_factory.mktemp("data") / "d", train=64, held_out=((1, 1, 0),))


@pytest.mark.parametrize("changes", [{"dropout": 0.1}, {"dropout": 0.0}], ids=str)
def test_same_seed_same_weights(second_data, tmp_path, changes):
    recipe = {"epochs": 1, **changes}
    for place, seed in (("a", 5), ("b", 5), ("c", 6)):
        train(make_job(second_data, tmp_path / place, seeds=(seed,), recipe=recipe))
        torch.rand(7)  # What else draws random numbers must not matter.
    assert_same_run(tmp_path / "a" / "gpt2@5", tmp_path / "b" / "gpt2@5")
    assert weights_of(tmp_path / "a" / "gpt2@5") != weights_of(tmp_path / "c" / "gpt2@6")


def test_dropout_makes_another_model(second_data, tmp_path):
    for place, dropout in (("a", 0.0), ("b", 0.1)):
        train(make_job(second_data, tmp_path / place, recipe={"epochs": 1, "dropout": dropout}))
    assert weights_of(tmp_path / "a" / "gpt2") != weights_of(tmp_path / "b" / "gpt2")


def test_what_is_dropped_follows_from_the_seed(second_data, tmp_path):
    job = make_job(second_data, tmp_path, seeds=(5,), recipe={"dropout": 0.1})
    train_until(job, 0)
    state, _ = job.unfinished.load()
    assert torch.equal(state["generator.cpu"], torch.Generator().manual_seed(5).get_state())
    train_until(replace(job, resume=True), 1)
    assert not torch.equal(job.unfinished.load()[0]["generator.cpu"], state["generator.cpu"])


@pytest.mark.parametrize("architecture", ["gpt2", "rnn"])
def test_training_leaves_random_numbers_and_threads_as_they_were(second_data, tmp_path, architecture):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    train(make_job(second_data, tmp_path, architecture, recipe={"epochs": 0.5, "threads": threads + 1}))
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_run_json_says_what_was_done_and_what_came_of_it(second_data, tmp_path):
    job = make_job(
        second_data, tmp_path, seeds=(3,), recipe={"epochs": 21.75, "evaluate_every": 5, "dropout": 0.1}
    )
    records = train(job)
    document = document_of(tmp_path / "gpt2@3")
    spec = load_dataset(second_data).spec
    assert [record.step.number for record in records] == list(range(88))
    assert {record.step.total for record in records} == {87}
    # At every snapshot, every five steps, at the end of every epoch and of the training.
    snapshots = {*range(0, 21, 2), *range(24, 41, 4), *range(48, 81, 8)}
    assert [each["step"] for each in document["evaluations"]] == sorted(
        snapshots | set(range(0, 87, 5)) | set(range(4, 87, 4)) | {87}
    )
    told = [each["step"] for each in document["evaluations"] if "validation_on_seen_states" in each]
    assert told == [*range(4, 87, 4), 87]
    assert [record.step.number for record in records if record.evaluations] == [
        each["step"] for each in document["evaluations"]
    ]
    losses = [record.step.loss for record in records]
    assert losses[0] is document["evaluations"][0]["loss"] is None
    assert document["evaluations"][3]["loss"] == pytest.approx(losses[5])
    assert document["evaluations"][2]["loss"] == pytest.approx((losses[3] + losses[4]) / 2)
    assert DatasetSpec.from_json(document["dataset"], "") == spec
    assert Recipe.from_json(document["recipe"]) == job.recipe
    assert document["architecture"] == "gpt2"
    assert document["size"] == {"width": 16, "layers": 1, "heads": 2}
    assert document["seed"] == 3
    assert document["side_by_side"] == 1
    assert document["command"] == "the tests"
    assert document["device"] == "cpu"
    assert document["steps"] == 87
    assert document["samples"] == 21 * 64 + 3 * 16
    model = open_model(tmp_path / "gpt2@3", "cpu")
    assert document["parameters"] == sum(each.numel() for each in model.network.parameters().values())
    assert document["accuracy"] == {
        "seen": model.board().accuracy.seen,
        "held_out": model.board().accuracy.held_out,
    }
    assert document["guessing"] == guess(spec).to_json()
    assert records[-1].evaluation.board.tokens.tolist() == model.board().tokens.tolist()
    tokens = 16 * (spec.template.length - 1)
    # Two operations for a product and a sum; twice as much backward; the vectors are no matrix products.
    matrices = sum(each.numel() for each in model.network.parameters().values() if each.dim() == 2)
    assert 87 * 2 * 3 * tokens * 0.7 * matrices < document["operations"] < 87 * 2 * 3 * tokens * 2 * matrices


def test_validation_is_the_mean_over_the_samples(world_data, tmp_path):
    last = train(make_job(world_data, tmp_path, recipe={"epochs": 3, "learning_rate": 1e-2}))[-1].evaluation
    model = open_model(tmp_path / "gpt2", "cpu")
    dataset = load_dataset(world_data)
    samples = torch.from_numpy(dataset.valid)
    scores = model.network.forward(samples).logits
    loss = cross_entropy(scores[:, :-1].flatten(0, 1), samples[:, 1:].flatten())
    assert last.validation.loss == pytest.approx(loss.item(), abs=1e-5)
    right = {s: bool(c) for s, c in zip(model.world.states, model.board().correct, strict=True)}
    states = [tuple(row[: dataset.spec.template.prompt_length : 2].tolist()) for row in samples]
    assert last.validation.accuracy == pytest.approx(sum(right[s] for s in states) / len(states))


def test_training_learns(default_world, tmp_path):
    data = draw_data(default_world, tmp_path / "d", train=3_200)
    job = make_job(
        data, tmp_path, size=Size(width=64, layers=2, heads=4), recipe={"epochs": 1, "learning_rate": 4e-3}
    )
    records = train(job)
    assert records[1].step.loss > 1.5
    assert records[-1].step.loss < 0.4
    assert records[0].evaluation.board.accuracy.all == 0
    assert records[-1].evaluation.board.accuracy.all > 0.2


@pytest.mark.parametrize("architecture", ["rnn", "cnn", "mann"])
def test_baselines_learn_by_the_same_loop(second_data, tmp_path, architecture):
    layers = ARCHITECTURES[architecture].default_size(load_dataset(second_data).spec.template).layers
    job = make_job(
        second_data,
        tmp_path,
        architecture,
        size=Size(width=16, layers=layers),
        recipe={"epochs": 3, "learning_rate": 4e-2, "batch_size": 32},
    )
    records = train(job)
    assert records[-1].step.loss < 0.95 * records[1].step.loss
    document = document_of(tmp_path / architecture)
    assert document["architecture"] == architecture
    assert document["size"] == {"width": 16, "layers": layers}
    assert document["recipe"]["learning_rate"] == 4e-2
    assert document["samples"] == 3 * 64
    assert document["operations"] > document["parameters"]
    model = open_model(tmp_path / architecture, "cpu")
    assert document["parameters"] == sum(each.numel() for each in model.network.parameters().values())
    assert records[-1].evaluation.board.tokens.tolist() == model.board().tokens.tolist()


def seen_in(records) -> list[float]:
    return [record.evaluation.board.accuracy.seen for record in records if record.evaluations]


def test_with_a_cap_a_training_goes_on_until_every_seen_state_is_written_twice_running(second_data, tmp_path):
    recipe = {
        "epochs": 0.5,
        "cap": 60,
        "learning_rate": 8e-3,
        "learning_rate_floor": 0.5,
        "evaluate_every": 3,
    }
    records = train(make_job(second_data, tmp_path, "cnn", recipe=recipe))
    seen = seen_in(records)
    assert seen[-2:] == [1.0, 1.0]
    assert not any(one == other == 1.0 for one, other in pairwise(seen[:-1]))
    assert 2 < records[-1].step.number < 60 * 4
    assert document_of(tmp_path / "cnn")["learnt"] is True
    rates = [record.step.learning_rate for record in records[1:]]
    assert rates[:3] == pytest.approx([8e-3, 4e-3, 4e-3])
    assert set(rates[2:]) == {4e-3}
    assert [records[index].step.total for index in (0, 1, 2, 3)] == [2, 2, 2, 240]


def test_a_training_that_has_learnt_by_the_end_of_its_epochs_ends_there(second_data, tmp_path):
    recipe = {"epochs": 15, "cap": 60, "learning_rate": 2e-2, "evaluate_every": 4}
    records = train(make_job(second_data, tmp_path, "cnn", recipe=recipe))
    assert records[-1].step.number == 15 * 4
    assert document_of(tmp_path / "cnn")["learnt"] is True
    assert seen_in(records)[-3:-1] == [1.0, 1.0]  # It would have been enough before.


def test_one_that_is_to_end_when_it_has_learnt_ends_before_its_epochs_have_passed(second_data, tmp_path):
    recipe = {"epochs": 40, "until_learned": True, "learning_rate": 1e-2, "evaluations_running": 3}
    records = train(make_job(second_data, tmp_path, "cnn", recipe=recipe))
    seen = seen_in(records)
    assert records[-1].step.number < 40 * 4
    assert seen[-3:] == [1.0] * 3
    assert [1.0] * 3 not in [seen[place : place + 3] for place in range(len(seen) - 3)]
    assert records[-1].evaluation.validation.accuracy == 1.0


def test_a_training_that_never_learns_ends_at_its_cap_and_says_so(second_data, tmp_path):
    recipe = {"epochs": 1, "cap": 3, "learning_rate": 1e-9, "evaluate_every": 3}
    records = train(make_job(second_data, tmp_path, "rnn", recipe=recipe))
    assert [record.step.total for record in records] == [4] * 5 + [12] * 8
    assert document_of(tmp_path / "rnn")["learnt"] is False


def test_a_size_that_cannot_be_built_is_told_before_anything_is_written(world_data, tmp_path):
    job = make_job(world_data, tmp_path / "models", "cnn", size=Size(width=16, layers=4, heads=2))
    with pytest.raises(RequestError, match="none: CNN has no attention heads"):
        train(job)
    assert not (tmp_path / "models").exists()
    (report,) = report_on(job, lambda: False)
    assert [fault.got for fault in report.failure.faults] == ["2"]


def test_hold_outs_that_leave_nothing_are_told_before_anything_is_written(second_data, tmp_path):
    with pytest.raises(RequestError, match="expected 0 to 7 of the world's 8 states"):
        train(make_job(second_data, tmp_path / "models", omit_random=8))
    assert not (tmp_path / "models").exists()


def test_what_is_written_and_nothing_else(second_data, tmp_path):
    train(make_job(second_data, tmp_path, recipe={"epochs": 1}))
    assert left_in(tmp_path) == ["gpt2"]
    names = {path.name for path in (tmp_path / "gpt2").iterdir()}
    assert {"config.json", "model.safetensors", "run.json", "snapshots", "tokenizer.json"} <= names
    assert not any(name.startswith(".") for name in names)
    assert json.loads((tmp_path / "gpt2" / "run.json").read_text())["seconds"] > 0
