"""Damaged runs of the user: explained in a sentence, and no obstacle to runs that open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from safetensors.numpy import load_file, save_file

from api.models import runs
from api.server import api
from playground.files import write_json
from playground.models import seal_run
from tests.app.api.documents import read_document, read_documents
from tests.app.browser import APP
from tests.support.privileges import without_privileges
from tests.support.program import HANGS

ASKED = {
    "probe": ("board", "picture", "figure", "ranking", "fixes", "code", "activation", "weight", "atlas"),
    "mechanism": ("mechanism/rivals", "mechanism/methods", "mechanism/code"),
    "compare": ("rivals", "scores", "named_sets", "named_sets/measured"),
    "text": ("completion",),
    "world": ("world/linked",),
    "train": ("training/form", "training/check", "training/trainings"),
}
"""What each page asks. The last two show no model."""
ABOUT_MODELS = ("probe", "mechanism", "compare", "text")


def _edit(name: str, **values: object) -> Callable[[Path], None]:
    def damage(run: Path) -> None:
        document = json.loads((run / name).read_text())
        (run / name).write_text(json.dumps(document | values))

    return damage


def _cut(name: str, length: int) -> Callable[[Path], None]:
    return lambda run: (run / name).write_bytes((run / name).read_bytes()[:length])


def _replace(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda run: (run / name).write_bytes(content)


def _other_world(run: Path) -> None:
    document = json.loads((run / "run.json").read_text())
    document["dataset"] |= {
        "world": "inputs: X, Y, Z\nfirst = X NAND Y\nsecond = first XOR Z\n",
        "held_out": [],
    }
    (run / "run.json").write_text(json.dumps(document))


def _folder_in_place(name: str) -> Callable[[Path], None]:
    def damage(run: Path) -> None:
        (run / name).unlink()
        (run / name).mkdir()

    return damage


def _zeros_at_the_end(run: Path) -> None:
    content = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").write_bytes(content[:-1_000])


DAMAGES = {
    "no weights": lambda run: (run / "model.safetensors").unlink(),
    "no config.json": lambda run: (run / "config.json").unlink(),
    "weights cut in the head": _cut("model.safetensors", 100),
    "weights cut in the body": _zeros_at_the_end,
    "weights of nothing": _replace("model.safetensors", b""),
    "weights of something else": _replace("model.safetensors", b"\x80\x04pickle" * 100),
    "a folder for weights": _folder_in_place("model.safetensors"),
    "a folder for config.json": _folder_in_place("config.json"),
    "run.json that is no JSON": _replace("run.json", b'{"architecture": "gpt2",'),
    "run.json that is no object": _replace("run.json", b"[]"),
    "run.json without a dataset": _replace("run.json", b'{"architecture": "gpt2"}'),
    "run.json that is no text": _replace("run.json", b"\xff\xfe\x00"),
    "config.json of nothing": _replace("config.json", b""),
    "config.json without anything": _replace("config.json", b"{}"),
    "config.json of another architecture": _edit("config.json", model_type="rnn"),
    "config.json of another width": _edit("config.json", n_embd=64),
    "config.json of another depth": _edit("config.json", n_layer=3),
    "another world": _other_world,
    "another architecture": _edit("run.json", architecture="cnn"),
}


def _weights_of(number: float) -> Callable[[Path], None]:
    """Return a damage that shows only when the weights are read: some of them are that number."""

    def damage(run: Path) -> None:
        weights = load_file(run / "model.safetensors")
        name = next(name for name, values in weights.items() if values.dtype == np.float32)
        weights[name].flat[:3] = number
        save_file(weights, run / "model.safetensors", {"format": "pt"})

    return damage


SEEN_LATE = {
    "NaN for weights": _weights_of(float("nan")),
    "infinite weights": _weights_of(float("inf")),
    "weights too large to compute with": _weights_of(3e38),
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with two runs, of which the first is to be damaged; what is shipped is there too, and a folder that is no name."""
    for run in ("gpt2", "rnn"):
        shutil.copytree(
            APP.parent / "models" / "shipped" / run,
            tmp_path / "models" / "default" / run,
            ignore=shutil.ignore_patterns("snapshots"),
        )
    (tmp_path / "models" / "my model").mkdir()
    monkeypatch.chdir(tmp_path)
    # However busy the machine is: all files are checked at once.
    monkeypatch.setattr(runs, "ENOUGH", HANGS)
    return tmp_path


def get(route: str, **query: str) -> dict:
    """Return an answer, the last part if it comes in parts; none may fail."""
    response = TestClient(api).get(f"/{route}", params=query)
    assert response.status_code == 200, response.text
    if response.headers["content-type"].startswith("application/json"):
        return response.json()
    is_stream = response.content[8:16].find(b"{") < 0
    answer = read_documents(response.content)[-1] if is_stream else read_document(response.content)
    assert route == "condition" or "faults" not in answer
    return answer


