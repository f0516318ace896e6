"""What is said of trainings and of models that were trained."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from api import events
from tests.app.api.training.asking import said, start, trainings
from tests.conftest import SECOND_RULES
from tests.support.privileges import without_privileges


def test_a_damaged_run_says_why_it_has_no_charts(workplace_copy, client, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    weights = workplace_copy / "models" / "second" / "gpt2" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-9])
    found = client.get("training/progress", params={"run": "second/gpt2"}).json()
    assert found["charts"] is None
    assert "model.safetensors" in said(found)


@pytest.mark.parametrize("closed", ["", "run.json", "config.json", "model.safetensors"])
def test_a_run_that_may_not_be_read_says_why_it_has_no_charts(workplace_copy, client, monkeypatch, closed):
    monkeypatch.chdir(workplace_copy)
    run = workplace_copy / "models" / "second" / "gpt2"
    (run / closed).chmod(0)
    try:
        with without_privileges():
            assert "second/gpt2" in trainings(client)
            found = client.get("training/progress", params={"run": "second/gpt2"}).json()
    finally:
        (run / closed).chmod(0o755)
    assert found["charts"] is None
    assert "ermission denied" in said(found) or closed == "model.safetensors"


def events_of(client: TestClient, monkeypatch: pytest.MonkeyPatch, looks: int, watch: str) -> list[Any]:
    """Return the events of so many looks, after which the server ends."""
    ends = iter([False] * looks)
    monkeypatch.setattr(events, "server_ends", lambda: next(ends, True))
    text = client.get("training/events", params={"watch": watch}).text
    return [
        (name.removeprefix("event: "), json.loads(data.removeprefix("data: ")))
        for name, data in (each.split("\n", 1) for each in text.strip().split("\n\n"))
    ]


def test_events_say_what_has_changed(client, workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    first, *rest = found = events_of(client, monkeypatch, 2, "second/gpt2")
    assert [name for name, _ in found] == ["trainings", "charts", "board"]
    assert first[1]["watched"] == "second/gpt2"
    assert first[1]["trainings"] == list(trainings(client).values())
    known = client.get("training/progress", params={"run": "second/gpt2"}).json()
    assert rest[0][1] == {"charts": known["charts"], "faults": []}
    # What is not there is named, and another one is shown.
    [other, *_] = events_of(client, monkeypatch, 1, "second/rnn")
    assert "there is no such training" in said(other[1])
    assert other[1]["watched"] in trainings(client)


def test_before_anything_is_trained_there_is_nothing_to_watch(client, monkeypatch, place):
    monkeypatch.setattr("api.training.progress.list_runs", list)
    found = dict(events_of(client, monkeypatch, 1, ""))
    assert found["trainings"] == {"trainings": [], "watched": None, "faults": []}
    assert found["charts"]["charts"] is None


def test_a_training_that_runs_is_watched_unless_another_is_chosen(client, workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    shutil.copytree(Path(workplace_copy) / "data" / "second", workplace_copy / "data" / "mine")
    (workplace_copy / "data" / "worlds").mkdir()
    (workplace_copy / "data" / "worlds" / "small.rules").write_text(SECOND_RULES)
    start(client, held="1,1,0", epochs="60", until="0")
    assert dict(events_of(client, monkeypatch, 1, ""))["trainings"]["watched"] == "mine/rnn"
    assert dict(events_of(client, monkeypatch, 1, "default/cnn"))["trainings"]["watched"] == "default/cnn"
