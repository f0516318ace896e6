"""Several trainings at once: each learns what it would learn alone, none harms another, and none is lost."""

from __future__ import annotations

import errno
import multiprocessing
import os
import shutil
import signal
import sys
import time
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from playground.training import Job, Report, run_jobs
from tests.support.forking import begin
from tests.training.processes import drive, end_of
from tests.training.small_jobs import (
    FOREVER,
    assert_same_run,
    assert_state_is_whole,
    endings,
    left_in,
    make_job,
    train,
)

KILLED = -signal.SIGKILL


def listen_until(reports: Iterator[Report], *jobs: Job) -> list[Report]:
    """Return the reports until each of these jobs has taken a step."""
    heard, underway = [], set()
    while underway < set(jobs):
        heard.append(next(reports))
        if heard[-1].progress and heard[-1].progress.step.number > 0:
            underway.add(heard[-1].job)
    return heard


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