def refused(route: str, **query: str) -> list[str]:
    """Return what is said of a question that has no answer."""
    response = TestClient(api).get(f"/{route}", params=query)
    assert response.status_code == 422, response.text
    return [fault["text"] for fault in response.json()["faults"]]


def opened(**query: str) -> tuple[tuple[str, str], list[str]]:
    """Return the run that an address opens, and what is said about it."""
    answer = get("condition", **query)
    assert answer["frame"]
    followed = answer["query"]
    return (followed["name"], followed["model"]), [fault["text"] for fault in answer["faults"]]


def listed() -> tuple[list[str], dict[str, str]]:
    """Return the runs that are offered, and what is said of the others."""
    answer = get("models")
    offered = ["/".join((each["name"], each["run"])) for each in answer["runs"]]
    return offered, {"/".join((each["name"], each["run"])): each["text"] for each in answer["damaged"]}


def is_sentence(text: str) -> bool:
    """Return whether a text is one line for people, and no traceback."""
    return "\n" not in text and "Traceback" not in text and len(text) > len("model.safetensors: ")


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_is_told_and_another_one_is_open(place, damage):
    damage(place / "models" / "default" / "gpt2")
    assert opened() == (("default", "rnn"), [])
    offered, damaged = listed()
    assert list(damaged) == ["default/gpt2"]
    assert is_sentence(damaged["default/gpt2"])
    assert "default/gpt2" not in offered
    assert {"default/rnn", "shipped/gpt2"} <= set(offered)
    # A model that is opened is looked at more closely.
    assert all(map(is_sentence, refused("board", name="default", model="gpt2")))


@pytest.mark.parametrize("damage", SEEN_LATE.values(), ids=SEEN_LATE)
def test_what_shows_only_in_the_weights_is_told_once_it_is_known(place, damage):
    damage(place / "models" / "default" / "gpt2")
    run, [said] = opened()
    assert run == ("default", "rnn")
    assert is_sentence(said)
    assert "model.safetensors" in said
    # From now on it stands in nobody's way.
    assert opened() == (("default", "rnn"), [])
    offered, damaged = listed()
    assert damaged == {"default/gpt2": said}
    assert "default/gpt2" not in offered
    for _ in range(2):
        assert opened(name="default", model="gpt2") == (("default", "rnn"), [said])
        assert refused("board", name="default", model="gpt2") == [said]


@pytest.mark.slow
@pytest.mark.parametrize("page", ASKED)
def test_every_page_works_beside_damaged_runs(place, page):
    own = place / "models" / "default"
    for name, damage in (
        ("cnn", "no weights"),
        ("mann", "config.json of nothing"),
        ("gpt2@1", "run.json that is no object"),
    ):
        shutil.copytree(own / ("rnn" if name != "gpt2@1" else "gpt2"), own / name)
        DAMAGES[damage](own / name)
    DAMAGES["weights cut in the body"](own / "gpt2")
    assert opened() == (("default", "rnn"), [])
    assert {f"default/{run}" for run in ("gpt2", "cnn", "mann", "gpt2@1")} == set(listed()[1])
    about = {"name": "default", "model": "rnn"} if page in ABOUT_MODELS else {}
    for route in ASKED[page]:
        assert get(route, **about), route


@pytest.mark.parametrize("route", [route for page in ABOUT_MODELS for route in ASKED[page]])
def test_every_question_about_a_damaged_run_is_answered_with_what_is_wrong(place, route):
    if route == "named_sets":
        assert get(route)
        return
    DAMAGES["weights cut in the body"](place / "models" / "default" / "gpt2")
    [said] = refused(route, name="default", model="gpt2")
    assert is_sentence(said)
    assert "models/default/gpt2/model.safetensors" in said


def test_a_link_to_a_damaged_run_says_what_is_wrong_and_opens_another(place):
    DAMAGES["weights cut in the body"](place / "models" / "default" / "gpt2")
    answer = get("condition", name="default", model="gpt2", state="0,0,0,0,1")
    [fault] = answer["faults"]
    assert "whole safetensors file" in fault["text"]
    assert answer["query"] == {"name": "default", "model": "rnn", "state": "0,0,0,0,1"}


def test_a_run_that_is_mended_is_there_again(place):
    weights = place / "models" / "default" / "gpt2" / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1_000])
    assert "default/gpt2" in listed()[1]
    weights.write_bytes(whole)
    offered, damaged = listed()
    assert damaged == {}
    assert "default/gpt2" in offered
    assert opened(name="default", model="gpt2") == (("default", "gpt2"), [])


def test_a_run_that_breaks_while_it_is_open(place):
    about = {"name": "default", "model": "gpt2"}
    assert opened(**about) == (("default", "gpt2"), [])
    assert get("board", **about)["total"] == 32
    DAMAGES["no weights"](place / "models" / "default" / "gpt2")
    assert "model.safetensors" in " ".join(refused("board", **about))
    run, [said] = opened(**about)
    assert run == ("default", "rnn")
    assert "model.safetensors" in said


