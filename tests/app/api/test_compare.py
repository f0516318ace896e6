"""What page Compare asks: models that can be compared, their scores, and edits that only some carry out."""

from __future__ import annotations

import json
import shutil

import pytest
from fastapi.testclient import TestClient

from api.models import predictors
from api.server import api
from playground.inference import not_learnt, open_model
from tests.app.api.documents import read_document, read_documents

ABOUT = {"name": "default", "model": "gpt2", "state": "0,1,1,1,0"}
ARCHITECTURES = ["cnn", "gpt2", "mann", "rnn"]


@pytest.fixture
def client(workplace, monkeypatch) -> TestClient:
    monkeypatch.chdir(workplace)
    return TestClient(api)


@pytest.fixture
def models(workplace) -> dict:
    return {name: open_model(workplace / "models" / "default" / name, "cpu") for name in ARCHITECTURES}


def test_the_models_of_a_name_and_what_they_cost(client, models):
    answer = client.get("/rivals", params=ABOUT).json()
    assert sorted(each["name"] for each in answer["models"]) == ARCHITECTURES
    assert answer["left_out"] == []
    for each in answer["models"]:
        assert each["run"] == each["name"]
        assert tuple(each["costs"]) == models[each["name"]].checkpoint.cost.words()


def test_at_a_step_the_others_are_shown_at_theirs(client, workplace):
    answer = client.get("/rivals", params=ABOUT | {"model": "gpt2:10"}).json()
    runs = {each["run"].partition(":")[0]: each["run"] for each in answer["models"]}
    assert runs["gpt2"] == "gpt2:10"
    for run in runs.values():
        answered = client.get("/board", params=ABOUT | {"model": run})
        assert read_documents(answered.content)[0]["total"] == 32


def test_why_a_model_is_left_out_is_said(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    runs = workplace_copy / "models"
    shutil.copytree(runs / "second" / "gpt2", runs / "default" / "gpt2@7")
    (runs / "default" / "mann" / "model.safetensors").write_bytes(b"x")
    (runs / "default" / "rnn" / "config.json").write_text("{}")
    answer = TestClient(api).get("/rivals", params=ABOUT).json()
    assert sorted(each["run"] for each in answer["models"]) == ["cnn", "gpt2"]
    said = " ".join(answer["left_out"])
    assert "gpt2@7 is left out" in said
    assert "mann is left out" in said
    assert "rnn is left out" in said
    assert "model_type 'rnn'" in said


@pytest.mark.parametrize("on", ["", "force:newB=!", "zero:memory[3];zero:L1"])
def test_scores_are_the_librarys(client, models, on):
    answer = client.get("/scores", params=ABOUT | {"on": on}).json()
    assert answer["condition"] == f"0,1,1,1,0 {on}".strip()
    for each in answer["models"]:
        model = models[each["name"]]
        fit = model.fit(on and _parsed(on))
        before, after = model.baseline, model.board(fit.applied)
        wanted = [[before.tally, after.tally]]
        wanted += [[tally, after.tally_by_answer.get(name)] for name, tally in before.tally_by_answer.items()]
        assert each["scores"] == json.loads(json.dumps(wanted))
        as_written = [after.tally_by_answer_as_written.get(name) for name in model.world.answers]
        assert each["as_written"] == json.loads(json.dumps([None, *as_written]))
        assert (not_learnt(before) in each["notes"]) == (not_learnt(before) is not None)
        for edit in fit.left_out:
            assert any(f"{edit}: not applied to {model.name}" in note for note in each["notes"])
    assert answer["predictor"] == json.loads(json.dumps(predictors.scores(models["gpt2"].dataset)))
    assert answer["never_seen"] == ["No seen state has sum = 5."]


def _parsed(on: str):
    from playground.interventions import parse_all

    return parse_all(on)


def test_an_edit_may_be_one_of_another_model_where_all_are_shown(client):
    query = ABOUT | {"on": "zero:memory[3];zero:memory[99]"}
    alone = read_document(client.get("/condition", params=query).content)
    assert "on" not in alone["query"]
    assert len(alone["faults"]) == 2
    beside = read_document(client.get("/condition", params=query | {"rivals": "true"}).content)
    assert beside["query"]["on"] == "zero:memory[3]"
    assert "an index within memory[0..15,0..23]" in " ".join(each["text"] for each in beside["faults"])
    add = ABOUT | {"add": "zero:memory[3];zero:L0"}
    alone, beside = (
        client.get("/edits", params=add | {"rivals": rivals}).json() for rivals in ("false", "true")
    )
    assert (alone["added"], len(alone["faults"])) == (["zero:L0"], 1)
    assert (beside["added"], beside["faults"]) == (["zero:memory[3]", "zero:L0"], [])


def test_a_board_says_itself_what_its_model_cannot_carry_out(client):
    answered = client.get("/board", params=ABOUT | {"on": "zero:memory[3];zero:L0"})
    part = read_documents(answered.content)[0]
    assert part["applied"] == ["zero:L0"]
    assert [each["edit"] for each in part["unfit"]] == ["zero:memory[3]"]


def test_faults(client):
    for route in ("/rivals", "/scores"):
        answered = client.get(route, params=ABOUT | {"model": "nosuch"})
        assert answered.status_code == 422
        assert "nosuch" in answered.json()["faults"][0]["text"]
    answered = client.get("/scores", params=ABOUT | {"on": "burn:L1"})
    assert answered.status_code == 422
    assert "on in the address" in answered.json()["faults"][0]["text"]
