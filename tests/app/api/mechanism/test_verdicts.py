"""What page Mechanism asks of verdicts, and of the models that can be held beside one another."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.asked.condition import first_condition
from api.mechanism import sides, verdicts
from api.server import api
from playground.analysis import (
    make_verdict,
    measure_mechanism,
    measure_routes,
)
from playground.analysis.routes import route
from playground.datasets import DatasetSpec
from playground.inference import Model, open_model
from playground.models import snapshots_of
from playground.worlds import parse_world
from tests.app.api.documents import ask_parts
from tests.app.api.mechanism.asking import GPT2, faults_of, forget, panel
from tests.conftest import random_checkpoint


@pytest.mark.slow
@pytest.mark.parametrize("on", ["", "zero:L0H1", "force:newB=!"])
def test_the_verdict_is_that_of_the_library(client, workplace, on):
    parts = ask_parts(client, "mechanism/verdict", **GPT2, on=on)
    shown = [part["verdict"] for part in parts if "verdict" in part]
    assert [each["whole"] for each in shown] in ([False, True], [True])
    found = measure_mechanism(open_model(workplace / "models" / "default" / "gpt2", "cpu"), on)
    last = shown[-1]
    assert [each["sentence"] for each in last["answers"]] == list(found.verdict)
    assert [(each["text"], each["share"]) for each in last["claims"]] == [
        (claim.text, str(claim.share)) for claim in found.claims
    ]
    assert [each["counterexamples"] for each in last["claims"]] == [
        list(each.counterexamples) for each in found.claims
    ]
    assert last["under"] == ([on] if on else [])
    assert parts[-1]["progress"] == ""
    assert any("Forcing an output does not change" in each for each in last["notes"]) == on.startswith(
        "force"
    )


def test_an_intervention_that_does_not_fit_is_left_out_and_said(client):
    (*_, last) = ask_parts(client, "mechanism/verdict", name="default", model="rnn", on="zero:L0H1")
    assert last["verdict"]["under"] == []
    assert "zero:L0H1: not applied to rnn, which is therefore unedited here." in last["verdict"]["notes"]


def test_a_second_model_has_its_own_verdict(client, workplace):
    query = GPT2 | {"beside": "rnn", "which": "beside"}
    (*_, last) = ask_parts(client, "mechanism/verdict", **query)
    found = measure_mechanism(open_model(workplace / "models" / "default" / "rnn", "cpu"))
    assert [each["sentence"] for each in last["verdict"]["answers"]] == list(found.verdict)
    assert last["verdict"]["condition"] == "rnn"


@pytest.mark.parametrize("beside", [{}, {"beside": "gpt2"}])
def test_without_a_second_model_none_can_be_asked_about(client, beside):
    for each in ("verdict", "panel", "cases"):
        query = GPT2 | beside | {"which": "beside", "method": "lens", "block": 0, "row": 0}
        (fault,) = faults_of(client.get(f"/mechanism/{each}", params=query))
        assert "there is no second model" in fault


def test_rivals_are_the_runs_of_the_same_name_and_their_steps(client, workplace):
    found = client.get("/mechanism/rivals", params=GPT2).json()["rivals"]
    steps = snapshots_of(workplace / "models" / "default" / "gpt2")
    assert found[:3] == ["rnn", "cnn", "mann"]
    assert found[3 : 3 + len(steps)] == [f"gpt2:{step}" for step in steps]
    there = client.get("/mechanism/rivals", params=GPT2 | {"model": found[3]}).json()["rivals"]
    assert "gpt2" in there
    assert found[3] not in there


def test_a_model_of_another_world_is_not_held_beside(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    models = workplace_copy / "models"
    (models / "second" / "gpt2").rename(models / "default" / "gpt2@5")
    client, query = TestClient(api), GPT2 | {"beside": "gpt2@5"}
    (fault,) = faults_of(client.get("/mechanism/verdict", params=query | {"which": "beside"}))
    assert "gpt2@5 is left out" in fault
    found = client.get("/mechanism/methods", params=query).json()
    assert [each["title"] for each in found["sides"]] == ["gpt2"]
    assert "gpt2@5 is left out" in found["faults"][0]["text"]
    assert len(client.get("/mechanism/code", params=query).json()["code"]) == 1


def test_a_damaged_run_is_not_offered_and_not_held_beside(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    (workplace_copy / "models" / "default" / "rnn" / "model.safetensors").write_bytes(b"")
    client, query = TestClient(api), GPT2 | {"beside": "rnn"}
    assert "rnn" not in client.get("/mechanism/rivals", params=query).json()["rivals"]
    found = client.get("/mechanism/methods", params=query).json()
    assert [each["title"] for each in found["sides"]] == ["gpt2"]
    assert "model.safetensors" in found["faults"][0]["text"]
    (fault,) = faults_of(client.get("/mechanism/verdict", params=query | {"which": "beside"}))
    assert "model.safetensors" in fault


def test_a_world_without_chains_has_no_verdict_and_says_why(place):
    spec = DatasetSpec(world=parse_world("inputs: X, Y\nfirst = X AND Y\nsecond = X OR Y\n"), held_out=())
    random_checkpoint(spec, place / "models" / "default" / "gpt2")
    client = TestClient(api)
    (*_, last) = ask_parts(client, "mechanism/verdict", **GPT2)
    assert last["verdict"]["answers"] == last["verdict"]["claims"] == []
    assert any("No answer of this world reads another" in each for each in last["verdict"]["caveats"])
    for name in ("routes", "tokens", "attention", "lens", "attribution"):
        found = panel(client, name, **GPT2)
        assert (found["unmeasured"], found["complete"]) == ([], True)


def test_a_damaged_file_of_the_cache_is_measured_anew(model):
    client, query = TestClient(api), {"name": "second", "model": "gpt2"}
    known = ask_parts(client, "mechanism/verdict", **query)[-1]["verdict"]
    files = sorted(Path("cache", model.digest).glob("routes-*"))
    assert files
    for file in files:
        file.write_bytes(b"no result")
    forget()
    assert ask_parts(client, "mechanism/verdict", **query)[-1]["verdict"] == known
    assert files[0].read_bytes() != b"no result"


def test_a_click_may_come_while_the_routes_of_many_texts_are_found(random_gpt2, monkeypatch):
    monkeypatch.setattr(route, "_TOGETHER", 10)
    parts = verdicts.verdict_parts(side_of(random_gpt2))
    assert [next(parts)["progress"] for _ in range(2)] == [
        f"gpt2 has read {read} of 32 texts …" for read in (10, 20)
    ]
    parts.close()
    forget()
    (first, *_, last) = verdicts.verdict_parts(side_of(random_gpt2))
    assert first == {"progress": "gpt2 has read 30 of 32 texts …"}
    expected = make_verdict(random_gpt2.world, measure_routes(random_gpt2)).route_summaries
    assert [each["counts"] for each in last["verdict"]["answers"]] == [
        each.counts.counts for each in expected
    ]


def side_of(model: Model) -> sides.Side:
    return sides.Side(("default", "gpt2"), model, first_condition(model))
