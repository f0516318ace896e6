"""What page Mechanism asks of methods: their options, what they found, the cases behind it, and what is wrong with a question."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.mechanism import findings, panels, routes, verdicts
from api.server import api
from playground.analysis import (
    METHODS,
    Heatmap,
    Sentence,
    Table,
    View,
    cell_text,
    default_answer,
    method_called,
)
from playground.inference import open_model
from playground.models import snapshots_of
from tests.app.api.documents import ask_parts, read_document
from tests.app.api.mechanism.asking import GPT2, cases, faults_of, panel


def test_every_method_says_what_it_asks_and_what_can_be_chosen(client, workplace):
    models = [open_model(workplace / "models" / "default" / name, "cpu") for name in ("gpt2", "rnn")]
    found = client.get("/mechanism/methods", params=GPT2 | {"beside": "rnn", "answer": "sum2"}).json()
    assert found["sides"] == [
        {"which": "model", "title": "gpt2"},
        {"which": "beside", "title": "rnn"},
    ]
    assert (found["answer"], found["faults"]) == ("sum2", [])
    for said, method in zip(found["methods"], METHODS.values(), strict=True):
        about = ("name", "title", "question", "how", "caution", "is_long", "duration")
        assert {name: said[name] for name in about} == {name: getattr(method, name) for name in about}
        assert said["lacks"] == [method.unavailable_reason(each.network) for each in models]
        options = method.options(View(models[0], answer="sum2"))
        assert [each["name"] for each in said["options"]] == [each.name for each in options]
        assert [[tuple(one) for one in each["choices"]] for each in said["options"]] == [
            list(each.choices) for each in options
        ]
    alone = client.get("/mechanism/methods", params=GPT2).json()
    assert alone["answer"] == default_answer(models[0].world)
    assert [each["title"] for each in alone["sides"]] == ["gpt2"]


def test_what_a_model_lacks_is_said_and_not_measured(client):
    for method, why in (("attention", "it has no attention"), ("lens", "it has no residual stream")):
        found = panel(client, method, name="default", model="rnn")
        assert found["lack"].startswith(f"Nothing to measure in rnn: {why}")
        assert found["blocks"] == []
        query = {"name": "default", "model": "rnn", "method": method}
        (fault,) = faults_of(client.post("/mechanism/measure", params=query))
        assert why in fault


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"model": "nosuch"}, "nosuch"),
        ({"beside": "nosuch"}, "expected one of gpt2"),
        ({"beside": "rnn:999"}, "got 999"),
        ({"open": "attention,palmistry"}, "got 'palmistry'"),
        ({"answer": "A"}, "answer in the address"),
        ({"options": "variable=input:Q"}, "input:A"),
        ({"options": "palm=left"}, "got 'palm'"),
        ({"cell": "L9.mlp@newB"}, "cell in the address"),
        ({"cell": "L0.mlp@newQ"}, "'newQ'"),
        ({"cell": "L0.mlp"}, "cell in the address"),
        ({"on": "nonsense"}, "on in the address"),
        ({"state": "0,1"}, "state in the address"),
    ],
)
def test_what_is_wrong_in_a_question_is_explained(client, query, expected):
    for each in ("rivals", "methods", "verdict", "report", "code"):
        assert expected in " ".join(faults_of(client.get(f"/mechanism/{each}", params=GPT2 | query)))
    about = GPT2 | query | {"method": "lens"}
    assert expected in " ".join(faults_of(client.get("/mechanism/panel", params=about)))
    assert expected in " ".join(faults_of(client.post("/mechanism/measure", params=about)))


@pytest.mark.parametrize(
    ("query", "expected", "kept"),
    [
        ({"beside": "nosuch"}, "expected one of gpt2", {}),
        ({"beside": "rnn:999", "answer": "sum2"}, "got 999", {"answer": "sum2"}),
        ({"open": "attention,palmistry"}, "got 'palmistry'", {}),
        ({"options": "variable=input:Q", "open": "lens"}, "input:A", {"open": "lens"}),
        ({"cell": "L0.mlp@newQ"}, "'newQ'", {}),
        ({"on": "zero:L9", "cell": "L0.mlp@>newB"}, "on in the address", {"cell": "L0.mlp@>newB"}),
    ],
)
def test_what_is_wrong_in_the_address_is_explained_and_the_rest_kept(client, query, expected, kept):
    found = read_document(client.get("/condition", params=GPT2 | query).content)
    assert expected in " ".join(fault["text"] for fault in found["faults"])
    assert {name: found["query"][name] for name in kept} == kept
    assert not (set(query) - set(kept)) & set(found["query"])


def test_unknown_methods_and_missing_parameters_are_faults(client):
    for query, expected in (({"method": "palmistry"}, "unknown method"), ({}, "query.method")):
        assert expected in faults_of(client.get("/mechanism/panel", params=GPT2 | query))[0]
        assert expected in faults_of(client.post("/mechanism/measure", params=GPT2 | query))[0]
    found = faults_of(client.get("/mechanism/panel", params=GPT2 | {"method": "lens", "which": "third"}))
    assert "query.which" in found[0]


@pytest.mark.slow
def test_every_panel_shows_the_blocks_of_its_method_and_the_cases_behind_them(random_gpt2):
    client, listed = TestClient(api), set()
    query = GPT2 | {"answer": "second", "state": "0,1,1"}
    for name, method in METHODS.items():
        for _ in findings.measure(random_gpt2, (), method):
            pass
        found = panel(client, name, **query)
        step = findings.finding_of(random_gpt2, (), method).step
        if step is None:
            assert "a run with snapshots" in found["unmeasured"][0]["text"]
            continue
        view = View(random_gpt2, (), "second", random_gpt2.world.states.index((0, 1, 1)))
        blocks = list(method.present(step.result, view))
        assert [each["type"] for each in found["blocks"]] == [type(each).__name__.lower() for each in blocks]
        for number, (said, block) in enumerate(zip(found["blocks"], blocks, strict=True)):
            check_block(client, query | {"method": name, "block": number}, said, block, listed)
    assert listed >= {"routes", "formulas", "circuits", "attention", "tokens", "lens", "attribution"}


def check_block(client: TestClient, query: dict, said: dict, block: object, listed: set[str]) -> None:
    """Compare a block with the method's, and the cases behind one number or row of it."""
    if isinstance(block, Sentence):
        assert (said["text"], said["is_caution"]) == (block.text, block.is_caution)
    if isinstance(block, Table):
        assert [row["cells"] for row in said["rows"]] == [[*map(cell_text, row.cells)] for row in block.rows]
        if block.rows and block.rows[0].cases:
            compare_cases(client, query | {"row": 0}, block.rows[0].cases(), listed)
    if isinstance(block, Heatmap):
        assert np.array_equal(said["values"], block.values.astype(np.float32), equal_nan=True)
        known = np.argwhere(np.isfinite(block.values))
        if block.cases and len(known):
            row, column = map(int, known[0])
            compare_cases(client, query | {"row": row, "column": column}, block.cases(row, column), listed)
        unknown = np.argwhere(~np.isfinite(block.values))
        if len(unknown):
            row, column = map(int, unknown[0])
            assert cases(client, query | {"row": row, "column": column}) is None
    if said["type"] in {"curve", "bars"}:
        assert {"data", "layout"} <= said["figure"].keys()
    if said["type"] == "graph":
        assert all(picture.startswith("<svg") for picture in said["pictures"])


