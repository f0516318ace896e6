"""What has been found so far: the result of one method on one model, kept on disk, measured at once or as a task."""

from __future__ import annotations

import threading
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass

from cachetools import LRUCache, cached
from loguru import logger

from api import tasks
from api.tasks import Task
from playground.analysis import Method, Step, store_of
from playground.errors import Fault, RequestError
from playground.inference import Model
from playground.interventions import Intervention, format_all


@dataclass
class Finding:
    """The result so far of one method on one model under some interventions.

    Args:
        name: of the task that measures it.
        step: what is known; None if nothing is.
        faults: why it could not be measured.
        looked: whether the results kept on disk have been loaded.
    """

    name: str
    step: Step | None = None
    faults: tuple[Fault, ...] = ()
    looked: bool = False

    @property
    def complete(self) -> bool:
        """Whether everything has been measured."""
        return self.step is not None and self.step.done == self.step.of

    @property
    def running(self) -> bool:
        """Whether a task is measuring it."""
        return not self.complete and tasks.task_called(self.name).running


@cached(LRUCache(128), condition=threading.Condition())
def _finding(digest: str, interventions: str, method: str) -> Finding:
    """Return what is known, to be filled; all tabs share it."""
    return Finding(f"mechanism {method} {digest} {interventions}".strip())


def finding_of(model: Model, applied: Sequence[Intervention], method: Method) -> Finding:
    """Return what is known of a method's result without measuring anything.

    Args:
        model: the model.
        applied: the interventions that apply to it.
        method: the method.
    """
    found = _finding(model.digest, format_all(applied), method.key(model))
    if not found.looked and found.step is None:
        found.step = method.load(model, applied, store_of(model, applied))
    found.looked = True
    return found


def measure(model: Model, applied: Sequence[Intervention], method: Method) -> Generator[Step, None, None]:
    """Measure what is not known yet, in this thread; partial results are kept if the caller stops early.

    Faults of the request are recorded in what is found.
    """
    found = finding_of(model, applied, method)
    if found.complete:
        return
    found.faults = ()
    try:
        for step in method.run(model, tuple(applied), store_of(model, applied)):
            # Another tab may measure the same, and be further.
            if found.step is None or step.done >= found.step.done:
                found.step = step
            yield found.step
            if found.complete:
                return
    except RequestError as error:
        found.faults = error.faults


def start(model: Model, applied: Sequence[Intervention], method: Method) -> Task:
    """Begin or go on measuring as a task, unless it is complete or running."""
    found = finding_of(model, applied, method)
    task = tasks.task_called(found.name)
    if found.complete:
        return task
    if found.step is not None and not task.running:
        # What is left is estimated from here on.
        task.progress = (found.step.done, found.step.of)

    def work() -> Iterator[tuple[int, int]]:
        for step in measure(model, applied, method):
            yield step.done, step.of
        if found.faults:
            raise RequestError(*found.faults)

    return tasks.start(found.name, work)


def failure(method: Method, error: Exception) -> Fault:
    """Return what is said of a method that ended in an error, which the logs describe."""
    logger.opt(exception=error).error("method {} failed: {}", method.name, error)
    return Fault(
        where=method.title,
        message="the method failed",
        expected="a result",
        got=f"{type(error).__name__}: {error}",
        hint="Details are in logs/.",
    )
