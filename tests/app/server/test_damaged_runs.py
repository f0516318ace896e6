"""Damaged runs of the user: explained in a sentence, and no obstacle to runs that open."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from api import runs
from tests.app.browser import APP
from tests.app.test_script import run_app
from tests.support.privileges import without_privileges

PAGES = ["probe", "mechanism", "compare", "text", "world", "train"]


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


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working directory with two runs, of which the first is to be damaged; what is shipped is there too."""
    for run in ("gpt2", "rnn"):
        shutil.copytree(
            APP.parent / "models" / "shipped" / run,
            tmp_path / "models" / "default" / run,
            ignore=shutil.ignore_patterns("snapshots"),
        )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def said_in_sidebar(app: AppTest) -> str:
    return " ".join(each.value for each in app.sidebar.caption).replace("\\", "")


@pytest.mark.slow
@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_damaged_run_is_told_and_another_one_is_open(place, damage):
    damage(place / "models" / "default" / "gpt2")
    app = run_app()
    assert not app.exception
    assert not app.error
    assert app.session_state["run"] == ("default", "rnn")
    assert "default/gpt2: " in said_in_sidebar(app)
    assert ("default", "gpt2") not in app.sidebar.selectbox[0].proto.options
    assert "default/gpt2" not in app.sidebar.selectbox[0].options
    assert "shipped/gpt2" in app.sidebar.selectbox[0].options


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES)
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
    app = AppTest.from_file(str(APP / "script.py"), default_timeout=600)
    app.run()
    app.switch_page(f"app_pages/{page}/page.py").run()
    assert not app.exception
    assert not app.error
    assert app.session_state["run"] == ("default", "rnn")
    for run in ("gpt2", "cnn", "mann", "gpt2@1"):
        assert f"default/{run}: " in said_in_sidebar(app)


def test_a_link_to_a_damaged_run_says_what_is_wrong_and_opens_another(place):
    DAMAGES["weights cut in the body"](place / "models" / "default" / "gpt2")
    app = run_app(name="default", model="gpt2", state="0,0,0,0,1")
    assert not app.exception
    assert "whole safetensors file" in app.error[0].value.replace("\\", "")
    assert app.session_state["run"] == ("default", "rnn")
    assert app.query_params["state"] == "0,0,0,0,1"


def test_a_run_that_is_mended_is_there_again(place):
    weights = place / "models" / "default" / "gpt2" / "model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:1_000])
    app = run_app()
    assert "default/gpt2: " in said_in_sidebar(app)
    weights.write_bytes(whole)
    app.run()
    assert not app.exception
    assert "default/gpt2: " not in said_in_sidebar(app)
    assert "default/gpt2" in app.sidebar.selectbox[0].options


def test_a_run_that_breaks_while_it_is_open(place):
    app = run_app(name="default", model="gpt2")
    assert app.session_state["run"] == ("default", "gpt2")
    DAMAGES["no weights"](place / "models" / "default" / "gpt2")
    app.run()
    assert not app.exception
    assert "model.safetensors" in app.error[0].value.replace("\\", "")
    assert app.session_state["run"] == ("default", "rnn")


def test_where_none_opens_the_pages_that_need_none_work(place, monkeypatch):
    monkeypatch.setattr("playground.files.project_root", lambda: place)
    for run in ("gpt2", "rnn"):
        DAMAGES["config.json of nothing"](place / "models" / "default" / run)
    app = AppTest.from_file(str(APP / "script.py"), default_timeout=600).run()
    assert not app.exception
    assert len(app.error) == 2
    shutil.copytree(APP.parent / "data" / "worlds", place / "data" / "worlds")
    # Neither page shows anything of a model, not even that some cannot be opened.
    for page in ("world", "train"):
        app.switch_page(f"app_pages/{page}/page.py").run()
        assert not app.exception
        assert not app.error


def test_no_file_is_looked_at_twice(place, monkeypatch):
    looked: list[Path] = []
    check = runs.check_checkpoint
    monkeypatch.setattr(runs, "check_checkpoint", lambda folder: (looked.append(folder), check(folder))[1])
    DAMAGES["no weights"](place / "models" / "default" / "gpt2")
    app = run_app()
    for _ in range(5):
        app.run()
    assert len(looked) == len(set(looked)) >= 2


@pytest.mark.slow
@pytest.mark.parametrize("closed", ["", "run.json", "config.json", "model.safetensors"])
def test_what_may_not_be_read_is_told(place, closed):
    run = place / "models" / "default" / "gpt2"
    (run / closed).chmod(0)
    try:
        with without_privileges():
            app = run_app()
            assert not app.exception
            assert not app.error
            assert app.session_state["run"] == ("default", "rnn")
            assert "default/gpt2: " in said_in_sidebar(app)
            # Safetensors has words of its own.
            assert "Permission denied" in said_in_sidebar(app) or closed == "model.safetensors"
            for page in ("compare", "train"):
                app.switch_page(f"app_pages/{page}/page.py").run()
                assert not app.exception
                assert not app.error
    finally:
        (run / closed).chmod(0o755)