def compare_cases(client: TestClient, query: dict, expected: Table | None, listed: set[str]) -> None:
    found = cases(client, query)
    assert (found is None) == (expected is None)
    if found and expected:
        listed.add(query["method"])
        assert [row["cells"] for row in found["rows"]] == [
            [*map(cell_text, row.cells)] for row in expected.rows
        ]
        assert [row["ok"] for row in found["rows"]] == [row.as_expected for row in expected.rows]


def test_a_click_chooses_what_the_method_says(random_gpt2):
    client, query = TestClient(api), GPT2 | {"answer": "second"}
    blocks = panel(client, "attention", **query)["blocks"]
    grid = next(each for each in blocks if each["type"] == "heatmap")
    assert grid["selects"][0][0] == {
        "cell": f"{grid['rows'][0]}@{grid['columns'][0]}",
        "answer": "second",
    }
    largest = panel(client, "attention", **query, options="spread=largest")
    assert largest["options"] == {"spread": "largest"}
    assert not np.array_equal(
        next(each for each in largest["blocks"] if each["type"] == "heatmap")["values"], grid["values"]
    )
    influence = next(each for each in panel(client, "routes", **query)["blocks"] if each["type"] == "heatmap")
    row = influence["rows"].index("second")
    column = next(at for at, value in enumerate(influence["values"][row]) if np.isfinite(value))
    assert "cell" not in influence["selects"][row][column], "it is no place in the model"


def test_cases_that_are_not_there(random_gpt2):
    client, query = TestClient(api), GPT2 | {"answer": "second", "method": "routes", "block": 0, "row": 0}
    assert cases(client, query) is None, "nothing is measured"
    panel(client, "routes", **GPT2)
    for block, row, column in ((99, 0, 0), (0, 9_999, 0), (0, -1, 0), (0, 0, 9_999), (0, 9_999, None)):
        about = query | {"block": block, "row": row} | ({} if column is None else {"column": column})
        assert cases(client, about) is None
    assert "query.row" in faults_of(client.get("/mechanism/cases", params=query | {"row": "x"}))[0]


def test_the_steps_of_a_training_are_drawn_as_they_come_and_can_be_compared_with(model):
    client = TestClient(api)
    first = next(findings.measure(model, (), method_called("emergence")))
    found = panel(client, "emergence", name="second", model="gpt2")
    assert (found["done"], found["of"], found["complete"]) == (first.done, first.of, False)
    grid = next(each for each in found["blocks"] if each["type"] == "heatmap")
    steps = snapshots_of(model.checkpoint.folder)
    assert grid["selects"][0][0] == {"beside": f"gpt2:{steps[0]}"}


@pytest.mark.parametrize("fails", ["measure", "present"])
def test_a_method_that_fails_says_so_in_its_own_panel(random_gpt2, monkeypatch, fails):
    def fail(*_: object):
        raise ZeroDivisionError("no luck")

    client, methods = TestClient(api), dict(METHODS)
    methods["lens"] = replace(method_called("lens"), **{fails: fail})
    for module in (panels, routes, verdicts):
        monkeypatch.setattr(module, "METHODS", methods)
    (*_, last) = ask_parts(client, "mechanism/panel", **GPT2, method="lens")
    assert "the method failed: expected a result, got ZeroDivisionError: no luck" in last["faults"][0]["text"]
    assert panel(client, "attention", **GPT2)["complete"]
    if fails == "present":
        query = GPT2 | {"method": "lens", "block": 0, "row": 0}
        assert "no luck" in faults_of(client.get("/mechanism/cases", params=query))[0]
        text = client.get("/mechanism/report", params=GPT2).text
        assert "no luck" in text, "the report has all else"
        assert "Attention" in text
