"""Measurements of a mechanism: loaded at once if they were kept, else made in the background; the page can stop them."""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Generator, Sequence
from dataclasses import dataclass, field

import streamlit as st
from loguru import logger

from playground.analysis import Method, Step, store_of
from playground.errors import Fault, RequestError
from playground.inference import Model
from playground.interventions import Intervention, format_all

_PATIENCE = 5.0
"""Seconds that the server waits at its end for running measurements to be saved."""


@dataclass
class Job:
    """The result so far of one method on one model under some interventions.

    Args:
        step: what is known; None if nothing is.
        faults: why it could not be measured.
        looked: whether the results kept on disk have been loaded.
        stopped: set this to end it early.
        thread: the thread that measures.
        began: when the thread began.
        begun_with: how much was measured by then.
    """

    step: Step | None = None
    faults: tuple[Fault, ...] = ()
    looked: bool = False
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None
    began: float = 0.0
    begun_with: int = 0

    @property
    def running(self) -> bool:
        """Whether it is being measured."""
        alive = self.thread is not None and self.thread.is_alive()
        return alive and not self.complete and not self.stopped.is_set()

    @property
    def complete(self) -> bool:
        """Whether everything has been measured."""
        return self.step is not None and self.step.done == self.step.of

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds left; None while there is no estimate."""
        if self.step is None or self.step.done <= self.begun_with:
            return None
        passed = time.monotonic() - self.began
        return passed * (self.step.of - self.step.done) / (self.step.done - self.begun_with)


@st.cache_resource(show_spinner=False, max_entries=96)
def _job(digest: str, done: str, method: str) -> Job:
    """Return the job of a method; all tabs share it."""
    return Job()


@st.cache_resource(show_spinner=False)
def _at_work() -> list[Job]:
    """Return the jobs that have a thread; when the server ends, their results are saved."""
    jobs: list[Job] = []

    def end() -> None:
        for job in jobs:
            job.stopped.set()
        for job in jobs:
            if job.thread is not None:
                job.thread.join(_PATIENCE)

    atexit.register(end)
    return jobs


def job_of(model: Model, applied: Sequence[Intervention], method: Method) -> Job:
    """Return what is known of a method's result without measuring anything.

    Args:
        model: the model.
        applied: the interventions that apply to it.
        method: the method.
    """
    job = _job(model.digest, format_all(applied), method.key(model))
    if not job.looked and job.step is None:
        job.step = method.load(model, applied, store_of(model, applied))
    job.looked = True
    return job


def measure(model: Model, applied: Sequence[Intervention], method: Method) -> Generator[Step, None, None]:
    """Measure what is not known yet, in this thread; partial results are kept if the caller stops early.

    Faults of the request are recorded in the job.
    """
    job = job_of(model, applied, method)
    if job.complete:
        return
    job.faults = ()
    try:
        for step in method.run(model, tuple(applied), store_of(model, applied)):
            job.step = step
            yield step
    except RequestError as error:
        job.faults = error.faults


def start(model: Model, applied: Sequence[Intervention], method: Method) -> None:
    """Begin or resume measuring in the background, unless it is complete or running."""
    job = job_of(model, applied, method)
    before = job.thread
    if job.running or job.complete:
        return
    job.stopped.clear()

    def work() -> None:
        if before is not None:
            before.join()  # It may still be saving its last part, from which this thread continues.
        job.began = time.monotonic()
        job.begun_with = job.step.done if job.step else 0
        try:
            for _ in measure(model, applied, method):
                if job.stopped.is_set():
                    return
        except Exception as error:  # noqa: BLE001  Nothing waits for this thread: the page shows what it has.
            logger.opt(exception=True).error("{} of {} ended: {}", method.name, model.name, error)

    job.thread = threading.Thread(target=work, daemon=True, name=f"{method.name} of {model.name}")
    at_work = _at_work()
    at_work[:] = [other for other in at_work if other.running and other is not job] + [job]
    job.thread.start()


def stop(model: Model, applied: Sequence[Intervention], method: Method) -> None:
    """Stop measuring; the results so far are kept, and measuring can resume."""
    job_of(model, applied, method).stopped.set()
