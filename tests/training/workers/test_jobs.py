"""Several trainings at once: each learns what it would learn alone, none harms another, and none is lost."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import sys
import threading
import time
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from playground.training import Job, Report, WorkerPool, report_on, run_jobs
from tests.forking import begin
from tests.training.processes import QuickProcess, drive, end_of, start_quickly
from tests.training.small_jobs import (
    assert_same_run,
    draw_data,
    left_in,
    make_job,
    snapshots_in,
    train,
    train_until,
    weights_of,
)

KILLED = -signal.SIGKILL
FOREVER = {"epochs": 50_000}


@pytest.fixture(scope="module")
def data(second_world, tmp_path_factory) -> Path:
    return draw_data(second_world, tmp_path_factory.mktemp("data") / "d", held_out=((1, 1, 0),))


@pytest.fixture
def workers(monkeypatch) -> list[QuickProcess]:
    """Have workers that need not import PyTorch anew, and return what will be all of them."""
    started = []

    def start(nice):
        process, connection = start_quickly(nice)
        started.append(process)
        return process, connection

    monkeypatch.setattr("playground.training.workers.pool._start", start)
    return started


def endings(reports: list[Report]) -> dict[str, Report]:
    """Return the last report of each job, after which there is to be none."""
    done = [report for report in reports if report.done]
    last = {report.job.name: report for report in reports}
    assert [last[report.job.name] for report in done] == done
    assert len(done) == len(last)
    return last


def listen_until(reports: Iterator[Report], *jobs: Job) -> list[Report]:
    """Return the reports until each of these jobs has taken a step."""
    heard, underway = [], set()
    while underway < set(jobs):
        heard.append(next(reports))
        if heard[-1].progress and heard[-1].progress.step.number > 0:
            underway.add(heard[-1].job)
    return heard


def assert_state_is_whole(job: Job, elsewhere: Path) -> None:
    """Do nothing if what is kept of a job is what a training has that is stopped after as many steps."""
    state, document = job.unfinished.load()
    other = replace(job, folder=elsewhere, resume=False)
    train_until(other, int(state["number"]))
    expected, other_document = other.unfinished.load()
    assert state["number"] > 0
    assert state.keys() == expected.keys()
    assert all(torch.equal(state[name], value) for name, value in expected.items())
    assert document["losses"] == other_document["losses"]
    assert snapshots_in(job.unfinished.folder) == snapshots_in(other.unfinished.folder)


def is_gone(pid: int) -> bool:
    """Return whether a process has ended, even if nobody has asked what became of it."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True