def test_a_new_run_in_the_same_folder_is_opened_and_what_fits_is_kept(place):
    about = {"name": "default", "model": "gpt2", "state": "1,1,0,1,1", "on": "zero:L0H0"}
    before = get("condition", **about)
    held_out = before["frame"]["held_out"]
    index = before["frame"]["states"].index("1,1,0,1,1")
    assert not held_out[index]
    run = place / "models" / "default" / "gpt2"
    document = json.loads((run / "run.json").read_text())
    document["dataset"]["held_out"] = ["1,1,0,1,1"]
    write_json(run / "run.json", document)
    seal_run(run)
    after = get("condition", **about)
    assert after["faults"] == []
    assert after["query"] == before["query"] == about
    assert [state for state, is_out in enumerate(after["frame"]["held_out"]) if is_out] == [index]


def test_a_step_at_which_nothing_was_kept_is_told_and_the_trained_model_is_open(place):
    """A link may name a step of a run that was trained anew meanwhile."""
    run, [said] = opened(name="default", model="gpt2:11", state="0,0,0,0,1")
    assert run == ("default", "gpt2")
    assert "gpt2" in said
    assert "11" in said
    assert is_sentence(said)


def test_a_run_that_disappears(place, monkeypatch):
    # What comes along would take its place.
    monkeypatch.setattr("playground.files.project_root", lambda: place)
    about = {"name": "default", "model": "gpt2"}
    assert get("board", **about)
    gone = runs.list_runs()
    shutil.rmtree(place / "models" / "default" / "gpt2")
    assert "no such run" in " ".join(refused("board", **about))
    run, [said] = opened(**about)
    assert run == ("default", "rnn")
    assert "default/rnn" in said
    assert "default/gpt2" not in listed()[0]
    # Between the moments when runs are listed and when one is opened.
    monkeypatch.setattr(runs, "list_runs", lambda: gone)
    run, said = opened(**about)
    assert run == ("default", "rnn")
    assert all(map(is_sentence, said))
    offered, damaged = listed()
    assert "default/gpt2" not in offered
    assert list(damaged) == ["default/gpt2"]


def test_many_runs_are_checked_little_by_little(place, monkeypatch):
    DAMAGES["weights cut in the body"](place / "models" / "default" / "gpt2")
    monkeypatch.setattr(runs, "ENOUGH", -1.0)
    # Nothing is known of any yet.
    offered, damaged = listed()
    assert damaged == {}
    assert offered[0] == "default/gpt2"
    run, [said] = opened()
    assert run == ("default", "rnn")
    assert is_sentence(said)
    assert "model.safetensors" in said
    assert listed()[1] == {"default/gpt2": said}
    assert opened() == (("default", "rnn"), [])


def test_where_none_opens_it_is_said_of_each_and_what_needs_none_works(place, monkeypatch):
    monkeypatch.setattr("playground.files.project_root", lambda: place)
    for run in ("gpt2", "rnn"):
        DAMAGES["config.json of nothing"](place / "models" / "default" / run)
    said = refused("condition")
    assert len(said) == 2
    assert all(map(is_sentence, said))
    offered, damaged = listed()
    assert offered == []
    assert list(damaged) == ["default/gpt2", "default/rnn"]
    assert list(damaged.values()) == said
    shutil.copytree(APP.parent / "data" / "worlds", place / "data" / "worlds")
    for page in ("world", "train"):
        for route in ASKED[page]:
            assert get(route), route


def test_without_any_run_it_is_said_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("playground.files.project_root", lambda: tmp_path)
    [said] = refused("condition")
    assert "the-experiment train gpt2" in said
    assert listed() == ([], {})


def test_no_file_is_looked_at_twice(place, monkeypatch):
    looked: list[Path] = []
    check = runs.check_checkpoint
    monkeypatch.setattr(runs, "check_checkpoint", lambda folder: (looked.append(folder), check(folder))[1])
    DAMAGES["no weights"](place / "models" / "default" / "gpt2")
    for _ in range(5):
        assert opened() == (("default", "rnn"), [])
        listed()
    assert len(looked) == len(set(looked)) >= 2


@pytest.mark.parametrize("closed", ["", "run.json", "config.json", "model.safetensors"])
def test_what_may_not_be_read_is_told(place, closed):
    run = place / "models" / "default" / "gpt2"
    (run / closed).chmod(0)
    try:
        with without_privileges():
            assert opened() == (("default", "rnn"), [])
            [(told, said)] = listed()[1].items()
            assert told == "default/gpt2"
            assert is_sentence(said)
            # Safetensors has words of its own.
            assert "Permission denied" in said or closed == "model.safetensors"
            assert opened(name="default", model="gpt2") == (("default", "rnn"), [said])
            assert refused("board", name="default", model="gpt2")
            for route in ASKED["compare"]:
                assert get(route, name="default", model="rnn"), route
            for route in ASKED["train"]:
                assert get(route), route
    finally:
        (run / closed).chmod(0o755)
