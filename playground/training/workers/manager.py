"""The trainings of a long-lived process such as a server: queued, running, ended, and the progress of each."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from playground.errors import Fault, RequestError
from playground.inference import Board
from playground.training.job import Job, Step
from playground.training.workers.pool import WorkerPool
from playground.training.workers.reports import Failure, Report

Status = Literal["waits", "begins", "runs", "stopping", "stopped", "failed", "done"]

MOST_POINTS = 400
_SECONDS_OF_SPEED = 10.0
_NICE = 5
"""Niceness of trainings: clicks in the app usually, but not always, come first."""
ENDED: tuple[Status, ...] = ("stopped", "failed", "done")


@dataclass
class TrainingProgress:
    """The progress of a training so far.

    Args:
        job: the job.
        status: its current status.
        step: the latest, or None before the first.
        losses: step, loss and learning rate, thinned out as they become many.
        evaluations: documents as in `run.json`, including those before it was resumed.
        board: the latest, or None before the first.
        failure: why it failed, or None.
    """

    job: Job
    status: Status = "waits"
    step: Step | None = None
    losses: list[tuple[int, float, float]] = field(default_factory=list)
    evaluations: list[dict[str, Any]] = field(default_factory=list)
    board: Board | None = None
    failure: Failure | None = None
    _apart: int = 1
    _times: deque[tuple[float, int]] = field(default_factory=deque)

    @property
    def ended(self) -> bool:
        """Whether it has ended, one way or another."""
        return self.status in ENDED

    @property
    def speed(self) -> float | None:
        """Steps per second over the last seconds; None while unknown."""
        if len(self._times) < 2 or self.status != "runs":  # noqa: PLR2004  A speed needs two times.
            return None
        (first, begun), (last, now) = self._times[0], self._times[-1]
        return (now - begun) / (last - first) if last > first and now > begun else None

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds until all steps are taken; None while unknown."""
        if self.speed is None or self.step is None:
            return None
        return (self.step.total - self.step.number) / self.speed

    def take(self, report: Report) -> None:
        """Add a report of the training."""
        if report.failure:
            self.status, self.failure = "failed", report.failure
        elif report.done:
            self.status = "stopped" if report.stopped else "done"
        elif report.progress is None:
            self.status = "begins"
        elif self.status != "stopping":
            self.status = "runs"
        if report.progress is None:
            return
        self.step = report.progress.step
        if report.progress.evaluation:
            self.evaluations.append(report.progress.evaluation.to_json())
            self.board = report.progress.evaluation.board
        now = time.monotonic()
        self._times.append((now, self.step.number))
        while self._times[0][0] < now - _SECONDS_OF_SPEED:
            self._times.popleft()
        if self.step.loss is not None and (
            not self.losses or self.step.number >= self.losses[-1][0] + self._apart
        ):
            self.losses.append((self.step.number, self.step.loss, self.step.learning_rate))
            if len(self.losses) > MOST_POINTS:
                self.losses = self.losses[::2]
                self._apart = max(1, (self.losses[-1][0] - self.losses[0][0]) // (len(self.losses) - 1))


class TrainingManager:
    """Trainings that run while this process lives; a thread receives their reports. All methods are thread-safe.

    Args:
        cores: threads that may train at once; by default as many as the machine lets this process use.
    """

    def __init__(self, cores: int | None = None) -> None:
        self._pool = WorkerPool(cores, _NICE)
        self._lock = threading.Lock()
        self._trainings: dict[tuple[str, str], TrainingProgress] = {}
        threading.Thread(target=self._listen, name="trainings", daemon=True).start()

    def add(self, jobs: Sequence[Job]) -> None:
        """Queue jobs until there are cores for them.

        Raises:
            RequestError: if one of them is already queued or running; none is added then.
        """
        with self._lock:
            faults = [
                Fault(
                    message="this run is being trained already",
                    expected="that it is free",
                    got=f"{job.folder.name}/{job.name}, which {self._trainings[_key(job)].status} already",
                    hint="Wait until it is done, stop it, or choose another name or seed.",
                )
                for job in jobs
                if _key(job) in self._trainings and not self._trainings[_key(job)].ended
            ]
            faults += [
                Fault(
                    message="a stopped training is in the way",
                    expected=f"that {job.folder.name}/{job.name} goes on, or another name or seed",
                    got=f"a new training in place of one that was stopped after step {job.unfinished.step:,}",
                    hint="Watch it and press Go on or Discard, or choose another name or seed.",
                )
                for job in jobs
                if not faults and not job.resume and job.unfinished.exists
            ]
            if faults:
                raise RequestError(*faults)
            by_name = {_key(job): self._begin(job) for job in jobs}
            for key, progress in by_name.items():
                self._trainings.pop(key, None)
                self._trainings[key] = progress
        self._pool.add(*jobs)

    def _begin(self, job: Job) -> TrainingProgress:
        """Return the progress of a job that begins, or is resumed from its saved state."""
        progress, before = TrainingProgress(job), self._trainings.get(_key(job))
        if job.resume and job.unfinished.exists:
            progress.evaluations, step = job.unfinished.evaluations(), job.unfinished.step
            progress.losses = [each for each in (before.losses if before else ()) if each[0] <= step]
        return progress

    def stop(self, job: Job) -> None:
        """Stop a job, which saves its state; a queued job is never begun."""
        with self._lock:
            progress = self._trainings.get(_key(job))
            if progress is None or progress.ended:
                return
            progress.status = "stopping"
        self._pool.stop(progress.job)

    def forget(self, job: Job) -> None:
        """Remove a job that has ended from the list."""
        with self._lock:
            progress = self._trainings.get(_key(job))
            if progress is not None and progress.ended:
                del self._trainings[_key(job)]

    def progress(self) -> list[TrainingProgress]:
        """Return copies of the progress of all trainings, the latest last."""
        with self._lock:
            return [
                replace(each, losses=list(each.losses), evaluations=list(each.evaluations))
                for each in self._trainings.values()
            ]

    def _listen(self) -> None:
        for report in self._pool.listen(forever=True):
            with self._lock:
                self._trainings[_key(report.job)].take(report)


def _key(job: Job) -> tuple[str, str]:
    return job.folder.name, job.name
