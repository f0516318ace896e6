"""The report of page Mechanism, and its verdict as code."""

from __future__ import annotations

import contextlib
import io

import pytest

from playground.analysis import (
    measure_mechanism,
    method_called,
)
from playground.errors import RequestError
from playground.inference import mechanism_as_command, mechanism_as_python, open_model
from playground.plots import make_template
from tests.app.api.mechanism.asking import GPT2, panel


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
