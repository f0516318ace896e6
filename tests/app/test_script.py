"""The app's script without a browser, for every world."""

from __future__ import annotations

import json
from types import SimpleNamespace
from urllib.parse import urlencode

import pytest
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.testing.v1 import AppTest

from playground.inference import open_model
from playground.models import seal_run
from tests.app.browser import APP


def run_app(**query: str) -> AppTest:
    app = AppTest.from_file(str(APP / "script.py"), default_timeout=600)
    for name, value in query.items():
        app.query_params[name] = value
    return app.run()


@pytest.mark.parametrize("name", ["default", "second"])
def test_the_page_runs_for_every_world(workplace, monkeypatch, name):
    monkeypatch.chdir(workplace)
    world = open_model(workplace / "models" / name / "gpt2", "cpu").world
    app = run_app(name=name, model="gpt2")
    assert not app.exception
    assert not app.error
    assert [toggle.label for toggle in app.toggle] == list(world.inputs)
    first = app.toggle[0].value
    app.toggle[0].set_value(not first).run()
    assert not app.exception
    assert app.query_params["state"] == ",".join(str(int(toggle.value)) for toggle in app.toggle)
    assert app.toggle[0].value is not first


@pytest.mark.parametrize("model", ["rnn", "cnn", "mann"])
def test_the_page_runs_for_every_architecture(workplace, monkeypatch, model):
    monkeypatch.chdir(workplace)
    app = run_app(name="default", model=model)
    assert not app.exception
    assert not app.error
    assert app.query_params["model"] == model


def test_of_an_old_address_and_a_new_one_only_the_new_one_counts_beside_a_change(workplace, monkeypatch):
    """A click, or what was found meanwhile, brings along the address that the browser shows: a slow one is behind."""
    monkeypatch.chdir(workplace)
    app = run_app(name="default", model="gpt2", state="0,0,0,0,1")
    before = dict(app.query_params)
    app.query_params["state"] = "0,0,0,1,0"
    app.run()
    for late, shown in (("0,0,0,0,1", "0,0,0,1,0"), ("1,1,1,1,0", "1,1,1,1,0")):
        app.session_state["acted"] = True
        for name, value in (before | {"state": late}).items():
            app.query_params[name] = value
        app.run()
        assert not app.exception
        assert ",".join(map(str, app.session_state["condition"].state)) == shown
    # Unless the browser was led back there by its history.
    from state import url

    sent = urlencode(before | {"state": "0,0,0,0,1"}, doseq=True)
    led = SimpleNamespace(is_history_navigation=True, query_string=sent)
    monkeypatch.setattr(url, "get_script_run_ctx", lambda: led)
    app.session_state["acted"] = True
    app.run()
    assert app.session_state["condition"].state == (0, 0, 0, 0, 1)


def test_a_link_counts_though_an_older_run_of_the_tab_begins_beside_it(workplace, monkeypatch):
    """All runs of a tab share `st.query_params`: one that is stopped for the link may set them back as it begins."""
    monkeypatch.chdir(workplace)
    from state import url

    app = run_app(name="default", model="gpt2", state="0,0,0,0,1")
    old, sync_url = urlencode(dict(app.query_params), doseq=True), url.sync_url

    def sync_url_beside_an_older_run(page):
        with get_script_run_ctx().session_state.query_params() as shared:
            shared.populate_from_query_string(old)
        sync_url(page)

    monkeypatch.setattr(url, "sync_url", sync_url_beside_an_older_run)
    app.query_params["state"] = "1,1,1,1,0"
    app.query_params["on"] = ["zero:L1H0", "force:newB=!"]
    app.run()
    assert not app.exception
    assert app.session_state["condition"].state == (1, 1, 1, 1, 0)
    assert [str(each) for each in app.session_state["condition"].edits] == ["zero:L1H0", "force:newB=!"]


