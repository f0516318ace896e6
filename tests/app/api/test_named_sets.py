"""Named sets of edits: the file is the library's, and nothing is replaced or lost unasked."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from api.named_sets import measured
from api.server import api
from playground.inference import compare_conditions, open_model
from playground.interventions import NamedCondition, export_conditions, load_conditions
from tests.app.api.documents import read_documents

ABOUT = {"name": "default", "model": "gpt2", "state": "0,1,1,1,0"}
FIRST = NamedCondition("no MLP", ("zero:L1.mlp",), "what does it bring?")
SETS = (
    FIRST,
    NamedCondition("forced & mixed", ("force:newB=!", "mean:L0H1@>newB..")),
    NamedCondition("memory", ("zero:memory[3]",)),
    NamedCondition("half", ("zero:memory[3]", "zero:L2")),
)


@pytest.fixture
def file(workplace, monkeypatch) -> Iterator[Path]:
    """Return where named sets are kept; it is gone after the test."""
    monkeypatch.chdir(workplace)
    path = workplace / "conditions.json"
    path.write_text(export_conditions(SETS))
    yield path
    path.unlink(missing_ok=True)


@pytest.fixture
def client(file) -> TestClient:
    return TestClient(api)


def act(client: TestClient, route: str = "", **body) -> dict:
    answered = client.post(f"/named_sets{route}", json=body)
    assert answered.status_code == 200, answered.text
    return answered.json()


def put(client: TestClient, content: str, **query) -> dict:
    answered = client.post("/named_sets/import", params={"where": "one.json"} | query, content=content)
    assert answered.status_code == 200, answered.text
    return answered.json()


def faults_of(answered) -> str:
    assert answered.status_code == 422, answered.text
    return " ".join(fault["text"] for fault in answered.json()["faults"])


def test_the_list_and_the_file(client):
    answer = client.get("/named_sets").json()
    assert [each["name"] for each in answer["sets"]] == [each.name for each in SETS]
    assert answer["sets"][0] == {"name": "no MLP", **FIRST.to_json()}
    assert (answer["file"], answer["file_name"]) == (export_conditions(SETS), "conditions.json")


def table_of(client: TestClient, **query: str) -> dict:
    first, *later = read_documents(client.get("/named_sets/measured", params=ABOUT | query).content)
    for part in later:
        first["entries"][part["index"]] |= part
    return first


def test_every_set_is_measured_as_the_library_does(client, workplace):
    model = open_model(workplace / "models" / "default" / "gpt2", "cpu")
    on = NamedCondition("x", ("zero:L0", "zero:memory[3]"))
    wanted = dict(
        zip(
            [measured.UNEDITED, measured.CURRENT, *(each.name for each in SETS)],
            compare_conditions(model, [on, *SETS]),
            strict=True,
        )
    )
    for _ in range(2):  # Measured, then known.
        table = table_of(client, on="zero:L0;zero:memory[3]")
        assert [entry["name"] for entry in table["entries"]] == list(wanted)
        for entry, one in zip(table["entries"], wanted.values(), strict=True):
            assert not entry["pending"]
            assert [each["text"] for each in entry["unfit"]] == [fault.where for fault in one.faults]
            if one.board is None:
                assert entry["whole"] is None
                continue
            for name, value in {
                "whole": one.board.tally,
                "whole_do": one.board.tally_do,
                "answers": one.board.tally_by_answer,
                "answers_as_written": one.board.tally_by_answer_as_written,
            }.items():
                assert entry[name] == json.loads(json.dumps(value)), (entry["name"], name)
    assert table["entries"][2]["file"] == export_conditions([FIRST])
    assert table["never_seen"] == ["No seen state has sum = 5."]


def test_a_taken_name_is_asked_about_and_what_was_replaced_can_be_put_back(client, file):
    assert act(client, name=" new ", note="n", on="zero:L0H1;mean:L1@newB") == {"taken": [], "before": None}
    new = NamedCondition("new", ("zero:L0H1", "mean:L1@newB"), "n")
    assert load_conditions(file)["new"] == new
    # The same again changes nothing.
    assert act(client, name="new", note="n", on="zero:L0H1;mean:L1@newB") == {"taken": [], "before": None}
    assert act(client, name="new", on="zero:L0") == {"taken": ["new"], "before": None}
    assert load_conditions(file)["new"] == new
    answer = act(client, name="new", on="zero:L0", replace=True)
    assert answer == {"taken": [], "before": export_conditions([new])}
    assert load_conditions(file)["new"].interventions == ("zero:L0",)
    put(client, answer["before"], replace=True)
    assert load_conditions(file)["new"] == new


def test_rename_and_delete(client, file):
    act(client, "/rename", name="memory", to=" slot 3 ")
    assert list(load_conditions(file)) == ["no MLP", "forced & mixed", "slot 3", "half"]
    assert "'slot 3'" in faults_of(client.post("/named_sets/rename", json={"name": "half", "to": "slot 3"}))
    answer = act(client, "/delete", name="no MLP")
    assert "no MLP" not in load_conditions(file)
    put(client, answer["before"])
    assert load_conditions(file)["no MLP"] == FIRST
    for route, body in (("rename", {"name": "no", "to": "x"}), ("delete", {"name": "no"})):
        assert "there is no such condition" in faults_of(client.post(f"/named_sets/{route}", json=body))


def test_a_file_is_added_whole_or_not_at_all(client, file):
    assert put(client, export_conditions([FIRST]))["count"] == 1
    other = NamedCondition("no MLP", ("nuke:L0.mlp.W_in[3,:]",))
    both = export_conditions([other, NamedCondition("more", ("zero:L0",))])
    assert put(client, both)["taken"] == ["no MLP"]
    assert load_conditions(file) == {each.name: each for each in SETS}
    answer = put(client, both, replace=True)
    assert (answer["taken"], answer["count"], answer["before"]) == ([], 2, export_conditions([FIRST]))
    assert load_conditions(file)["no MLP"] == other
    bad = json.dumps({"version": 1, "conditions": {"bad": {"interventions": ["zero:L0H0", "burn:L1"]}}})
    said = faults_of(client.post("/named_sets/import", params={"where": "bad.json"}, content=bad))
    assert "bad.json, 'bad'" in said
    large = b" " * 3_000_000
    said = faults_of(client.post("/named_sets/import", params={"where": "large.json"}, content=large))
    assert "large.json" in said
    assert "bad" not in load_conditions(file)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"name": "nothing", "on": ""}, "at least one intervention"),
        ({"name": "", "on": "zero:L0"}, "visible characters"),
        ({"name": "x" * 61, "on": "zero:L0"}, "visible characters"),
        ({"name": "x", "on": "burn:L0"}, "burn"),
        ({"name": "x", "on": "zero:L0", "note": "n" * 501}, "at most 500"),
        ({"name": "x"}, "body.on"),
        ({"name": 3, "on": "zero:L0"}, "body.name"),
    ],
)
def test_what_cannot_be_saved_is_a_fault(client, file, body, said):
    assert said in faults_of(client.post("/named_sets", json=body))
    assert load_conditions(file) == {each.name: each for each in SETS}


def test_a_damaged_file_is_said_and_never_overwritten(client, file):
    file.write_text("{")
    assert "conditions.json" in faults_of(client.get("/named_sets"))
    [part] = read_documents(client.get("/named_sets/measured", params=ABOUT).content)
    assert "conditions.json" in part["faults"][0]["text"]
    assert "conditions.json" in faults_of(client.post("/named_sets", json={"name": "x", "on": "zero:L0"}))
    for route, body in (("rename", {"name": "a", "to": "b"}), ("delete", {"name": "a"})):
        assert "conditions.json" in faults_of(client.post(f"/named_sets/{route}", json=body))
    said = faults_of(
        client.post("/named_sets/import", params={"where": "x.json"}, content=export_conditions([FIRST]))
    )
    assert "conditions.json" in said
    assert file.read_text() == "{"
