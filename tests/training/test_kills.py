"""A training that is killed, wherever it is at the time, goes on: to the last bit as if it had never been."""

from __future__ import annotations

import multiprocessing
import random
import shutil
import signal
from dataclasses import replace

import pytest
import torch

from playground.models import load_checkpoint
from playground.training import Job, unfinished_runs
from tests.support.forking import begin
from tests.training.processes import (
    end_of,
    train_and_die,
    train_and_die_after,
    train_and_die_removing,
    train_within,
)
from tests.training.small_jobs import (
    assert_same_run,
    document_of,
    left_in,
    make_job,
    make_job_with_dropout,
    put_older_run,
    train,
    train_until,
    weights_of,
)

pytestmark = pytest.mark.slow

KILLED = -signal.SIGKILL


@pytest.fixture(scope="module", params=["gpt2", "rnn"])
def whole(request, data, tmp_path_factory) -> Job:
    """Return a training that nothing happened to."""
    job = make_job_with_dropout(data, tmp_path_factory.mktemp("whole"), request.param)
    train(job)
    return job


@pytest.fixture
def older(whole, tmp_path) -> dict:
    """Put an older run of the same name into place, and return what it says of itself."""
    put_older_run(whole, tmp_path)
    return document_of(tmp_path / whole.name)


def assert_nothing_is_half_there(job: Job, *known: dict) -> None:
    """Do nothing if some whole run can be read under the name, and nothing else is found there."""
    for path in job.folder.rglob("run.json"):
        assert document_of(path.parent) in known
    run = job.folder / job.name
    readable = run if run.exists() else run.with_name(f"{run.name}.previous")
    checkpoint = load_checkpoint(readable, torch.device("cpu"))
    assert checkpoint.run.steps == 20


def test_killed_at_random_moments_again_and_again(whole, older, tmp_path):
    job, moments = replace(whole, folder=tmp_path), random.Random(0)
    expected = document_of(whole.folder / whole.name)
    hearing, saying = multiprocessing.Pipe(duplex=False)
    assert end_of(begin(train_and_die_after, replace(whole, folder=tmp_path / "counted"), None, saying)) == 0
    of_all = hearing.recv()
    shutil.rmtree(tmp_path / "counted")
    kills, attempts, finished = 0, 0, False
    while kills < 10 or not finished:
        begun = bool(unfinished_runs(tmp_path))
        attempts += 1
        # Longer and longer, so that it comes to an end.
        most = round(moments.uniform(0, of_all * (0.2 + 0.02 * attempts)))
        process = begin(train_and_die_after, replace(job, resume=begun), max(most, 1), saying)
        status = end_of(process)
        assert status in (0, KILLED)
        kills += status == KILLED
        finished = status == 0
        assert_nothing_is_half_there(job, older, expected)
        if finished:
            assert_same_run(tmp_path / job.name, whole.folder / whole.name)
            assert left_in(tmp_path) == [job.name, f"{job.name}.previous"]


