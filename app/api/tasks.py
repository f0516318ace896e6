"""What takes long, in the background: it is started, says how far it is, can be stopped, and leaves its result where it belongs.

A task outlives the page that started it. All tabs see the same task, by its name.
"""

from __future__ import annotations

import asyncio
import atexit
import json
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse
from loguru import logger

from api.answers import faults_document
from api.events import server_ends
from playground.errors import Fault, RequestError

_PATIENCE = 5.0
"""Seconds that the server waits at its end for running tasks to save what they have."""
_LOOK = 0.25
"""Seconds between two looks at what a page watches."""
_MOST_ENDED = 200
"""How many ended tasks are remembered."""

Progress = tuple[int, int]
"""How much is done, and of how much."""


@dataclass
class Task:
    """Work in a thread.

    Args:
        name: by which pages find it.
        progress: how much is done, and of how much.
        faults: why it ended early.
        version: changes with every step.
    """

    name: str
    progress: Progress = (0, 0)
    faults: tuple[Fault, ...] = ()
    version: int = 0
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    _began: float = 0.0
    _begun_with: int = 0

    @property
    def running(self) -> bool:
        """Whether it is at work, if only to end its present step and keep what it has."""
        return self._thread is not None and self._thread.is_alive()

    @property
    def stopping(self) -> bool:
        """Whether it ends after its present step."""
        return self.running and self._stopped.is_set()

    @property
    def seconds_left(self) -> float | None:
        """Estimated seconds left; None while there is no estimate."""
        done, of = self.progress
        if done <= self._begun_with:
            return None
        return (time.monotonic() - self._began) * (of - done) / (done - self._begun_with)

    def stop(self) -> None:
        """Let it end after its present step."""
        self._stopped.set()

    def join(self, seconds: float) -> None:
        """Wait for its end."""
        if self._thread is not None:
            self._thread.join(seconds)

    def run(self, work: Callable[[], Iterable[Progress]]) -> None:
        """Begin, unless it is running; one that is stopping is waited for."""
        if self.running and not self.stopping:
            return
        before = self._thread
        self._stopped = threading.Event()
        self.faults = ()
        self._thread = threading.Thread(target=self._work, args=(work, before), daemon=True, name=self.name)
        self._thread.start()

    def _work(self, work: Callable[[], Iterable[Progress]], before: threading.Thread | None) -> None:
        stopped = self._stopped
        if before is not None:
            before.join()
        self._began, self._begun_with = time.monotonic(), self.progress[0]
        try:
            for self.progress in work():
                self.version += 1
                if stopped.is_set():
                    return
        except RequestError as error:
            self.faults = error.faults
        except Exception as error:  # noqa: BLE001  Nothing waits for this thread: pages show what there is.
            logger.opt(exception=True).error("{} ended: {}", self.name, error)
            self.faults = (
                Fault(
                    message="it ended early",
                    expected="a result",
                    got=type(error).__name__,
                    hint="Details are in logs/.",
                ),
            )

    def to_json(self) -> dict[str, Any]:
        """Return what pages show of it."""
        done, of = self.progress
        return {
            "name": self.name,
            "running": self.running,
            "stopping": self.stopping,
            "done": done,
            "of": of,
            "seconds_left": self.seconds_left if self.running else None,
            "version": self.version,
            **faults_document(self.faults),
        }


_tasks: dict[str, Task] = {}
_lock = threading.Lock()


def task_called(name: str) -> Task:
    """Return the task of a name; it need not have begun."""
    with _lock:
        ended = [each for each in _tasks if not _tasks[each].running]
        for each in ended[: max(0, len(ended) - _MOST_ENDED)]:
            del _tasks[each]
        return _tasks.setdefault(name, Task(name))


def start(name: str, work: Callable[[], Iterable[Progress]]) -> Task:
    """Begin a task, unless it is running.

    Args:
        name: by which pages find it.
        work: does it, and yields how far it is; it is closed when the task is stopped.
    """
    task = task_called(name)
    task.run(work)
    return task


def _end() -> None:
    running = [task for task in _tasks.values() if task.running]
    for task in running:
        task.stop()
    for task in running:
        task.join(_PATIENCE)


atexit.register(_end)

router = APIRouter(prefix="/tasks")

Names = Annotated[list[str], Query(description="names of tasks, as the answers that offer or start them say")]


@router.get("/events", response_class=StreamingResponse)
def get_events(name: Names) -> StreamingResponse:
    """Return server-sent events: each task at first, and again whenever it has changed; `end` when none runs any more."""
    return StreamingResponse(
        _events(name), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
    )


async def _events(names: list[str]) -> AsyncIterator[str]:
    said: dict[str, dict[str, Any]] = {}
    while not server_ends():
        tasks = [task_called(name).to_json() for name in names]
        for task in tasks:
            if said.get(task["name"]) != task:
                said[task["name"]] = task
                yield f"data: {json.dumps(task)}\n\n"
        if not any(task["running"] for task in tasks):
            yield "event: end\ndata: {}\n\n"
            return
        await asyncio.sleep(_LOOK)


@router.post("/stop")
def post_stop(name: Names) -> dict[str, list[str]]:
    """Stop tasks; what they have found stays."""
    for each in name:
        task_called(each).stop()
    return {"stopped": name}
