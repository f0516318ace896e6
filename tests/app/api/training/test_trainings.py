"""Trainings that are started, stopped, resumed, discarded; what stands in their way."""

from __future__ import annotations

import json
from pathlib import Path

from api.training import starting
from playground.begun import TrainingRequest
from playground.datasets import DatasetSpec
from playground.files import previous
from playground.training import ResumeState
from tests.app.api.training.asking import SMALL, check, said, start, trainings, wait_for
from tests.support.privileges import without_privileges


def test_a_training_is_watched_until_its_model_can_be_opened(client, place):
    assert start(client)["started"] == ["mine/rnn"]
    done = wait_for(client, "mine/rnn", lambda each: not each["active"])
    assert done["complete"]
    assert done["said"].startswith("done: step ")
    assert [done[name] for name in ("can_resume", "can_be_discarded", "faults")] == [False, False, []]
    found = client.get("training/progress", params={"run": "mine/rnn"}).json()
    run = json.loads((place / "models/mine/rnn/run.json").read_text())
    assert found["charts"]["last"] == found["charts"]["step"] == run["steps"]
    outputs = {each["name"]: each for each in found["charts"]["outputs"]}
    assert list(outputs) == ["whole answer", "first", "second"]
    assert [step for step, _ in outputs["first"]["seen"]] == [each["step"] for each in run["evaluations"]]
    assert len(found["board"]["written"]) == 8
    # Another server knows it from its files.
    starting.trainings()._pool.close()
    starting.trainings.cache_clear()
    assert trainings(client)["mine/rnn"]["said"] == "trained"
    later = client.get("training/progress", params={"run": "mine/rnn"}).json()
    assert later["board"] is None
    assert later["charts"]["outputs"] == found["charts"]["outputs"]


def test_a_complete_run_is_replaced_only_when_asked(client, place):
    start(client)
    wait_for(client, "mine/rnn", lambda each: not each["active"])
    first = (place / "models/mine/rnn/run.json").read_text()
    answer = start(client)
    assert answer["started"] == []
    [sentence] = answer["replaces"]
    assert "models/mine/rnn is a complete run" in sentence
    assert check(client, **SMALL)["replaces"] == [sentence]
    assert (place / "models/mine/rnn/run.json").read_text() == first
    assert start(client, replace="true")["started"] == ["mine/rnn"]
    done = wait_for(client, "mine/rnn", lambda each: not each["active"])
    assert done["predecessor"] == "models/mine/rnn.previous"
    assert (previous(place / "models/mine/rnn") / "run.json").read_text() == first


def test_a_training_stops_goes_on_and_is_discarded(client, place):
    start(client, epochs="60", until="0")
    wait_for(client, "mine/rnn", lambda each: each["said"].startswith("runs"))
    refused = client.post("training/start", params=SMALL)
    assert refused.status_code == 422
    assert "this run is being trained already" in said(refused.json())
    for act in ("resume", "discard"):
        assert client.post(f"training/{act}", params={"run": "mine/rnn"}).status_code == 422
    assert client.post("training/stop", params={"run": "mine/rnn"}).json() == {"stopped": "mine/rnn"}
    stopped = wait_for(client, "mine/rnn", lambda each: not each["active"])
    assert stopped["said"].startswith("stopped")
    assert stopped["can_resume"]
    assert stopped["can_be_discarded"]
    state = ResumeState(place / "models/mine/rnn")
    assert stopped["saved"] == state.step > 0
    charts = client.get("training/progress", params={"run": "mine/rnn"}).json()["charts"]
    assert charts["last"] == charts["step"] < charts["total"]
    assert "a stopped training is in the way" in said(client.post("training/start", params=SMALL).json())
    assert client.post("training/stop", params={"run": "mine/rnn"}).status_code == 422
    client.post("training/resume", params={"run": "mine/rnn"})
    wait_for(client, "mine/rnn", lambda each: each["said"].startswith("runs"))
    client.post("training/stop", params={"run": "mine/rnn"})
    wait_for(client, "mine/rnn", lambda each: not each["active"])
    assert client.post("training/discard", params={"run": "mine/rnn"}).json() == {"discarded": "mine/rnn"}
    assert "mine/rnn" not in trainings(client)
    assert not state.folder.exists()


def test_one_that_was_stopped_before_it_began_can_be_discarded(client):
    start(client, models="gpt2,rnn,mann", epochs="60", until="0")
    waiting = [name for name, each in trainings(client).items() if each["said"].startswith("queued")]
    assert waiting
    client.post("training/stop", params={"run": waiting[0]})
    stopped = wait_for(client, waiting[0], lambda each: not each["active"])
    assert not stopped["can_resume"]
    assert stopped["can_be_discarded"]
    assert client.post("training/discard", params={"run": waiting[0]}).status_code == 200
    assert waiting[0] not in trainings(client)


def test_damaged_records_and_requests_that_never_began_are_named_and_can_be_discarded(client, place):
    folder = place / "models" / "mine"
    TrainingRequest("cnn", (0,), {}).keep(folder)
    start(client, epochs="60", until="0")
    wait_for(client, "mine/rnn", lambda each: each["said"].startswith("runs"))
    client.post("training/stop", params={"run": "mine/rnn"})
    wait_for(client, "mine/rnn", lambda each: not each["active"])
    starting.trainings()._pool.close()
    starting.trainings.cache_clear()
    assert trainings(client)["mine/cnn"]["said"] == "was asked for, but has not begun"
    assert client.post("training/resume", params={"run": "mine/cnn"}).status_code == 422
    job = folder / ".rnn.unfinished" / "job.json"
    job.write_text(job.read_text().replace('"seeds"', '"sads"'))
    damaged = trainings(client)["mine/rnn"]
    assert damaged["said"] == "was stopped and cannot go on"
    assert "job.json" in said(damaged)
    refused = client.post("training/resume", params={"run": "mine/rnn"})
    assert refused.status_code == 422
    assert refused.json()["faults"] == damaged["faults"]
    for name in ("mine/rnn", "mine/cnn"):
        assert client.get("training/progress", params={"run": name}).status_code == 200
        assert client.post("training/discard", params={"run": name}).status_code == 200
        assert name not in trainings(client)


def test_a_training_that_is_not_there_is_named(client):
    for route in ("stop", "resume", "discard"):
        refused = client.post(f"training/{route}", params={"run": "mine/rnn"})
        assert refused.status_code == 422
        assert "there is no such training" in said(refused.json())
    assert client.get("training/progress", params={"run": "x"}).status_code == 422


def test_an_unfinished_training_that_may_not_be_read_is_named(client, place):
    folder = place / "models" / "mine"
    TrainingRequest("cnn", (0,), {}).keep(folder)
    (folder / ".cnn.unfinished").chmod(0)
    try:
        with without_privileges():
            found = trainings(client)["mine/cnn"]
            refused = client.post("training/discard", params={"run": "mine/cnn"})
    finally:
        (folder / ".cnn.unfinished").chmod(0o755)
    assert found["said"] == "cannot be read"
    assert "ermission denied" in said(found)
    assert refused.status_code == 422
    assert "ermission denied" in said(refused.json())


def test_a_full_disk_is_told_in_a_sentence(client, monkeypatch):
    def fail(spec: DatasetSpec, folder: Path) -> None:
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(starting, "generate", fail)
    refused = client.post("training/start", params=SMALL)
    assert refused.status_code == 422
    [fault] = refused.json()["faults"]
    assert "No space left on device" in fault["text"]
    assert "mine/rnn" not in trainings(client)
