"""Several trainings at once, each in a process of its own, as many as the machine has cores for."""

from __future__ import annotations

import multiprocessing
import os
import pickle
import signal
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection, wait
from pathlib import Path
from subprocess import PIPE, TimeoutExpired
from subprocess import Popen as Process

from loguru import logger

from playground.datasets import load_dataset
from playground.errors import Fault, RequestError
from playground.models import ARCHITECTURES, Size, choose_device
from playground.training.recipe import Recipe
from playground.training.run import Progress, train_model

_STEPS_BETWEEN_REPORTS = 10
_SECONDS_TO_END = 20.0


@dataclass(frozen=True, kw_only=True)
class Job:
    """A training to be done.

    Args:
        architecture: name of the architecture.
        size: of the model.
        dataset: folder of the dataset.
        folder: `models/NAME/RUN`.
        recipe: how to train.
        device: "auto", "cpu" or "cuda".
        command: how it was asked for.
    """

    architecture: str
    size: Size
    dataset: Path
    folder: Path
    recipe: Recipe
    device: str
    command: str


@dataclass(frozen=True)
class Failure:
    """Why a training did not end well.

    Args:
        faults: what is wrong with the request; none if it was no fault of the request.
        error: what happened, in one line.
        details: the traceback.
    """

    faults: tuple[Fault, ...]
    error: str
    details: str


@dataclass(frozen=True)
class Report:
    """What a training has to say.

    Args:
        job: which.
        progress: how far it is, or None if it failed.
        failure: why it failed, or None.
        done: whether this is the last that it says.
    """

    job: Job
    progress: Progress | None
    failure: Failure | None
    done: bool


def run_jobs(jobs: Sequence[Job], cores: int | None = None) -> Iterator[Report]:
    """Do trainings side by side and yield what they report, each about every ten steps.

    A job begins, in the given order, as soon as the threads of its recipe are free. What it learns does
    not depend on what runs beside it. When the caller stops listening, all trainings end and leave
    nothing behind.

    Args:
        jobs: what to do.
        cores: threads that may run at once; by default as many as the machine lets this process use.
    """
    free = cores or len(os.sched_getaffinity(0))
    limit, waiting = free, list(jobs)
    running: dict[Connection, tuple[Job, Process]] = {}
    try:
        while waiting or running:
            while waiting and free >= min(waiting[0].recipe.threads, limit):
                job = waiting.pop(0)
                free -= min(job.recipe.threads, limit)
                listening, process = _start(job)
                running[listening] = (job, process)
            for ready in wait(list(running)):
                assert isinstance(ready, Connection), "only connections are waited for"
                job, process = running[ready]
                report = _receive(ready, job, process)
                if report.done:
                    del running[ready]
                    _wait_for(process)
                    free += min(job.recipe.threads, limit)
                yield report
    finally:
        for _, process in running.values():
            process.terminate()
        for _, process in running.values():
            _wait_for(process)


def _start(job: Job) -> tuple[Connection, Process]:
    listening, speaking = multiprocessing.Pipe(duplex=False)
    # A program of its own: a forked process would inherit the threads of torch, but not what they hold, and
    # one of multiprocessing's would first run whatever script this process happens to be.
    command = [sys.executable, "-P", "-m", "playground.training.worker", str(speaking.fileno())]
    library = str(Path(__file__).parents[2])
    paths = [library, *filter(None, [os.environ.get("PYTHONPATH")])]
    # Ctrl-C reaches all processes of a terminal, also one that is still importing: it waits there until
    # the process has said that it leaves the decision to this one.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        process = Process(  # noqa: S603  It is this library's own.
            command,
            stdin=PIPE,
            pass_fds=[speaking.fileno()],
            env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        )
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
    speaking.close()  # So that the end of the process is the end of the connection.
    assert process.stdin is not None, "it was asked for"
    with suppress(BrokenPipeError), process.stdin:  # If it ended at once, the connection tells.
        process.stdin.write(pickle.dumps(job))
    return listening, process


def _receive(connection: Connection, job: Job, process: Process) -> Report:
    try:
        return replace(connection.recv(), job=job)
    except (EOFError, OSError, pickle.UnpicklingError):
        # It ended without a last word, perhaps in the middle of one.
        _wait_for(process)
        error = f"its process ended with status {process.returncode}"
        return Report(job, None, Failure((), error, ""), done=True)


def _wait_for(process: Process) -> None:
    """Return when a process that is about to end has ended, at the latest after some seconds."""
    try:
        process.wait(_SECONDS_TO_END)
    except TimeoutExpired:
        process.kill()
        process.wait()


def work(job: Job, speaking: Connection) -> None:
    """Do one training and tell of it; what the process of that is."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
    signal.signal(signal.SIGTERM, _end)
    logger.remove()  # What it has to say, it says to the process that started it.
    with suppress(BrokenPipeError):  # Nobody listens any more; what was half done has been put away.
        _train(job, speaking)


def _end(number: int, frame: object) -> None:
    """End, putting away what is half done; being asked once more does not disturb that."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(1)


def _train(job: Job, speaking: Connection) -> None:
    last: Progress | None = None
    try:
        training = train_model(
            ARCHITECTURES[job.architecture],
            job.size,
            load_dataset(job.dataset),
            job.folder,
            job.recipe,
            choose_device(job.device),
            job.command,
        )
        for last in training:
            if last.fresh or last.step.number % _STEPS_BETWEEN_REPORTS == 0:
                # An evaluation travels once; who asks for the latest remembers it.
                spoken = last if last.fresh else replace(last, evaluation=None)
                speaking.send(Report(job, spoken, None, done=False))
        assert last is not None, "a training has at least one step"
        speaking.send(Report(job, replace(last, evaluation=None, fresh=False), None, done=True))
    except BrokenPipeError:
        raise
    except RequestError as error:
        speaking.send(Report(job, None, Failure(error.faults, str(error), ""), done=True))
    except Exception as error:  # noqa: BLE001  It is told where somebody sees it.
        failure = Failure((), f"{type(error).__name__}: {error}", traceback.format_exc())
        speaking.send(Report(job, None, failure, done=True))
