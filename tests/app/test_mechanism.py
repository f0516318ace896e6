"""Page Mechanism without a browser: models without some parts, wrong addresses, results that are kept or resumed."""

from __future__ import annotations

import contextlib
import io
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest
from streamlit.util import calc_hash

from playground.analysis import (
    METHODS,
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
from playground.worlds import parse_world
from tests.app.browser import APP
from tests.conftest import random_checkpoint


def run_page(**query: str) -> AppTest:
    """Return page Mechanism as the app draws it; what is put off is not asked for."""
    app = AppTest.from_file(str(APP / "script.py"), default_timeout=600)
    app.query_params.update({"name": "default", **query})
    app._page_hash = calc_hash("mechanism")
    return app.run()


def said(app: AppTest) -> str:
    elements = (*app.error, *app.info, *app.markdown)
    return " ".join(each.value for each in elements).replace("\\", "")


@pytest.fixture
def model(workplace, monkeypatch) -> Model:
    """Return the small GPT-2 of the second world, with the working directory that it is in."""
    monkeypatch.chdir(workplace)
    return open_model(workplace / "models" / "second" / "gpt2", "cpu")


@pytest.fixture
def place(tmp_path, monkeypatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_what_a_model_lacks_is_said_in_its_panel(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    app = run_page(model="rnn", open="attention,lens,routes")
    assert not app.exception
    assert not app.error
    assert [panel.proto.expanded for panel in app.expander] == [
        title.startswith(("**Route", "**Attention", "**Logit lens"))
        for title in (panel.label for panel in app.expander)
    ]
    assert "Nothing to measure in rnn: it has no attention" in said(app)
    assert "it has no residual stream" in said(app)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("query", "expected", "kept"),
    [
        ({"beside": "nosuch"}, "expected one of gpt2", {}),
        ({"beside": "rnn:999", "answer": "sum2"}, "got 999", {"answer": "sum2"}),
        ({"open": "attention,palmistry"}, "got 'palmistry'", {}),
        ({"answer": "A"}, "answer in the address", {}),
        ({"options": "variable=input:Q", "open": "lens"}, "input:A", {"open": "lens"}),
        ({"options": "palm=left"}, "got 'palm'", {}),
        ({"cell": "L9.mlp@newB"}, "cell in the address", {}),
        ({"cell": "L0.mlp@newQ"}, "'newQ'", {}),
        ({"cell": "L0.mlp"}, "cell in the address", {}),
        ({"on": "zero:L9", "cell": "L0.mlp@>newB"}, "on in the address", {"cell": "L0.mlp@>newB"}),
    ],
)
def test_what_is_wrong_in_the_address_is_explained_and_the_rest_kept(
    workplace, monkeypatch, query, expected, kept
):
    monkeypatch.chdir(workplace)
    app = run_page(model="gpt2", **query)
    assert not app.exception
    assert expected in " ".join(error.value for error in app.error).replace("\\", "")
    shown = {name: app.query_params[name] for name in app.query_params}
    assert {name: shown[name] for name in kept} == kept
    assert not (set(query) - set(kept)) & set(shown)


@pytest.mark.slow
def test_every_panel_draws_what_was_found_and_the_cases_behind_a_number(second_spec, place):
    folder = random_checkpoint(second_spec, place / "models" / "default" / "gpt2")
    model = open_model(folder, "cpu")
    from app_pages.mechanism import blocks, measuring

    listed = []
    for method in METHODS.values():
        for _ in measuring.measure(model, (), method):
            pass
    case_table = blocks.components.case_table
    blocks.components.case_table = lambda **shown: (
        listed.append(shown["data"]["label"]) or case_table(**shown)
    )
    try:
        query = {"answer": "second", "cell": "L0H1@>second", "state": "0,1,1"}
        app = run_page(model="gpt2", open=",".join(METHODS), **query)
        more = run_page(model="gpt2", open="lens,tokens,attention", answer="second", cell="embed@first")
        with_options = run_page(
            model="gpt2", open="attention", answer="second", options="spread=largest", cell="L0H1@first"
        )
        app.toggle(key="more_interchange_gpt2").set_value(True).run()
    finally:
        blocks.components.case_table = case_table
    for each in (app, more, with_options):
        assert not each.exception
        assert not each.error
    assert len(app.expander) == len(METHODS)
    methods = {label.rsplit(": ", 1)[1].split(" of ")[0] for label in listed}
    assert methods >= {"routes", "formulas", "free", "subspaces", "circuits", "edges", "attention", "tokens"}
    assert "a run with snapshots" in said(app)
    assert any(label.startswith("where second's variables") for label in listed), "it is folded at first"


def test_a_cell_that_names_no_place_of_the_model_lists_its_cases(second_spec, place):
    random_checkpoint(second_spec, place / "models" / "default" / "gpt2")
    from app_pages.mechanism import blocks

    shown, listed = [], []
    grid, case_table = blocks.components.grid, blocks.components.case_table
    blocks.components.grid = lambda **each: shown.append(each["data"]) or grid(**each)
    blocks.components.case_table = lambda **each: listed.append(each["data"]["label"]) or case_table(**each)
    try:
        app = run_page(model="gpt2", open="routes", answer="second")
        influence = next(each for each in shown if each["label"].startswith("Influence in"))
        row = influence["rows"].index("second")
        cell = (row, next(at for at, value in enumerate(influence["values"][row]) if value is not None))
        before = set(listed)
        title = influence["label"].replace("Influence", "influence")
        app.session_state.cells = {f"{title}_routes_gpt2": cell}
        app.run()
    finally:
        blocks.components.grid, blocks.components.case_table = grid, case_table
    assert not app.exception
    assert shown[-1]["chosen"] == cell
    (cases,) = set(listed) - before
    assert f"second when {influence['columns'][cell[1]]} alone changes" in cases


def test_the_steps_of_a_training_are_drawn_as_they_come(model):
    from app_pages.mechanism import measuring

    next(measuring.measure(model, (), method_called("emergence")))
    app = run_page(name="second", model="gpt2", open="emergence")
    assert not app.exception
    assert [button.label for button in app.button if button.key and "emergence" in button.key] == ["Go on"]


def test_a_world_without_chains_has_no_verdict_and_says_why(place):
    spec = DatasetSpec(world=parse_world("inputs: X, Y\nfirst = X AND Y\nsecond = X OR Y\n"), held_out=())
    random_checkpoint(spec, place / "models" / "default" / "gpt2")
    app = run_page(model="gpt2", open="routes,tokens,attention,lens,attribution")
    assert not app.exception
    assert not app.error
    from api.condition import first_condition
    from app_pages.mechanism import mechanisms

    model = open_model(place / "models" / "default" / "gpt2", "cpu")
    data = mechanisms.verdict_data(mechanisms.look(model, ("default", "gpt2"), first_condition(model), print))
    assert data["answers"] == data["claims"] == []
    assert any("No answer of this world reads another" in each for each in data["caveats"])


def test_a_model_of_another_world_is_not_held_beside(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    models = workplace_copy / "models"
    (models / "second" / "gpt2").rename(models / "default" / "gpt2@5")
    app = run_page(model="gpt2", beside="gpt2@5")
    assert not app.exception
    assert "gpt2@5 is left out" in said(app)


def test_a_damaged_file_of_the_cache_is_measured_anew(model):
    from api.condition import first_condition
    from app_pages.mechanism import measuring, mechanisms

    known = mechanisms.look(model, ("second", "gpt2"), first_condition(model), print).mechanism
    files = sorted(Path("cache", model.digest).glob("routes-*"))
    assert files
    for file in files:
        file.write_bytes(b"no result")
    measuring._job.clear()
    mechanisms._conclude.clear()
    again = mechanisms.look(model, ("second", "gpt2"), first_condition(model), print).mechanism
    assert again.verdict == known.verdict
    assert files[0].read_bytes() != b"no result"


def test_a_click_may_come_while_the_routes_of_many_texts_are_found(second_spec, place, monkeypatch):
    from api.condition import first_condition
    from app_pages.mechanism import measuring, mechanisms

    monkeypatch.setattr(route, "_TOGETHER", 10)
    random_checkpoint(second_spec, place / "models" / "default" / "gpt2", seed=11)
    model = open_model(place / "models" / "default" / "gpt2", "cpu")
    asked = (model, ("default", "gpt2"), first_condition(model))
    heard: list[str] = []

    def click_at_the_second(text: str) -> None:
        heard.append(text)
        if len(heard) == 2:
            raise InterruptedError

    with pytest.raises(InterruptedError):
        mechanisms.look(*asked, click_at_the_second)
    assert heard == [f"gpt2 has read {read} of 32 texts …" for read in (10, 20)]
    measuring._job.clear()
    found = mechanisms.look(*asked, heard.append)
    assert heard[2:] == ["gpt2 has read 30 of 32 texts …"]
    assert found.mechanism.route_summaries == make_verdict(model.world, measure_routes(model)).route_summaries


def test_what_was_measured_when_it_was_stopped_is_gone_on_with(model):
    from app_pages.mechanism import measuring

    method = method_called("interchange")
    job = measuring.job_of(model, (), method)
    steps = measuring.measure(model, (), method)
    first = next(steps)
    steps.close()
    assert 0 < first.done < first.of
    measuring._job.clear()
    later = measuring.job_of(model, (), method)
    assert later is not job
    assert later.step is not None
    assert later.step.done == first.done
    measuring.start(model, (), method)
    assert later.thread is not None
    later.thread.join()
    assert later.complete
    assert not later.running
    whole = method.load(model, (), store_of(model))
    assert whole is not None
    assert (whole.result.written == later.step.result.written).all()


def test_a_running_measurement_is_stopped(model, monkeypatch):
    from app_pages.mechanism import measuring

    method = method_called("patching")
    stopping = []

    def stop_after_one(step):
        stopping.append(step)
        measuring.stop(model, (), method)

    real = measuring.measure
    monkeypatch.setattr(
        measuring, "measure", lambda *asked: (stop_after_one(step) or step for step in real(*asked))
    )
    measuring.start(model, (), method)
    job = measuring.job_of(model, (), method)
    assert job.thread is not None
    job.thread.join()
    assert len(stopping) == 1
    assert not job.running
    assert not job.complete


def test_what_cannot_be_measured_is_said_and_not_tried_again(model, workplace, monkeypatch):
    """A run without snapshots has no past."""
    from app_pages.mechanism import measuring

    bare = open_model(
        workplace / "models" / "second" / "gpt2",
        "cpu",
        snapshots_of(workplace / "models" / "second" / "gpt2")[0],
    )
    monkeypatch.setattr("playground.analysis.emergence.snapshots_of", lambda folder: [])
    method = method_called("emergence")
    assert list(measuring.measure(bare, (), method)) == []
    assert "a run with snapshots" in str(measuring.job_of(bare, (), method).faults[0])


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
