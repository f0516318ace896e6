"""Worlds that are small, wide, deep, badly named or hardly worlds at all: every command, analysis and page works."""

from __future__ import annotations

import csv
import io
import json
from contextlib import redirect_stdout
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import typer
from fastapi.testclient import TestClient

from api.server import api
from playground.analysis import METHODS, measure_mechanism, method_called
from playground.analysis.interchange.alignment import align
from playground.cli.main import app as commands
from playground.datasets import DatasetSpec, generate
from playground.inference import open_model
from playground.models import ARCHITECTURES
from playground.report import Section, make_report
from playground.worlds import World, parse_world, state_text
from tests.app.api.documents import ask_parts, read_document, read_documents
from tests.conftest import BASELINES, SMALL, random_checkpoint

pytestmark = pytest.mark.slow

WORLDS = {
    "least": "inputs: P, Q\nout = P AND Q\n",
    "chained": "a0 = A AND B\n"
    + "".join(f"a{i} = (a{i - 1} XOR A) OR (a{i - 1} AND NOT B)\n" for i in range(1, 10)),
    "named": (
        "inputs: temperature, X2, noise_level, is_open\n"
        "too_hot_to_work_today_and_tomorrow_too = temperature AND NOT is_open\n"
        "L1H2 = X2 XOR too_hot_to_work_today_and_tomorrow_too OR NOT noise_level\n"
        "state = L1H2 IMPLIES X2\n"
        "memory(temperature+X2+noise_level) - correct(L1H2+state) - held_out(X2+state+is_open) - t(X2)\n"
    ),
    "constant": (
        "inputs: A, B, unused\nalways = 1\nnever = 0\nsame = A\nagain = same\n"
        "nearly = A OR B OR NOT unused\nlone(A) - few(always+never)\n"
    ),
    "unchained": "x = A XOR B\ny = B XOR C\nz = A AND C\nn(A+B+C)\n",
}
WEIGHTS = {"gpt2": ("L0.attn.W_Q", "--by", "blocks")}


@pytest.fixture(scope="module", params=list(WORLDS))
def any_world(request) -> World:
    return parse_world(WORLDS[request.param])


@pytest.fixture(scope="module")
def place(any_world, tmp_path_factory) -> Path:
    """Return a working directory with a dataset of the world and untrained models of every architecture."""
    folder = tmp_path_factory.mktemp("any")
    spec = DatasetSpec(world=any_world, held_out=(any_world.states[-1],))
    generate(spec, folder / "data" / "default")
    for architecture, kind in ARCHITECTURES.items():
        layers = max(SMALL[architecture].layers, kind.default_size(spec.template).layers)
        size = replace(
            SMALL[architecture], layers=layers if architecture == "cnn" else SMALL[architecture].layers
        )
        random_checkpoint(
            spec, folder / "models" / "default" / architecture, architecture=architecture, size=size
        )
    return folder


@pytest.fixture
def there(place, monkeypatch) -> Path:
    monkeypatch.chdir(place)
    monkeypatch.setenv("COLUMNS", "160")
    return place


@pytest.fixture
def ask(there):
    """Return a function that runs a command and returns what it prints."""
    program = typer.main.get_command(commands)
    # What comes before all commands sets up logging.
    program.callback = None

    def run(*arguments: str) -> str:
        printed = io.StringIO()
        with redirect_stdout(printed):
            program.main(list(arguments), standalone_mode=False)
        return printed.getvalue()

    return run


def test_the_boards_say_what_the_rules_say(any_world, ask):
    state, first = any_world.states[1], any_world.outputs[0]
    edits = ("--on", f"force:{first}=1", "--on", f"mean:L0@>{any_world.answers[-1]}")
    boards = json.loads(ask("board", "--model", "all", "--json", *edits))["boards"]
    assert [board["model"] for board in boards] == list(ARCHITECTURES)
    for board in boards:
        for row, there in zip(board["states"], any_world.states, strict=True):
            assert row["truth"] == {name: str(value) for name, value in any_world.evaluate(there).items()}
            done = any_world.do(**{first: 1}).evaluate(there)
            assert row["truth_do"] == {name: str(value) for name, value in done.items()}
    rows = list(csv.reader(io.StringIO(ask("board", "--csv", *edits))))
    assert len(set(rows[0])) == len(rows[0]) == 5 + 7 * len(any_world.answers)
    column = rows[0].index(f"{any_world.answers[-1]}_truth")
    assert [row[column] for row in rows[1:]] == [str(row[-1]) for row in any_world.truth_table]
    assert "right" in ask("board", "--model", "rnn") + ask("test", state_text(state), "--model", "rnn")


def test_what_else_is_asked_is_answered(any_world, ask, there):
    first = any_world.outputs[0]
    text = state_text(any_world.states[0]) + r"\n0"
    assert json.loads(ask("complete", text, "--json"))
    assert ask("complete", state_text(any_world.states[-1]))
    ask("export", "logits", "logits.npz", "--on", f"force:{first}=1")
    with np.load(there / "logits.npz") as file:
        assert file["token"][-1] == "end"
        assert len(set(file["token"].tolist())) == len(file["token"])
        assert set(any_world.answers) <= set(file["token"].tolist())
    for model, weight in WEIGHTS.items():
        assert json.loads(ask("atlas", *weight, "--model", model, "--json"))["weight"] == weight[0]
    ask("conditions", "save", "one", "--on", f"force:{first}=!")
    assert first in ask("conditions", "show", "one")
    assert "one" in ask("conditions", "compare", "one")
    ask("conditions", "delete", "one")


