"""Models that learn side by side: each learns what it would learn alone, from its own data in its own order."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from playground.datasets import DatasetSpec, draw_dataset, load_dataset
from playground.models.gpt2.trainer import Gpt2Ensemble
from playground.training import Job, Progress
from tests.training.small_jobs import (
    document_of,
    left_in,
    make_job,
    train,
    train_until,
    weights_of,
)

pytestmark = pytest.mark.slow

SEEDS = (0, 1, 2)
NAMES = ("gpt2", "gpt2@1", "gpt2@2")


@pytest.fixture(scope="module", params=[None, 2], ids=["same states held out", "each its own"])
def both(request, data, tmp_path_factory) -> tuple[Job, Job]:
    """Return a training of three models side by side, and where each was trained alone."""
    together, alone = (
        make_job(data, tmp_path_factory.mktemp(name), omit_random=request.param)
        for name in ("together", "alone")
    )
    for seed in SEEDS:
        train(replace(alone, seeds=(seed,)))
    together = replace(together, seeds=SEEDS)
    train(together)
    return together, alone


def assert_close(one: Path, other: Path) -> None:
    """Do nothing if two runs learnt the same weights, but for the order of additions."""
    weights = [load_file(run / "model.safetensors") for run in (one, other)]
    assert weights[0].keys() == weights[1].keys()
    for name, tensor in weights[0].items():
        assert (tensor - weights[1][name]).abs().max() < 1e-5, name


def test_each_learns_what_it_learns_alone(both):
    together, alone = both
    assert left_in(together.folder) == list(NAMES)
    assert len({weights_of(together.folder / name) for name in NAMES}) == 3
    for name in NAMES:
        assert_close(together.folder / name, alone.folder / name)


def evaluations_of(job: Job, name: str, what: str) -> list:
    """Return what run.json says at every evaluation of one thing."""
    return [evaluation.get(what) for evaluation in document_of(job.folder / name)["evaluations"]]


def test_run_json_says_of_each_what_it_says_of_it_alone(both):
    for name in NAMES:
        together, alone = (document_of(job.folder / name) for job in both)
        assert (together.pop("side_by_side"), alone.pop("side_by_side")) == (3, 1)
        del together["evaluations"], alone["evaluations"]
        # Weights are the same but for rounding, and there are no snapshots of them.
        learnt_from = [
            {name: digest for name, digest in each.pop("sha256").items() if name.startswith("dataset.")}
            for each in (together, alone)
        ]
        assert learnt_from[0] == learnt_from[1]
        assert together == alone
        for what in ("step", "epoch", "accuracy"):
            assert evaluations_of(both[0], name, what) == evaluations_of(both[1], name, what)


def test_the_losses_of_each_are_its_own(both):
    for name in NAMES:
        together, alone = (evaluations_of(job, name, "loss") for job in both)
        assert together[0] is alone[0] is None
        assert together[1:] == pytest.approx(alone[1:], abs=1e-5)


def test_the_validation_samples_of_each_are_its_own(both):
    for name in NAMES:
        together, alone = (evaluations_of(job, name, "validation_on_seen_states") for job in both)
        assert [found is None for found in together] == [expected is None for expected in alone]
        for found, expected in zip(together, alone, strict=True):
            assert found == (expected and pytest.approx(expected, abs=1e-5))


def record_samples(monkeypatch: pytest.MonkeyPatch) -> list[torch.Tensor]:
    """Return what will have the samples of every step."""
    learn, seen = Gpt2Ensemble.learn, []

    def learn_and_tell(self, tokens):
        seen.append(tokens.clone())
        return learn(self, tokens)

    monkeypatch.setattr(Gpt2Ensemble, "learn", learn_and_tell)
    return seen


@pytest.mark.parametrize("omit_random", [None, 2])
def test_the_samples_are_its_own_in_the_order_of_its_own_seed(data, tmp_path, monkeypatch, omit_random):
    seen = record_samples(monkeypatch)
    seeds = (5, 2**40, 0)
    job = make_job(data, tmp_path, seeds=seeds, omit_random=omit_random, recipe={"epochs": 2})
    train(job)
    batches = seen[-8:]  # Before, the operations of a step are counted.
    assert [batch.shape[1] for batch in batches] == [16, 16, 16, 8] * 2
    for index, name in enumerate(job.names):
        document = json.loads((tmp_path / name / "run.json").read_text())
        spec = DatasetSpec.from_json(document["dataset"], "")
        samples = torch.from_numpy((load_dataset(data) if omit_random is None else draw_dataset(spec)).train)
        generator = torch.Generator().manual_seed(seeds[index])
        order = torch.cat([torch.randperm(56, generator=generator) for _ in range(2)])
        assert torch.equal(torch.cat([batch[index] for batch in batches]), samples[order])


def test_each_has_its_own_hold_out_and_never_sees_it(data, tmp_path, monkeypatch):
    seen = record_samples(monkeypatch)
    job = make_job(data, tmp_path, seeds=tuple(range(6)), omit_random=3, recipe={"epochs": 1})
    train(job)
    hold_outs = []
    for index, name in enumerate(job.names):
        document = json.loads((tmp_path / name / "run.json").read_text())
        spec = DatasetSpec.from_json(document["dataset"], "")
        learnt = {tuple(row) for batch in seen for row in batch[index].tolist()}
        hold_outs.append(frozenset(spec.held_out))
        assert len(hold_outs[-1]) == 3
        rows = dict(zip(spec.world.states, map(tuple, spec.template.truth.tolist()), strict=True))
        # Enough samples for every other state to be among them.
        assert learnt == {row for state, row in rows.items() if state not in hold_outs[-1]}
    assert len(set(hold_outs)) > 3


LEARNS = {"until_learned": True, "epochs": 40, "learning_rate": 1e-2, "evaluate_every": 2}


@pytest.fixture(scope="module")
def learnt(data, tmp_path_factory) -> tuple[Job, list[Progress]]:
    """Return a training in which each model ends when it can write every seen state, and what it said."""
    job = make_job(data, tmp_path_factory.mktemp("learnt"), seeds=SEEDS, recipe=LEARNS)
    return job, train(job)


@pytest.fixture(scope="module")
def learnt_alone(data, tmp_path_factory) -> Job:
    """Return where each of them was trained alone."""
    job = make_job(data, tmp_path_factory.mktemp("alone"), recipe=LEARNS)
    for seed in SEEDS:
        train(replace(job, seeds=(seed,)))
    return job


def test_each_ends_when_it_has_learnt_and_is_kept_as_it_was_then(learnt, learnt_alone):
    (learnt, _), steps = learnt, []
    for name in NAMES:
        document = document_of(learnt.folder / name)
        seen = [evaluation["accuracy"]["seen"] for evaluation in document["evaluations"]]
        assert seen[-2:] == [1.0, 1.0]
        assert not any(one == other == 1.0 for one, other in pairwise(seen[:-1]))
        assert document["learnt"] is True
        assert document["steps"] == document["evaluations"][-1]["step"] < 160
        steps.append(document["steps"])
        alone = document_of(learnt_alone.folder / name)
        for what in ("steps", "samples", "operations", "accuracy"):
            assert document[what] == alone[what]
        assert_close(learnt.folder / name, learnt_alone.folder / name)
    assert len(set(steps)) > 1


def test_what_is_told_of_each_does_not_depend_on_when_others_end(learnt, learnt_alone):
    learnt, _ = learnt
    for name in NAMES:
        together, alone = (document_of(job.folder / name)["evaluations"] for job in (learnt, learnt_alone))
        assert [sorted(each) for each in together] == [sorted(each) for each in alone]


def test_it_goes_on_after_some_have_learnt_and_others_not(learnt, tmp_path):
    learnt, _ = learnt
    first, *_, last = sorted(document_of(learnt.folder / name)["steps"] for name in NAMES)
    job = replace(learnt, folder=tmp_path)
    train_until(job, first - 1)
    train_until(replace(job, resume=True), first)
    train_until(replace(job, resume=True), last - 1)
    train_until(replace(job, resume=True), last)
    assert left_in(tmp_path) == [".gpt2-2.unfinished"]
    train(replace(job, resume=True))
    assert left_in(tmp_path) == list(NAMES)
    for name in NAMES:
        assert weights_of(tmp_path / name) == weights_of(learnt.folder / name)
        assert document_of(tmp_path / name) == document_of(learnt.folder / name)


def test_what_one_learns_does_not_depend_on_the_others_dropout_aside(data, tmp_path):
    """With dropout they draw from one generator: another result, but always the same one."""
    jobs = [
        make_job(data, tmp_path / name, seeds=SEEDS, recipe={"dropout": 0.1, "epochs": 1}) for name in "ab"
    ]
    for job in jobs:
        train(job)
    for name in NAMES:
        assert weights_of(jobs[0].folder / name) == weights_of(jobs[1].folder / name)
        assert document_of(jobs[0].folder / name) == document_of(jobs[1].folder / name)


def test_no_snapshots_are_kept_side_by_side(both):
    together, alone = both
    assert not any((together.folder / name / "snapshots").exists() for name in NAMES)
    assert all((alone.folder / name / "snapshots").exists() for name in NAMES)


def test_records_tell_of_those_that_still_learn(learnt):
    job, records = learnt
    told = [set(record.evaluations) for record in records if record.evaluations]
    assert told[0] == set(SEEDS)
    assert all(later <= earlier for earlier, later in pairwise(told))
    for seed, name in zip(SEEDS, NAMES, strict=True):
        last = [record.step.number for record in records if seed in record.evaluations][-1]
        assert last == document_of(job.folder / name)["steps"]