def test_an_address_without_a_query_keeps_what_the_tab_has(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    app = run_app(name="default", model="cnn", state="0,0,0,0,1", on="zero:L1")
    for name in list(app.query_params):
        del app.query_params[name]
    app.run()
    assert not app.exception
    assert app.session_state["run"] == ("default", "cnn")
    assert str(app.session_state["condition"].edits[0]) == "zero:L1"
    assert app.query_params["state"] in ("0,0,0,0,1", ["0,0,0,0,1"])


def test_without_any_model_the_page_says_how_to_get_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("playground.files.project_root", lambda: tmp_path)
    app = run_app()
    assert not app.exception
    assert "the-experiment train gpt2" in app.error[0].value.replace("\\", "")


def test_a_damaged_model_is_explained(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    weights = workplace_copy / "models" / "default" / "gpt2" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1_000])
    app = run_app(name="default", model="gpt2")
    assert not app.exception
    assert "whole safetensors file" in app.error[0].value.replace("\\", "")


def test_a_damaged_rival_is_left_out_of_the_comparison(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    (workplace_copy / "models" / "default" / "rnn" / "config.json").write_text("{}")
    from api import library

    model = library.open_run(workplace_copy / "models" / "default" / "gpt2")
    rivals, left_out = library.open_rivals(model, ("default", "gpt2"))
    assert [rival.name for rival in rivals] == ["gpt2", "cnn", "mann"]
    assert "rnn is left out" in left_out[0]
    assert "model_type 'rnn'" in left_out[0]


def test_a_click_with_an_address_one_click_old_is_not_lost(workplace, monkeypatch):
    """A browser sends the address that it shows, which may not be repainted yet."""
    monkeypatch.chdir(workplace)
    app = run_app(name="default", model="gpt2", state="0,0,0,0,1")
    app.toggle[0].set_value(True).run()
    app.query_params["state"] = "0,0,0,0,1"
    app.toggle[1].set_value(True).run()
    assert app.query_params["state"] == "1,1,0,0,1"


def test_what_is_found_after_a_click_does_not_bring_an_old_address_back(workplace, monkeypatch):
    """A fragment's timer may go off before the browser shows the address that a click led to."""
    monkeypatch.chdir(workplace)
    from state import session
    from ui.sidebar import edits

    app = run_app(name="default", model="gpt2", state="0,0,0,0,1", on="zero:L0H0")
    stale = urlencode({name: app.query_params[name] for name in app.query_params})
    asked = []

    def find_more(*_args):
        if not asked:
            asked.append(get_script_run_ctx())
            asked[0].query_string = stale
            session.rerun()

    monkeypatch.setattr(edits, "count", find_more)
    app.toggle[0].set_value(True).run()
    assert asked
    assert not app.exception
    assert app.query_params["state"] == "1,0,0,0,1"


def test_what_widgets_held_before_a_change_does_not_undo_it(workplace, monkeypatch):
    """Until a browser shows a change, it tells with every click and tick what its widgets held before."""
    monkeypatch.chdir(workplace)
    app = run_app(name="default", model="gpt2", state="0,0,0,0,1")
    held_before = app._tree.get_widget_states()
    app.query_params["state"] = "1,0,0,0,0"
    app.query_params["kind"] = "scale"
    app.run()
    app._run(held_before)
    assert not app.exception
    assert (app.query_params["state"], app.query_params["kind"]) == ("1,0,0,0,0", "scale")


def test_from_a_damaged_model_one_can_go_to_another(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    (workplace_copy / "models" / "my model").mkdir()
    (workplace_copy / "models" / "default" / "gpt2" / "config.json").write_text("{}")
    app = run_app(name="default", model="gpt2")
    assert "config.json" in app.error[0].value.replace("\\", "")
    app.sidebar.selectbox[0].select(("second", "gpt2")).run()
    assert not app.error
    assert not app.exception
    assert [toggle.label for toggle in app.toggle] == ["X", "Y", "Z"]


def test_a_new_run_in_the_same_folder_is_opened_and_what_fits_is_kept(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    app = run_app(name="default", model="gpt2", state="1,1,0,1,1", on="zero:L0H0")
    assert not app.error
    assert "seen in training" in " ".join(each.value for each in app.markdown)
    run = workplace_copy / "models" / "default" / "gpt2" / "run.json"
    document = json.loads(run.read_text())
    document["dataset"]["held_out"] = ["1,1,0,1,1"]
    run.write_text(json.dumps(document))
    seal_run(run.parent)
    app.run()
    assert not app.exception
    assert app.query_params["state"] == "1,1,0,1,1"
    assert app.query_params["on"] == "zero:L0H0"
    assert "held out" in " ".join(each.value for each in app.markdown)