@pytest.mark.parametrize("turn", [0, 1])
def test_all_methods_that_take_seconds(any_world, there, turn):
    baseline = BASELINES[len(any_world.answers) % len(BASELINES)]
    model = open_model(there / "models" / "default" / ("gpt2", baseline)[turn], "cpu")
    steps = []
    for method in METHODS.values():
        if not method.is_long and not method.unavailable_reason(model.network):
            *_, step = method.run(model, (), None)
            steps.append((method, step))
            json.dumps(method.figures(step.result, model))
    mechanism = measure_mechanism(model)
    page = make_report([Section(model, mechanism, steps)])
    assert all(name in page for name in any_world.answers)


def test_methods_that_take_longer(any_world, there):
    model = open_model(there / "models" / "default" / "rnn", "cpu")
    step = next(method_called("interchange").run(model, (), None))
    assert all(found.answer in any_world.answers for found in align(any_world, step.result))
    assert next(method_called("patching").run(model, (), None)).of


def test_all_models_are_compared_and_continue_a_text(any_world, there):
    client, first, prompt = TestClient(api), any_world.outputs[0], state_text(any_world.states[0])
    query = {"name": "default", "model": "gpt2", "state": prompt, "on": f"force:{first}=!"}
    runs = [each["run"] for each in client.get("/rivals", params=query).json()["models"]]
    assert runs == list(ARCHITECTURES)
    scores = client.get("/scores", params=query).json()
    assert scores["names"] == list(any_world.answers)
    assert [len(each["scores"]) for each in scores["models"]] == [1 + len(any_world.answers)] * len(runs)
    text = client.get("/typed", params=query | {"typed": f"{prompt}⏎1"}).json()["text"]
    answer = read_document(client.get("/completion", params=query | {"text": text}).content)
    assert answer["completion"]["text"] == text
    assert {line["model"] for line in answer["completion"]["lines"]} == {*runs}
    [table, *_] = read_documents(client.get("/named_sets/measured", params=query).content)
    assert [entry["name"] for entry in table["entries"]] == ["unedited", "the edits"]


def test_the_verdict_and_every_quick_panel_are_there(any_world, there):
    client, last = TestClient(api), any_world.answers[-1]
    query = {"name": "default", "on": f"force:{any_world.outputs[0]}=!", "answer": last}
    for model in ("gpt2", "rnn"):
        about = query | {"model": model}
        (*_, verdict) = ask_parts(client, "mechanism/verdict", **about)
        assert verdict["verdict"]["whole"]
        for method in METHODS.values():
            if not method.is_long:
                (*_, panel) = ask_parts(client, "mechanism/panel", **about, method=method.name)
                assert panel["lack"] or panel["complete"], method.name
                assert panel["unmeasured"] == []


@pytest.mark.parametrize("turn", [0, 1])
def test_everything_that_page_probe_asks_is_answered(any_world, there, turn):
    client, first, last = TestClient(api), any_world.outputs[0], any_world.answers[-1]
    baseline = BASELINES[len(any_world.answers) % len(BASELINES)]
    about = {
        "name": "default",
        "model": ("gpt2", baseline)[turn],
        "state": state_text(any_world.states[0]),
        "on": f"force:{first}=!",
        "at": f"@>{last}",
        "sort": f"baseline.{first}",
        "answer": last,
        "grouped": last,
        "token": f">{last}",
        "versus": state_text(any_world.states[-1]),
    }
    opened = read_document(client.get("/condition", params=about).content)
    assert opened["faults"] == []
    assert opened["query"] == about
    frame = opened["frame"]
    assert frame["names"] == list(any_world.answers)
    assert (len(frame["states"]), frame["outputs"]) == (len(any_world.states), list(any_world.outputs))
    chosen = about | {"large": frame["drawable"][-1], "kind": "scale"}
    for route in ("picture", "figure", "code", "fixes", "ranking", "weight", "atlas"):
        answer = client.get(f"/{route}", params=chosen)
        assert answer.status_code == 200, (route, answer.text)
    for activation in (frame["first_activation"], "logits[0]"):
        answer = client.get("/activation", params=about | {"activation": activation})
        assert answer.status_code == 200, answer.text
        shown = read_document(answer.content)["picture"]["states"]
        assert (shown is None) == ("[" not in activation)
    model = open_model(there / "models" / "default" / about["model"], "cpu")
    (*_, board) = ask_parts(client, "board", **about)
    assert board["total"] == len(any_world.states)
    written = board["tokens"][:, model.template.answer_positions]
    assert np.array_equal(written[np.argsort(board["rows"])], model.board(about["on"]).written)


def test_pages_world_and_train_show_it(any_world, there):
    client = TestClient(api)
    shown = client.get("/world", params={"rules": any_world.text}).json()
    assert shown["faults"] == []
    assert shown["world"]
    (there / "data" / "worlds").mkdir(exist_ok=True)
    (there / "data" / "worlds" / "its.rules").write_text(any_world.text)
    form = client.get("/training/form", params={"rules": "its"})
    assert form.status_code == 200, form.text
    checked = client.get("/training/check", params={"rules": "its", "held": state_text(any_world.states[-1])})
    assert checked.json()["faults"] == []
