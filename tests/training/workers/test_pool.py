"""Jobs that are added and stopped while others run."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Iterator
from dataclasses import replace

import pytest

from playground.training import Job, Report, WorkerPool, report_on
from tests.training.processes import start_quickly
from tests.training.small_jobs import (
    FOREVER,
    assert_state_is_whole,
    endings,
    left_in,
    make_job,
    train,
    weights_of,
)


def test_a_process_that_dies_while_it_has_nothing_to_do_is_given_nothing_more(
    data, tmp_path, listening, workers
):
    first, second = make_job(data, tmp_path, "cnn"), make_job(data, tmp_path, "rnn")
    listening.pool.add(first)
    assert listening.end_of(first).failure is None
    workers[0].kill()
    workers[0].wait(600)
    listening.pool.add(second)
    assert listening.end_of(second).failure is None
    assert len(workers) == 2


class Listening:
    """A pool that is listened to from a thread of its own, as in a server."""

    def __init__(self, pool: WorkerPool) -> None:
        self.pool = pool
        self.reports: list[Report] = []
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._listen)
        self._thread.start()

    def _listen(self) -> None:
        for report in self.pool.listen(forever=True):
            with self._news:
                self.reports.append(report)
                self._news.notify_all()

    def wait_for(self, job: Job, is_it) -> Report:
        """Return the first report of a job of which something is true."""
        with self._news:
            found = lambda: [each for each in self.reports if each.job == job and is_it(each)]  # noqa: E731
            assert self._news.wait_for(found, 600)
            return found()[0]

    def underway(self, job: Job) -> None:
        self.wait_for(job, lambda report: report.progress and report.progress.step.number > 0)

    def end_of(self, job: Job) -> Report:
        return self.wait_for(job, lambda report: report.done)

    def close(self) -> None:
        self.pool.close()
        self.pool.add()  # So that it wakes up.
        self._thread.join(600)
        assert not self._thread.is_alive()


@pytest.fixture
def listening(workers) -> Iterator[Listening]:
    listening = Listening(WorkerPool(cores=1, nice=3))
    yield listening
    listening.close()


def test_jobs_come_and_are_stopped_while_others_run(data, tmp_path, listening, workers):
    long, waits, next_one = (
        make_job(data, tmp_path, "gpt2", recipe=FOREVER),
        make_job(data, tmp_path, "cnn"),
        make_job(data, tmp_path, "rnn"),
    )
    listening.pool.add(long, waits)
    listening.underway(long)
    assert os.getpriority(os.PRIO_PROCESS, workers[0].pid) == os.getpriority(os.PRIO_PROCESS, 0) + 3

    listening.pool.stop(waits)  # It has not begun, and never will.
    ended = listening.end_of(waits)
    assert (ended.stopped, ended.failure, ended.progress) == (True, None, None)
    assert [report for report in listening.reports if report.job == waits] == [ended]

    listening.pool.add(next_one)
    listening.pool.stop(long)
    ended = listening.end_of(long)
    assert (ended.stopped, ended.failure) == (True, None)
    assert_state_is_whole(long, tmp_path / "elsewhere")

    assert listening.end_of(next_one).progress.step.number == 20
    names = [report.job.name for report in listening.reports]
    assert names.index("rnn") > max(place for place, name in enumerate(names) if name == "gpt2")

    at = int(long.unfinished.load()[0]["number"])
    again = replace(long, resume=True)
    listening.pool.add(again)
    listening.underway(again)
    listening.pool.stop(again)
    assert listening.end_of(again).stopped
    numbers = [
        report.progress.step.number for report in listening.reports if report.job == again and report.progress
    ]
    assert numbers[0] == at + 1
    assert left_in(tmp_path) == [".gpt2.unfinished", "elsewhere", "rnn"]


def test_a_job_is_stopped_that_has_not_taken_a_step(data, tmp_path, monkeypatch):
    """Its process needs some seconds to import what it needs: that it is stopped then is no failure."""
    until, imported = multiprocessing.Pipe(duplex=False)
    monkeypatch.setattr("playground.training.workers.pool._start", lambda nice: start_quickly(nice, until))
    job = make_job(data, tmp_path, recipe=FOREVER)
    pool = WorkerPool(cores=1)
    pool.add(job)
    reports = pool.listen()
    assert not next(reports).done  # It begins.
    pool.stop(job)
    imported.send(None)
    (last,) = list(reports)
    assert last.failure is None
    assert last.stopped
    assert last.done


def test_stopping_what_is_not_there_does_nothing(data, tmp_path, workers):
    job, other = make_job(data, tmp_path, "rnn"), make_job(data, tmp_path, "cnn")
    pool = WorkerPool(cores=1)
    pool.add(job)
    pool.stop(other)
    assert endings(list(pool.listen()))["rnn"].progress.step.number == 20


@pytest.mark.parametrize("steps", [0, 3, 20])
def test_a_training_of_this_process_is_stopped_after_any_step(data, tmp_path, steps):
    job, asked = make_job(data, tmp_path), []

    def is_stopped() -> bool:
        asked.append(None)
        return len(asked) == steps + 1

    reports = list(report_on(job, is_stopped))
    assert (reports[-1].stopped, reports[-1].done, reports[-1].failure) == (True, True, None)
    assert int(job.unfinished.load()[0]["number"]) == steps
    last = list(report_on(replace(job, resume=True), lambda: False))[-1]
    assert (last.stopped, last.done, last.failure) == (False, True, None)
    train(make_job(data, tmp_path / "alone"))
    assert weights_of(tmp_path / "gpt2") == weights_of(tmp_path / "alone" / "gpt2")
