"""What the view Activations of page Probe shows, for every part of every model."""

from __future__ import annotations

import io

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.asked import activations, views
from api.asked.condition import Condition, named_positions
from api.probe import activation_data, measured
from api.server import api
from playground.inference import measure_activation, open_model
from playground.interventions import parse, parse_site
from tests.app.api.documents import read_document

ARCHITECTURES = ("gpt2", "rnn", "cnn", "mann")
STATE, OTHER = (1, 0, 1, 0, 1), (0, 1, 1, 0, 0)
ROW, OTHER_ROW = 21, 12
EDITS = {"gpt2": "zero:L0H1", "rnn": "zero:L0.h[3]", "cnn": "zero:L1.conv[2]", "mann": "zero:memory[3]"}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request, workplace):
    return open_model(workplace / "models" / "default" / request.param, "cpu")


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_architecture_shows_its_activations(workplace, monkeypatch, name):
    monkeypatch.chdir(workplace)
    query = {
        "name": "default",
        "model": name,
        "on": EDITS[name],
        "activation": "logits",
        "versus": "0,1,1,0,0",
    }
    response = TestClient(api).get("/activation", params=query)
    assert response.status_code == 200, response.text
    answer = read_document(response.content)
    assert answer["picture"]["site"] == answer["strongest"]["site"].split("[")[0] == "logits"
    assert answer["picture"]["versus"] == "0,1,1,0,0"
    assert [group["name"] for group in answer["picture"]["groups"]][1] == "0,1,1,0,0"
    assert answer["strongest"]["units"]
    # Scores cannot be edited.
    assert answer["picture"]["action"] is None


@pytest.mark.slow
def test_every_part_is_sent_as_the_library_measures_it(model):
    edit = EDITS[model.name]
    for part in activations.choosable(model):
        unit = part.units - 1
        condition = Condition(state=STATE, edits=(parse(edit),), activation=part.site.at(unit))
        view = views.build_view(model, condition)
        data = activation_data.activations_data(view, measured.measure(view, part))
        before, after = (
            measure_activation(model, part.source, each).values.reshape(32, 22, part.units, -1)
            for each in ("", edit)
        )
        sent = [*(group["values"] for group in data["groups"]), data["difference"]]
        for values, whole in zip(sent, (before, after, after - before), strict=True):
            assert np.array_equal(values, whole[ROW].swapaxes(0, 1).ravel()), part.site
        states = data["states"]
        assert np.array_equal(states["groups"][1]["values"], after[:, :, unit].ravel())
        assert data["limits"][1] >= max(np.abs(before[ROW]).max(), np.abs(after[ROW]).max())


@pytest.mark.slow
@pytest.mark.parametrize("token", [None, 12])
@pytest.mark.parametrize("versus", [None, OTHER])
def test_units_are_sorted_as_numpy_sorts_them(model, token, versus):
    for sort in activations.SORTS:
        check_order(model, sort, token, versus)


def check_order(model, sort, token, versus):
    part = activations.choosable(model)[2]
    anchor = None if token is None else named_positions(model)[token]
    condition = Condition(
        state=STATE, edits=(parse(EDITS[model.name]),), units=sort, token=anchor, versus=versus
    )
    view = views.build_view(model, condition)
    values = measured.measure(view, part)
    data, strongest = (
        activation_data.activations_data(view, values),
        activation_data.strongest_data(view, values),
    )
    one, other = (
        values.edited[ROW] if versus else values.baseline[ROW],
        values.edited[OTHER_ROW] if versus else values.edited[ROW],
    )
    rows = slice(None) if token is None else slice(token, token + 1)
    one, other = (each[rows].swapaxes(0, 1).reshape(part.units, -1) for each in (one, other))
    key = {
        "number": -np.arange(part.units),
        "value": one.max(-1),
        "largest": np.abs(one).max(-1),
        "changed": np.abs(other - one).max(-1),
    }[sort]
    order = np.argsort(-key, kind="stable")
    assert data["order"] == order.tolist()
    assert [each["site"] for each in strongest["units"]] == [
        str(part.site.at(unit)) for unit in order[:14].tolist()
    ]
    values = np.array([each["values"] for each in strongest["units"]])
    assert np.allclose(np.abs(values[:, 0]), np.abs(one).max(-1)[order[:14]])
    assert np.allclose(np.abs(values[:, 2]), np.abs(other - one).max(-1)[order[:14]])


def test_a_file_holds_what_is_asked_for(model):
    part = activations.chosen(model, None)
    edits = (parse(EDITS[model.name]),)
    content = measured.export(model, part, edits, STATE, ".npz")
    with np.load(io.BytesIO(content)) as file:
        expected = measure_activation(model, part.source, edits).values[ROW : ROW + 1]
        assert np.array_equal(file["values"], expected)
        assert list(file["state"]) == ["1,0,1,0,1"]
        assert str(file["interventions"]) == EDITS[model.name]


def test_scores_are_those_of_the_run_and_their_axes_have_names(model):
    found = measure_activation(model, "logits", EDITS[model.name])
    assert found.axes == ("state", "token", "vocabulary")
    assert found.labels["vocabulary"] == tuple(model.template.vocabulary)
    run = model.run_all(EDITS[model.name])
    assert np.allclose(found.values, run.logits.numpy(), atol=1e-5)
    assert activations.chosen(model, parse_site("logits[1]")).noun == "token"
