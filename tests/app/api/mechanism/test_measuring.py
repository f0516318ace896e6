"""Long measurements of page Mechanism: stopped, gone on with, kept."""

from __future__ import annotations

import time

from fastapi.testclient import TestClient

from api import tasks
from api.mechanism import findings
from api.server import api
from playground.analysis import (
    method_called,
    store_of,
)
from playground.models import snapshots_of
from tests.app.api.mechanism.asking import forget, panel
from tests.support.program import HANGS


def wait_for(name: str) -> None:
    deadline = time.monotonic() + HANGS
    while tasks.task_called(name).running:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_what_was_measured_when_it_was_stopped_is_gone_on_with(model):
    client, query = TestClient(api), {"name": "second", "model": "gpt2", "method": "interchange"}
    method = method_called("interchange")
    steps = findings.measure(model, (), method)
    first = next(steps)
    steps.close()
    assert 0 < first.done < first.of
    forget()
    before = panel(client, **query)
    assert (before["done"], before["of"], before["complete"]) == (first.done, first.of, False)
    assert before["takes"] == ""
    name = client.post("/mechanism/measure", params=query).json()["task"]
    assert name == before["task"]
    wait_for(name)
    task = tasks.task_called(name)
    task.join(HANGS)
    assert (task.progress, task.faults) == ((first.of, first.of), ())
    after = panel(client, **query)
    assert (after["complete"], after["running"]) == (True, False)
    whole = method.load(model, (), store_of(model))
    assert whole is not None
    assert (whole.done, whole.of) == (first.of, first.of)
    assert client.post("/mechanism/measure", params=query).json() == {"task": name}, "nothing is left"


def test_a_running_measurement_is_stopped_and_what_it_found_is_kept(model, monkeypatch):
    client, query = TestClient(api), {"name": "second", "model": "gpt2", "method": "patching"}
    method = method_called("patching")
    real = findings.measure

    def stop_after_one(*asked):
        for step in real(*asked):
            assert client.post("/tasks/stop", params={"name": name}).status_code == 200
            yield step

    monkeypatch.setattr(findings, "measure", stop_after_one)
    name = panel(client, **query)["task"]
    assert client.post("/mechanism/measure", params=query).json() == {"task": name}
    task = tasks.task_called(name)
    task.join(HANGS)
    assert not task.running
    done, of = task.progress
    assert 0 < done < of
    kept = method.load(model, (), store_of(model))
    assert kept is not None
    assert (kept.done, kept.of) == (done, of)
    assert (panel(client, **query)["done"], panel(client, **query)["running"]) == (done, False)


def test_what_cannot_be_measured_is_said_and_not_tried_again(model, monkeypatch):
    """A run without snapshots has no past."""
    step = snapshots_of(model.checkpoint.folder)[0]
    monkeypatch.setattr("playground.analysis.emergence.snapshots_of", lambda folder: [])
    client, query = TestClient(api), {"name": "second", "model": f"gpt2:{step}", "method": "emergence"}
    name = client.post("/mechanism/measure", params=query).json()["task"]
    tasks.task_called(name).join(HANGS)
    assert "a run with snapshots" in str(tasks.task_called(name).faults[0])
    found = panel(client, **query)
    assert (found["done"], found["complete"]) == (0, False)
    assert "a run with snapshots" in found["unmeasured"][0]["text"]
