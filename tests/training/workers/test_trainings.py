"""The trainings of a server: how each has gone, also when it goes on, and what is not thrown away unasked."""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import replace

import pytest

from playground.errors import RequestError
from playground.training import Job, TrainingManager, TrainingProgress
from tests.training.processes import start_quickly
from tests.training.small_jobs import FOREVER, left_in, make_job, train_until


@pytest.fixture
def trainings(monkeypatch) -> TrainingManager:
    monkeypatch.setattr("playground.training.workers.pool._start", start_quickly)
    return TrainingManager(cores=1)


def progress_of(trainings: TrainingManager, job: Job) -> TrainingProgress:
    (found,) = [each for each in trainings.progress() if each.job.name == job.name]
    return found


def wait_until(true, seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_stopped_is_not_begun_anew(trainings, data, tmp_path):
    job = make_job(data, tmp_path, "rnn")
    train_until(job, 8)
    kept = left_in(tmp_path)
    with pytest.raises(RequestError, match="stopped after step 8") as caught:
        trainings.add([job])
    assert "press Go on" in caught.value.faults[0].hint
    assert left_in(tmp_path) == kept
    assert trainings.progress() == []


def test_whether_another_process_trains_a_run_can_be_seen(data, tmp_path):
    job = make_job(data, tmp_path, "rnn")
    train_until(job, 8)
    with job.unfinished.held():
        assert job.unfinished.is_held
    assert not job.unfinished.is_held
    assert job.unfinished.exists


def test_one_that_died_goes_on_without_what_was_told_after_its_state_was_kept(
    trainings, data, tmp_path, monkeypatch
):
    job = make_job(data, tmp_path, "rnn", recipe=FOREVER | {"evaluate_every": 1})
    trainings.add([job])
    # Snapshots lie far apart in a training of that length: what is told between them is lost when it dies.
    wait_until(lambda: len(progress_of(trainings, job).evaluations) > 20)
    (worker,) = trainings._pool._workers
    worker.process.kill()
    wait_until(lambda: progress_of(trainings, job).status == "failed")
    kept = job.unfinished.step
    assert progress_of(trainings, job).evaluations[-1]["step"] > kept
    until, looked_at = multiprocessing.Pipe(duplex=False)
    monkeypatch.setattr("playground.training.workers.pool._start", lambda nice: start_quickly(nice, until))
    trainings.add([replace(job, resume=True)])
    steps = [each["step"] for each in progress_of(trainings, job).evaluations]
    assert all(step <= kept for step in steps)
    looked_at.send(None)
    wait_until(lambda: len(progress_of(trainings, job).evaluations) > len(steps) + 5)
    again = progress_of(trainings, job)
    trainings.stop(job)
    steps = [each["step"] for each in again.evaluations]
    assert steps == list(range(len(steps)))
    assert [number for number, *_ in again.losses] == sorted({number for number, *_ in again.losses})
    wait_until(lambda: progress_of(trainings, job).status == "stopped")