PLACES = {
    "while it takes its first board": {"place": "playground.training.training_run.measure_boards"},
    "while it is written who trains": {"place": "os.fsync"},
    "while what was asked for is written": {"place": "os.fsync", "call": 2},
    "while the first snapshot is written": {"place": "os.fsync", "call": 3},
    "while the first state is written": {"place": "os.fsync", "call": 4},
    "before the first step": {"place": "playground.training.loop.Loop.step"},
    "while it takes a board": {"place": "playground.training.training_run.measure_boards", "call": 3},
    "while it measures validation": {"place": "playground.training.training_run.measure_validation"},
    "in a step": {"place": "playground.training.loop.Loop._learn", "call": 2, "after": True},
    "between snapshot and state": {
        "place": "playground.training.resume.ResumeState.snapshot",
        "after": True,
    },
    "while a state is written": {"place": "os.fsync", "call": 5},
    "before a state is put into place": {
        "place": "pathlib.Path.replace",
        "touching": r"/state\.safetensors'\)\)",
        "call": 2,
    },
    "once a state is in place": {
        "place": "pathlib.Path.replace",
        "touching": r"/state\.safetensors'\)\)",
        "after": True,
    },
    "once all is learnt": {"place": "playground.training.training_run.save_model"},
    "once the weights are written": {"place": "playground.training.training_run.save_model", "after": True},
    "while the snapshots are given": {"place": "os.link", "call": 4},
    "while the record of the run is written": {
        "place": "pathlib.Path.replace",
        "touching": r"/run\.json'\)\)",
    },
    "before the run is put into place": {"place": "playground.files._swap"},
    "between the two moves": {"place": "pathlib.Path.replace", "touching": r"previous'\)\)", "after": True},
    "once the run is in place": {
        "place": "pathlib.Path.replace",
        "touching": r"partial-\w+'\), ",
        "after": True,
    },
    "before what was kept is removed": {"place": "playground.training.resume.ResumeState.remove"},
}
"""In the order in which a training comes there: what one process leaves behind is what the next finds."""


def test_killed_at_one_place_after_another(whole, older, tmp_path):
    job, expected = replace(whole, folder=tmp_path), document_of(whole.folder / whole.name)
    for name, options in PLACES.items():
        process = begin(train_and_die, replace(job, resume=job.unfinished.exists), **options)
        assert end_of(process) == KILLED, name
        assert_nothing_is_half_there(job, older, expected)
    assert job.unfinished.exists
    train(replace(job, resume=True))
    assert_same_run(tmp_path / job.name, whole.folder / whole.name)
    assert document_of(tmp_path / f"{job.name}.previous") == older
    assert left_in(tmp_path) == [job.name, f"{job.name}.previous"]


def test_killed_while_what_was_kept_is_removed(whole, tmp_path):
    job = replace(whole, folder=tmp_path)
    assert end_of(begin(train_and_die_removing, job)) == KILLED
    assert_same_run(tmp_path / job.name, whole.folder / whole.name)
    train(replace(job, resume=True))
    assert_same_run(tmp_path / job.name, whole.folder / whole.name)
    assert unfinished_runs(tmp_path) == []


def test_killed_when_one_of_two_runs_is_in_place(data, tmp_path):
    jobs = [make_job(data, tmp_path / name, seeds=(0, 1)) for name in ("whole", "killed")]
    train(jobs[0])
    process = begin(train_and_die, jobs[1], "playground.training.training_run.save_model", 2)
    assert end_of(process) == KILLED
    assert not (jobs[1].folder / "gpt2@1").exists()
    at = (jobs[1].folder / "gpt2").stat().st_mtime_ns
    train(replace(jobs[1], resume=True))
    for name in ("gpt2", "gpt2@1"):
        assert weights_of(jobs[1].folder / name) == weights_of(jobs[0].folder / name)
        assert document_of(jobs[1].folder / name) == document_of(jobs[0].folder / name)
    assert left_in(jobs[1].folder) == ["gpt2", "gpt2@1"]
    assert (jobs[1].folder / "gpt2").stat().st_mtime_ns == at  # It was not put there twice.


def test_a_state_that_no_longer_fits_is_told_in_words_and_the_one_before_is_whole(whole, older, tmp_path):
    job = replace(whole, folder=tmp_path)
    train_until(job, 0)
    first = (job.unfinished.folder / "state.safetensors").stat().st_size
    # From the first step on, the state has the optimizer's as well.
    hearing, saying = multiprocessing.Pipe(duplex=False)
    process = begin(train_within, job, 2 * first, saying)
    last = hearing.recv()
    assert end_of(process) == 0
    assert "File too large" in last.failure.error
    assert "--resume, or the button Go on, goes on" in last.failure.error
    assert job.unfinished.load()[1]["records"][0]["evaluations"][-1]["step"] == 0
    assert_nothing_is_half_there(job, older)
    train(replace(job, resume=True))
    assert_same_run(tmp_path / job.name, whole.folder / whole.name)
