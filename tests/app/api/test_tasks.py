"""Background tasks: begun, stopped after their present step, begun again."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator

from fastapi.testclient import TestClient

from api import tasks
from api.server import api
from tests.support.program import HANGS


def told(client: TestClient, name: str) -> list[dict]:
    """Return what the events say of a task until its end."""
    lines = client.get("/tasks/events", params={"name": name}).text.splitlines()
    assert "event: end" in lines
    return [json.loads(line.removeprefix("data: ")) for line in lines if '"name"' in line]


def test_a_stopped_task_runs_until_its_present_step_is_done():
    client, name = TestClient(api), "one that is stopped"
    at_work, may_end = threading.Event(), threading.Event()

    def work() -> Iterator[tuple[int, int]]:
        yield 1, 3
        at_work.set()
        assert may_end.wait(HANGS)
        yield 2, 3
        raise AssertionError("it was stopped")

    task = tasks.start(name, work)
    assert at_work.wait(HANGS)
    assert client.post("/tasks/stop", params={"name": name}).json() == {"stopped": [name]}
    assert (task.running, task.stopping, task.progress) == (True, True, (1, 3))
    threading.Timer(0.5, may_end.set).start()
    events = told(client, name)
    said = [(each["running"], each["stopping"], each["done"]) for each in events]
    assert list(dict.fromkeys(said)) == [(True, True, 1), (False, False, 2)]
    assert events[-1]["faults"] == []


def test_a_task_that_is_begun_again_while_it_stops_waits_for_its_end():
    name, order = "one that is begun again", []
    at_work, may_end = threading.Event(), threading.Event()

    def first() -> Iterator[tuple[int, int]]:
        at_work.set()
        assert may_end.wait(HANGS)
        order.append("first")
        yield 1, 2

    def second() -> Iterator[tuple[int, int]]:
        order.append("second")
        yield 2, 2

    task = tasks.start(name, first)
    assert at_work.wait(HANGS)
    assert tasks.start(name, second) is task, "it is running: nothing else is begun"
    task.stop()
    tasks.start(name, second)
    assert (task.running, task.stopping) == (True, False)
    may_end.set()
    task.join(HANGS)
    assert order == ["first", "second"]
    assert (task.running, task.progress) == (False, (2, 2))
