"""Trainings in processes of their own that need not import PyTorch anew, and what may happen to them."""

from __future__ import annotations

import builtins
import multiprocessing
import os
import re
import resource
import signal
import subprocess
import sys
from functools import wraps
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from unittest import mock

from playground.training import Job, report_on, run_jobs, train_model
from playground.training.workers import pool, worker
from tests.support.forking import begin


def end_of(process: BaseProcess, seconds: float = 600) -> int | None:
    """Return with what status a process ends, negative if by a signal."""
    process.join(seconds)
    return process.exitcode


def train_and_die_after(job: Job, most: int | None, connection: Connection) -> None:
    """Do a job, and be killed when so many functions have been called or have returned; send how many were.

    That is as far on a slow machine as on a quick one.
    """
    count = 0

    def hear(frame: object, event: str, argument: object) -> None:
        nonlocal count
        count += 1
        if count == most:
            os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(hear)
    for _ in train_model(job):
        pass
    sys.setprofile(None)
    connection.send(count)


def train_and_die(job: Job, place: str, call: int = 1, *, touching: str = "", after: bool = False) -> None:
    """Do a job until a function is called, and be killed there as by `kill -9`.

    Args:
        job: what to do.
        place: of the function, as in `module.Class.method`.
        call: the so many-th time that it is called.
        touching: of those calls whose arguments match this.
        after: whether the function has done its work by then.
    """
    target, name = place.rsplit(".", 1)
    original, calls = getattr(_resolve(target), name), []

    @wraps(original)
    def called(*arguments, **options):
        wanted = re.search(touching, repr((arguments, options))) is not None
        calls.extend([None] * wanted)
        if not wanted or len(calls) != call:
            return original(*arguments, **options)
        if after:
            original(*arguments, **options)
        os.kill(os.getpid(), signal.SIGKILL)
        raise AssertionError("it is no more")

    with mock.patch(place, called):
        for _ in train_model(job):
            pass


def _resolve(place: str) -> object:
    """Return a module, or a class of one."""
    try:
        __import__(place)
        return sys.modules[place]
    except ImportError:
        module, name = place.rsplit(".", 1)
        return getattr(_resolve(module), name)


def train_and_die_removing(job: Job) -> None:
    """Do a job and be killed while what was kept of it is removed: of its files, any may go first."""

    def remove(folder, **options) -> None:
        if str(folder).endswith(".unfinished"):
            (folder / "job.json").unlink()
            os.kill(os.getpid(), signal.SIGKILL)

    with mock.patch("shutil.rmtree", remove):
        for _ in train_model(job):
            pass


def train_within(job: Job, most: int, connection: Connection) -> None:
    """Do a job where no file may be longer than so many bytes, and send its last report."""
    resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
    connection.send(list(report_on(job, lambda: False))[-1])


class QuickProcess(subprocess.Popen):
    """A process of `begin`, to be handled as one that was started anew."""

    def __init__(self, process: BaseProcess) -> None:
        self._process = process
        self.pid = process.pid
        self.returncode = None

    def wait(self, timeout: float | None = None) -> int:
        self._process.join(timeout)
        if self._process.exitcode is None:
            raise subprocess.TimeoutExpired("a worker", timeout or 0)
        self.returncode = self._process.exitcode
        return self.returncode

    def poll(self) -> int | None:
        self.returncode = self._process.exitcode
        return self.returncode

    def send_signal(self, sig: int) -> None:
        if self._process.is_alive():
            os.kill(self.pid, sig)


def start_quickly(nice: int, until: Connection | None = None) -> tuple[QuickProcess, Connection]:
    """Start a worker, as `playground.training.workers.pool` does, that need not import anything.

    Args:
        nice: how much everything else comes first.
        until: what has to come here before it is done with what it does as if it had to.
    """
    mine, theirs = multiprocessing.Pipe()
    ready, readying = multiprocessing.Pipe(duplex=False)
    process = begin(work, theirs, nice, until, readying)
    theirs.close()
    readying.close()
    ready.recv()
    ready.close()
    return QuickProcess(process), mine


def work(connection: Connection, nice: int, until: Connection | None, ready: Connection) -> None:
    """Be a worker."""
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    ready.send(None)
    ready.close()
    imported, awaited = builtins.__import__, [until] if until else []

    def import_slowly(name, *arguments, **options):
        if name == "playground.training.workers.reports" and awaited:
            awaited.pop().recv()
        return imported(name, *arguments, **options)

    with mock.patch("builtins.__import__", import_slowly):
        worker.main(connection, nice)


def fork(nice: int) -> tuple[QuickProcess, Connection]:
    """Start a worker that is a copy of this process.

    A process of the server cannot ask that for others: it would start a server of its own.
    """
    mine, theirs = multiprocessing.Pipe()

    def work() -> None:
        mine.close()  # So that it is no longer open when the other process ends.
        worker.main(theirs, nice)

    process = multiprocessing.get_context("fork").Process(target=work)
    process.start()
    theirs.close()
    return QuickProcess(process), mine


def drive(todo: list[Job], connection: Connection, quickly: bool) -> None:  # noqa: FBT001
    """Be a program that has jobs done at once, and tell which processes do them once each has taken a step."""
    start, numbers, begun = (fork if quickly else pool._start), [], set()

    def start_and_remember(nice):
        process, other_end = start(nice)
        numbers.append(process.pid)
        return process, other_end

    with mock.patch("playground.training.workers.pool._start", start_and_remember):
        for report in run_jobs(todo, cores=2 * len(todo)):
            if report.progress and report.progress.step.number > 0:
                begun.add(report.job.name)
            if len(begun) == len(todo):
                connection.send(numbers)
                begun.clear()