def wait_until_gone(pids: list[int], seconds: float = 600) -> None:
    deadline = time.monotonic() + seconds
    while not all(map(is_gone, pids)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.mark.slow
def test_it_does_not_matter_what_script_this_process_is(data, tmp_path, monkeypatch):
    script = types.ModuleType("__main__")
    script.__file__ = str(tmp_path / "script.py")
    (tmp_path / "script.py").write_text("raise SystemExit('this script is not to be run again')")
    monkeypatch.setitem(sys.modules, "__main__", script)
    last = endings(list(run_jobs([make_job(data, tmp_path / "models")])))["gpt2"]
    assert last.failure is None
    assert last.progress.step.number == 20
    alone = make_job(data, tmp_path / "alone")
    train(alone)
    assert_same_run(tmp_path / "models" / "gpt2", tmp_path / "alone" / "gpt2")


@pytest.mark.slow
@pytest.mark.parametrize(("signal_number", "quickly"), [(signal.SIGKILL, False), (signal.SIGTERM, True)])
def test_when_the_program_is_killed_its_workers_end_and_keep_their_state(
    data, tmp_path, signal_number, quickly
):
    """A real worker once; the others are copies of a process that has imported PyTorch."""
    names = ("rnn", "gpt2") if quickly else ("gpt2",)
    jobs = [make_job(data, tmp_path, name, recipe=FOREVER) for name in names]
    hearing, saying = multiprocessing.Pipe(duplex=False)
    program = begin(drive, jobs, saying, quickly)
    assert hearing.poll(600)
    pids = hearing.recv()
    assert len(pids) == len(jobs)
    os.kill(program.pid, signal_number)
    assert end_of(program) == -signal_number
    wait_until_gone(pids)
    assert left_in(tmp_path) == sorted(f".{name}.unfinished" for name in names)
    for job in jobs:
        assert_state_is_whole(job, tmp_path / "elsewhere")


def test_a_worker_that_others_ask_to_end_keeps_its_state_and_says_so_and_the_others_go_on(
    data, tmp_path, workers
):
    job, other = make_job(data, tmp_path, recipe=FOREVER), make_job(data, tmp_path, "cnn")
    reports = run_jobs([job, other], cores=1)
    listen_until(reports, job)
    workers[0].terminate()
    last = endings(list(reports))
    assert last["gpt2"].failure.error.startswith("another program asked its process to end; what was kept")
    assert last["cnn"].progress.step.number == 20
    assert is_gone(workers[0].pid)
    assert_state_is_whole(job, tmp_path / "elsewhere")


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


def test_where_no_process_can_be_started_that_is_told_of_each(data, tmp_path, monkeypatch):
    def fail(nice):
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr("playground.training.workers.pool._start", fail)
    last = endings(list(run_jobs([make_job(data, tmp_path, name) for name in ("cnn", "rnn")])))
    assert {report.job.name for report in last.values()} == {"cnn", "rnn"}
    assert all(os.strerror(errno.EAGAIN) in report.failure.error for report in last.values())


def test_a_process_that_is_killed_is_told_and_the_others_go_on(data, tmp_path, workers):
    jobs = [make_job(data, tmp_path, "rnn", recipe=FOREVER), make_job(data, tmp_path, "cnn")]
    reports = run_jobs(jobs, cores=1)
    listen_until(reports, jobs[0])
    workers[0].kill()
    last = endings(list(reports))
    assert last["rnn"].failure.error.startswith("its process was killed by SIGKILL, as the system does when")
    assert last["cnn"].progress.step.number == 20
    assert last["cnn"].failure is None
    assert left_in(tmp_path) == [".rnn.unfinished", "cnn"]


def test_side_by_side_each_learns_what_it_learns_alone(data, tmp_path, workers):
    jobs = [make_job(data, tmp_path / "together", name) for name in ("gpt2", "rnn", "cnn")]
    reports = list(run_jobs(jobs, cores=2))
    last = endings(reports)
    assert sorted(last) == ["cnn", "gpt2", "rnn"]
    assert not any(report.failure or report.stopped for report in reports)
    assert len(workers) == 2  # Who has done one job does another.
    for job in jobs:
        alone = replace(job, folder=tmp_path / "alone")
        records = train(alone)
        assert_same_run(job.folder / job.name, alone.folder / job.name)
        told = [report.progress for report in reports if report.job == job and report.progress]
        assert last[job.name].progress.step.number == last[job.name].progress.step.total == 20
        # Of every evaluation is told, once, in the order in which they are made.
        assert [each.step for each in told if each.evaluations] == [
            each.step for each in records if each.evaluations
        ]
        assert [each.step.number for each in told] == sorted(each.step.number for each in told)
    assert {report.job.name for report in reports[:2]} == {"gpt2", "rnn"}
    assert all(report.progress is None for report in reports[:2])  # They begin.


def test_what_goes_wrong_with_one_is_told_and_the_others_go_on(data, tmp_path, workers):
    bad = tmp_path / "bad"
    shutil.copytree(data, bad)
    (bad / "train.jsonl").write_text("{")
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs" / "file").write_text("a file where a folder should be")
    jobs = [
        make_job(bad, tmp_path / "runs"),
        make_job(data, tmp_path / "runs", "rnn"),
        make_job(data, tmp_path / "runs" / "file", "cnn"),
    ]
    last = endings(list(run_jobs(jobs, cores=1)))
    assert "train.jsonl" in last["gpt2"].failure.error
    assert last["gpt2"].failure.faults
    assert last["rnn"].progress.step.number == 20
    assert "a file stands where a folder is needed" in last["cnn"].failure.error
    assert os.strerror(errno.ENOTDIR) in last["cnn"].failure.error
    assert last["cnn"].failure.details.startswith("Traceback")
    assert left_in(tmp_path / "runs") == ["file", "rnn"]
    assert len(workers) == 1


def test_when_nobody_listens_any_more_all_end_and_keep_their_state(data, tmp_path, workers):
    jobs = [make_job(data, tmp_path, name, recipe=FOREVER) for name in ("gpt2", "rnn", "cnn")]
    reports = run_jobs(jobs, cores=2)
    listen_until(reports, *jobs[:2])
    reports.close()
    assert all(map(is_gone, [worker.pid for worker in workers]))
    assert left_in(tmp_path) == [".gpt2.unfinished", ".rnn.unfinished"]
    for job in jobs[:2]:
        assert_state_is_whole(job, tmp_path / "elsewhere")


@pytest.mark.slow
def test_jobs_wait_until_there_are_as_many_cores_as_they_need(data, tmp_path, workers):
    threads = {"gpt2": 2, "rnn": 1, "cnn": 1, "gpt2@1": 9, "gpt2@2": 1}
    jobs = [
        make_job(data, tmp_path, name.split("@")[0], seeds=(int(name[5:] or 0),), recipe={"threads": count})
        for name, count in threads.items()
    ]
    running, together, begun = set(), [], []
    for report in run_jobs(jobs, cores=2):
        name = report.job.name
        if report.done:
            assert report.failure is None
            running.remove(name)
        elif name not in running:
            running.add(name)
            begun.append(name)
        # One that needs more than there are has all of them.
        assert sum(min(threads[each], 2) for each in running) <= 2
        together.append(frozenset(running))
    assert begun == list(threads)
    assert {"rnn", "cnn"} in together


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
