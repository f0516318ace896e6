"""What page Mechanism asks: verdicts, methods, blocks and their cases, measurements, the report, code."""

from __future__ import annotations

import contextlib
import io
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api import tasks
from api.asked.condition import first_condition
from api.mechanism import findings, panels, routes, sides, verdicts
from api.server import api
from playground.analysis import (
    METHODS,
    Heatmap,
    Sentence,
    Table,
    View,
    cell_text,
    default_answer,
    make_verdict,
    measure_mechanism,
    measure_routes,
    method_called,
    store_of,
)
from playground.analysis.routes import route
from playground.datasets import DatasetSpec
from playground.errors import RequestError
from playground.inference import Model, mechanism_as_command, mechanism_as_python, open_model
from playground.models import snapshots_of
from playground.plots import make_template
from playground.worlds import parse_world
from tests.app.api.documents import ask_parts, read_document
from tests.conftest import random_checkpoint
from tests.support.program import HANGS

GPT2 = {"name": "default", "model": "gpt2"}


@pytest.fixture
def client(workplace, monkeypatch) -> TestClient:
    """Return the API, asked in the working directory with the small runs."""
    monkeypatch.chdir(workplace)
    return TestClient(api)


@pytest.fixture
def model(workplace, monkeypatch) -> Model:
    """Return the small GPT-2 of the second world, with the working directory that it is in."""
    monkeypatch.chdir(workplace)
    return open_model(workplace / "models" / "second" / "gpt2", "cpu")


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def random_gpt2(second_spec, place) -> Model:
    """Return a GPT-2 of the second world with random weights, in a working directory of its own."""
    return open_model(random_checkpoint(second_spec, place / "models" / "default" / "gpt2"), "cpu")


@pytest.fixture(autouse=True)
def _forget_findings():
    forget()


def panel(client: TestClient, method: str, **query: object) -> dict:
    return ask_parts(client, "mechanism/panel", method=method, **query)[-1]


def faults_of(response) -> list[str]:
    assert response.status_code == 422
    return [fault["text"] for fault in response.json()["faults"]]


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


def cases(client: TestClient, query: dict) -> dict | None:
    response = client.get("/mechanism/cases", params=query)
    assert response.status_code == 200, response.text
    return read_document(response.content)["cases"]


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


def forget() -> None:
    findings._finding.cache_clear()
    verdicts._conclude.cache_clear()


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


def test_figures_have_a_look_on_light_and_on_dark_pages(client):
    expected = [make_template(dark=dark).to_plotly_json() for dark in (False, True)]
    found = client.get("/templates").json()["templates"]
    assert [each["layout"]["font"] for each in found] == [each["layout"]["font"] for each in expected]
    assert found[0] != found[1]


def test_the_report_has_what_was_measured(client):
    query = GPT2 | {"beside": "rnn", "on": "zero:L0.mlp"}
    panel(client, "lens", **query)
    response = client.get("/mechanism/report", params=query)
    assert response.headers["content-disposition"] == (
        'attachment; filename="mechanism-default-gpt2-rnn.html"'
    )
    assert response.headers["content-type"].startswith("text/html")
    assert method_called("lens").question in response.text
    assert "zero:L0.mlp" in response.text


def test_the_code_is_that_of_each_model(client):
    query = GPT2 | {"beside": "rnn", "on": "zero:L0H1"}
    first, second = client.get("/mechanism/code", params=query).json()["code"]
    assert first == {
        "title": "default/gpt2",
        "python": mechanism_as_python("default", "gpt2", "zero:L0H1"),
        "command": mechanism_as_command("default", "gpt2", "zero:L0H1"),
    }
    assert second["command"] == mechanism_as_command("default", "rnn", "")


@pytest.mark.slow
@pytest.mark.parametrize("interventions", ["", "zero:L0H1;force:newB=!"])
def test_the_script_prints_the_verdict_and_all_that_speaks_against_it(workplace, monkeypatch, interventions):
    monkeypatch.chdir(workplace)
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(mechanism_as_python("default", "gpt2", interventions), "it.py", "exec"), {})  # noqa: S102
    model = open_model(workplace / "models" / "default" / "gpt2", "cpu")
    found = measure_mechanism(model, interventions)
    lines = printed.getvalue().splitlines()
    assert lines[: len(found.verdict)] == list(found.verdict)
    assert set(map(str, found.claims)) <= set(lines)
    against = [each for claim in found.claims for each in claim.counterexamples]
    assert sum(line.startswith("    not in ") for line in lines) == len(against)


def test_the_command_has_the_interventions_and_a_wrong_text_is_refused():
    command = mechanism_as_command("my models", "gpt2@5:400", "zero:L0H1@>newB..;flip:W_E[0,:]")
    assert command == (
        "the-experiment mechanism --name 'my models' --model gpt2@5:400 --on 'zero:L0H1@>newB..' --on 'flip:W_E[0,:]'"
    )
    with pytest.raises(RequestError):
        mechanism_as_python("default", "gpt2", "zero:")
