"""Reports on trainings, for those who watch them."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from playground.errors import Fault, RequestError
from playground.places import fault_of, is_refusal
from playground.training.job import Job, Progress
from playground.training.run import train_model

_SECONDS_BETWEEN_REPORTS = 0.1


@dataclass(frozen=True)
class Failure:
    """Why a training failed.

    Args:
        error: what happened, in one line.
        details: the traceback, if there is one.
        faults: what is wrong with the request; none if the request is not to blame.
    """

    error: str
    details: str = ""
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True)
class Report:
    """A report on a training: that it begins, its progress, or how it ended.

    Args:
        job: the job.
        progress: its progress, or None.
        failure: why it failed, or None.
        stopped: whether it was stopped; its state is saved.
        done: whether this is its last report.
    """

    job: Job
    progress: Progress | None = None
    failure: Failure | None = None
    stopped: bool = False
    done: bool = False


def report_on(job: Job, is_stopped: Callable[[], bool]) -> Iterator[Report]:
    """Run one training in this process and yield reports on it, about ten times a second.

    Args:
        job: what to do.
        is_stopped: called after every step; once it returns True, the state is saved and the training ends.
    """
    last: Progress | None = None
    spoken = 0.0
    try:
        training = train_model(job)
        for last in training:
            now = time.monotonic()
            if last.evaluations or now - spoken > _SECONDS_BETWEEN_REPORTS:
                spoken = now
                yield Report(job, last)
            if is_stopped():
                training.close()
                yield Report(job, stopped=True, done=True)
                return
        yield Report(job, last and Progress(last.step), done=True)
    except Exception as error:  # noqa: BLE001  Reported to those who watch.
        yield Report(job, failure=_failure(job, error), done=True)


def _failure(job: Job, error: Exception) -> Failure:
    details = traceback.format_exc()
    if isinstance(error, RequestError):
        return Failure(str(error), details, error.faults)
    said = f"{type(error).__name__}: {error}"
    if isinstance(error, ArithmeticError):
        return Failure(str(error), details)
    if isinstance(error, OSError):
        fault = fault_of(error)
        if is_refusal(error):
            return Failure(str(fault), details, (fault,))
        said = str(fault).removesuffix(".")
    elif isinstance(error, RuntimeError) and "CUDA" in str(error):
        said = f"the device failed ({str(error).splitlines()[0]})"
    return Failure(said + what_is_kept(job), details)


def what_is_kept(job: Job) -> str:
    """Return, in words, that a failed training can be resumed, if it can."""
    if not job.unfinished.exists:
        return ""
    return "; what was kept last is whole: --resume, or the button Go on, goes on from there"
