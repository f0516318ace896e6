"""Snapshots: the model as it was on the way, to the last bit; few and small where they come with the project."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file, save_file

from playground.errors import RequestError
from playground.inference import open_model
from playground.models import ARCHITECTURES, load_checkpoint, snapshots_of
from playground.training import Job, train_model
from playground.training.shipping import choose_snapshots, thin_snapshots
from tests.conftest import SMALL, random_checkpoint
from tests.training.small_jobs import (
    assert_same_run,
    document_of,
    make_job,
    train,
    train_until,
    weights_of,
)

CPU = torch.device("cpu")


@pytest.fixture(scope="module", params=["gpt2", "rnn"])
def run(request, data, tmp_path_factory) -> tuple[Job, dict[int, dict[str, torch.Tensor]]]:
    """Return a training of 40 steps, and what the model was after each of them."""
    recipe = {
        "gpt2": {"epochs": 10, "learning_rate": 3e-3, "dropout": 0.1},
        "rnn": {"epochs": 10, "learning_rate": 3e-2},
    }[request.param]
    job = make_job(data, tmp_path_factory.mktemp("run"), request.param, recipe=recipe)
    return job, watch(job)


def watch(job: Job) -> dict[int, dict[str, torch.Tensor]]:
    """Do a job, and return what the optimizer has before it at every step."""
    made, weights = [], {}
    kind = type(ARCHITECTURES[job.architecture])
    with pytest.MonkeyPatch.context() as patch:
        original = kind.ensemble
        patch.setattr(kind, "ensemble", lambda *arguments: made.append(original(*arguments)) or made[-1])
        for record in train_model(job):
            model = made[0].model(0)
            weights[record.step.number] = {
                name: parameter.detach().clone() for name, parameter in model.named_parameters()
            }
    return weights


def test_there_are_twenty_of_a_training_of_forty_steps(run):
    job, _ = run
    kept = snapshots_of(job.folder / job.name)
    assert kept == [*range(11), *range(12, 21, 2), *range(24, 40, 4)]
    assert len(kept) == 20


def test_each_is_the_model_as_it_was_then(run):
    job, weights = run
    folder = job.folder / job.name
    for step in snapshots_of(folder):
        checkpoint = load_checkpoint(folder, CPU, step)
        assert checkpoint.step == step
        found = checkpoint.network.parameters()
        assert found.keys() == weights[step].keys()
        assert all(torch.equal(found[name], value) for name, value in weights[step].items())
    last = load_checkpoint(folder, CPU)
    assert last.step is None
    assert all(torch.equal(last.network.parameters()[name], value) for name, value in weights[40].items())


def test_each_does_what_run_json_says_that_the_model_did_then(run):
    job, _ = run
    folder = job.folder / job.name
    evaluations = {each["step"]: each["accuracy"] for each in document_of(folder)["evaluations"]}
    shares = set()
    for step in snapshots_of(folder):
        board = open_model(folder, "cpu", step=step).board()
        assert evaluations[step]["seen"] == board.accuracy.seen
        assert evaluations[step]["held_out"] == board.accuracy.held_out
        by_output = {name: share.to_json() for name, share in board.accuracy_by_answer.items()}
        assert evaluations[step]["by_output"] == by_output
        shares.add(board.accuracy.seen)
    assert len(shares) > 1  # It learns something on the way.


def test_what_it_took_is_what_it_had_taken_by_then(run):
    job, _ = run
    folder = job.folder / job.name
    evaluations = json.loads((folder / "run.json").read_text())["evaluations"]
    seconds = {each["step"]: each["seconds"] for each in evaluations}
    cost = load_checkpoint(folder, CPU, 12).cost
    assert cost.seconds == seconds[12]
    assert (cost.samples, cost.operations) == (None, None)
    assert cost.parameters == load_checkpoint(folder, CPU).cost.parameters


def test_the_first_is_the_untrained_model(run, data):
    job, _ = run
    first = load_checkpoint(job.folder / job.name, CPU, 0)
    model = ARCHITECTURES[job.architecture].make(first.dataset.template, job.size, 0)
    found = first.network.parameters()
    assert all(torch.equal(found[name], value) for name, value in model.named_parameters())


def test_a_step_that_was_not_kept_is_told_with_those_that_were(run):
    job, _ = run
    with pytest.raises(RequestError, match=r"expected one of 10, 12, 14 \(of 20\), got 13"):
        load_checkpoint(job.folder / job.name, CPU, 13)


def test_where_none_was_kept_that_is_told(random_folder):
    with pytest.raises(RequestError, match="no snapshot was kept"):
        load_checkpoint(random_folder, CPU, 1)


@pytest.fixture(scope="module")
def shipped(run, tmp_path_factory) -> Job:
    """Return the same training with what is kept of it small enough to come with the project."""
    job = replace(run[0], folder=tmp_path_factory.mktemp("shipped"), ship=True)
    train(job)
    return job


def test_of_what_is_shipped_eight_are_left_early_ones_rather_than_late_ones(run, shipped):
    job, _ = run
    kept = snapshots_of(shipped.folder / shipped.name)
    assert len(kept) == 8
    assert set(kept) < set(snapshots_of(job.folder / job.name))
    assert kept[-1] == 36
    assert sum(step <= 12 for step in kept) >= 4
    assert weights_of(shipped.folder / shipped.name) == weights_of(job.folder / job.name)


@pytest.mark.parametrize(
    ("steps", "kept"),
    [
        (
            [*range(0, 501, 50), *range(600, 1001, 100), *range(1200, 2001, 200), *range(2400, 3601, 400)],
            {0, 50, 100, 200, 400, 800, 1600, 3600},
        ),
        (range(9), {0, 1, 2, 3, 4, 5, 6, 8}),
        (range(8), set(range(8))),
        ([0, 7], {0, 7}),
        ([], set()),
    ],
)
def test_which_eight_are_left(steps, kept):
    assert choose_snapshots(steps) == kept


def test_what_is_shipped_writes_what_the_model_wrote_then(run, shipped):
    job, weights = run
    rounded = 0
    for step in snapshots_of(shipped.folder / shipped.name):
        tensors = load_file(shipped.folder / shipped.name / "snapshots" / f"{step}.safetensors")
        half = {tensor.dtype for tensor in tensors.values()} == {torch.float16}
        rounded += half
        for name, tensor in tensors.items():
            assert torch.equal(tensor, weights[step][name].half() if half else weights[step][name])
        boards = [open_model(each.folder / each.name, "cpu", step=step).board() for each in (job, shipped)]
        assert boards[0].tokens.tolist() == boards[1].tokens.tolist()
    assert rounded > 0


def test_what_is_rounded_is_so_on_disk_only_where_it_is_shipped(shipped):
    """What was kept on the way and what is put into place are the same files."""
    again = replace(shipped, folder=shipped.folder.with_name(f"{shipped.folder.name}-again"))
    train_until(again, 30)
    train(replace(again, resume=True))
    assert_same_run(again.folder / again.name, shipped.folder / shipped.name)


@pytest.mark.parametrize("architecture", ["gpt2", "cnn"])
def test_a_snapshot_that_would_write_something_else_is_not_rounded(second_spec, tmp_path, architecture):
    folder = random_checkpoint(second_spec, tmp_path / architecture, architecture=architecture)
    # Weights that half precision has.
    tensors = {
        name: tensor.half().float() for name, tensor in load_file(folder / "model.safetensors").items()
    }
    (folder / "snapshots").mkdir()
    save_file(tensors, folder / "snapshots" / "1.safetensors")
    # The same answers, with scores that half precision has no numbers for.
    large = {"gpt2": "transformer.ln_f", "cnn": "unembed"}[architecture]
    scaled = {name: tensor * 1e6 if name.startswith(large) else tensor for name, tensor in tensors.items()}
    assert scaled.keys() == tensors.keys()
    save_file(scaled, folder / "snapshots" / "2.safetensors")
    before = [open_model(folder, "cpu", step=step).board().tokens.tolist() for step in (1, 2)]
    assert before[0] == before[1]
    thin_snapshots(folder, ARCHITECTURES[architecture], second_spec, SMALL[architecture])
    left = [load_file(folder / "snapshots" / f"{step}.safetensors") for step in (1, 2)]
    assert {tensor.dtype for tensor in left[0].values()} == {torch.float16}
    assert {tensor.dtype for tensor in left[1].values()} == {torch.float32}
    after = [open_model(folder, "cpu", step=step).board().tokens.tolist() for step in (1, 2)]
    assert after == before


def test_where_no_snapshot_was_kept_there_is_nothing_to_thin(second_spec, tmp_path):
    folder = random_checkpoint(second_spec, tmp_path / "gpt2")
    thin_snapshots(folder, ARCHITECTURES["gpt2"], second_spec, SMALL["gpt2"])
    assert not (folder / "snapshots").exists()
