"""The API of page Probe against the library: every route, every fault, large worlds, several clients at once."""

from __future__ import annotations

import json
import shutil
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.answers import pack
from playground.analysis import ablations, measure_effect, rank
from playground.inference import board as run_board
from playground.inference import measure_activation, open_model
from playground.interventions import parse_all
from tests.app.api.documents import read_document, read_documents

NAMED = "name=default&model=gpt2"
STATE = "1,0,1,0,1"


@pytest.fixture
def client(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    from api.server import api

    return TestClient(api)


@pytest.fixture(scope="module")
def models(workplace):
    return {
        name: open_model(workplace / "models" / "default" / name, "cpu")
        for name in ("gpt2", "rnn", "cnn", "mann")
    }


def ask(client: TestClient, route: str, query: str) -> Any:
    response = client.get(f"/{route}?{query}")
    assert response.status_code == 200, response.text
    if response.headers["content-type"].startswith("application/json"):
        return response.json()
    return read_document(response.content)


def ask_parts(client: TestClient, route: str, query: str) -> list[Any]:
    response = client.get(f"/{route}?{query}")
    assert response.status_code == 200, response.text
    return read_documents(response.content)


def faults_of(client: TestClient, route: str, query: str) -> str:
    response = client.get(f"/{route}?{query}")
    assert response.status_code == 422
    return " ".join(fault["text"] for fault in response.json()["faults"])


def test_a_document_gives_back_every_array_and_the_rest():
    tree = {
        "numbers": np.arange(6, dtype=np.float32).reshape(2, 3),
        "deep": [{"bytes": np.array([1, 255], dtype=np.uint8)}, "text", None],
        "plain": 1.5,
    }
    back = read_document(pack(tree))
    assert back["numbers"].tolist() == [[0, 1, 2], [3, 4, 5]]
    assert back["deep"][0]["bytes"].tolist() == [1, 255]
    assert (back["deep"][1:], back["plain"]) == (["text", None], 1.5)


@pytest.mark.parametrize("on", ["", "zero:L0H1", "mean:L1.mlp@newB;force:newB=!", "flip:L0.mlp.W_in[3,:]"])
def test_a_board_is_that_of_the_library_bit_for_bit(client, models, on):
    expected = run_board(models["gpt2"], on)
    (part,) = ask_parts(client, "board", f"{NAMED}&on={on}")
    assert part["condition"].split(" ", 1)[1:] == ([on] if on else [])
    assert np.array_equal(part["tokens"], expected.tokens)
    assert np.array_equal(part["token_probability"], expected.token_probability.astype(np.float32))
    assert np.array_equal(part["margin"], expected.margin.astype(np.float32))
    assert np.array_equal(part["judged"], expected.judged)
    assert {name: tuple(count) for name, count in part["tally"].items()} == expected.tally
    assert (part["truth_do"] is None) == (expected.truth_do is None)
    if expected.truth_do is not None:
        assert np.array_equal(part["truth_do"], expected.truth_do)
    assert part["total"] == len(part["rows"]) == 32


def test_a_board_leaves_out_what_is_switched_off_and_says_what_does_not_fit(client, models):
    (part,) = ask_parts(client, "board", f"{NAMED}&on=zero:L0H1;zero:L1H1&off=0")
    assert part["applied"] == ["zero:L1H1"]
    assert np.array_equal(part["tokens"], models["gpt2"].board("zero:L1H1").tokens)
    (part,) = ask_parts(client, "board", "name=default&model=rnn&on=zero:L0H1")
    assert part["applied"] == []
    assert part["unfit"][0]["edit"] == "zero:L0H1"


@pytest.mark.parametrize("on", ["", "zero:L1H2@>newB.."])
def test_attention_is_that_of_the_model(client, models, on):
    model = models["gpt2"]
    picture = ask(client, "picture", f"{NAMED}&state={STATE}&on={on}")
    run = model.run(STATE, parse_all(on) if on else ())
    expected = np.stack([run.recorded[hook][0].numpy() for hook in model.network.pattern_hooks])
    found = picture["edited_patterns" if on else "baseline"].reshape(expected.shape) / 65535
    assert np.abs(found - expected).max() <= 1 / 65535
    assert picture["edited"] is bool(on)


@pytest.mark.parametrize("name", ["rnn", "cnn", "mann"])
def test_maps_are_those_of_the_model(client, models, name):
    model = models[name]
    picture = ask(client, "picture", f"name=default&model={name}&state={STATE}")
    maps = [each for line in picture["lines"] for each in line["maps"]]
    run = model.run(STATE)
    for drawn, packed in zip(
        [each for each in model.network.maps if not each.detail], picture["baseline"], strict=True
    ):
        described = next(each for each in maps if each["site"] == str(drawn.site))
        recorded = run.recorded[drawn.hook][0].numpy()
        expected = recorded.reshape(len(recorded), drawn.units, drawn.components).swapaxes(0, 1).ravel()
        low, high = described["low"], described["high"]
        assert np.abs(low + packed / 65535 * (high - low) - expected).max() <= (high - low) / 65535 + 1e-6


def test_an_activation_is_that_of_the_library(client, models):
    found = ask(client, "activation", f"{NAMED}&state={STATE}&on=zero:L0H1&activation=L1.mlp[3]")
    for group, on in (("baseline", ()), ("edited", "zero:L0H1")):
        values = measure_activation(models["gpt2"], "L1.mlp[:]", on).values
        drawn = next(each for each in found["picture"]["groups"] if each["name"] == group)
        assert np.array_equal(drawn["values"], values[21].T.astype(np.float32).ravel())
        in_all = next(each for each in found["picture"]["states"]["groups"] if each["name"] == group)
        assert np.array_equal(in_all["values"], values[:, :, 3].astype(np.float32).ravel())


def test_an_activation_comes_as_a_file(client):
    response = client.get(f"/activation/file?{NAMED}&state={STATE}&activation=L1.mlp&ending=.npz")
    assert response.headers["content-disposition"] == 'attachment; filename="gpt2-L1.mlp-all-unedited.npz"'
    assert response.content.startswith(b"PK")
    assert "one of .npz" in faults_of(client, "activation/file", f"{NAMED}&ending=.exe")


def test_a_weight_is_that_of_the_model(client, models):
    found = ask(client, "weight", f"{NAMED}&state={STATE}&weight=L0.mlp.W_in&on=flip:L0.mlp.W_in[3,:]")[
        "matrix"
    ]
    weight = next(
        value for site, value in models["gpt2"].network.weights.items() if str(site) == "L0.mlp.W_in"
    )
    flipped = weight.numpy().copy()
    flipped[3] *= -1
    for packed, wanted in ((found["values"], weight.numpy()), (found["edited"], flipped)):
        values = (2 * packed.astype(np.float64) / 65535 - 1) * found["largest"]
        assert np.abs(values - wanted.ravel()).max() <= found["largest"] / 65535 * 1.01


def test_the_ranking_comes_after_its_progress(client, models):
    model = models["gpt2"]
    *progress, last = ask_parts(client, "ranking", NAMED)
    effects = rank(
        [measure_effect(model.board(), model.board([each]), each) for each in ablations(model)], model.board()
    )
    assert [each["site"] for each in last["ranking"]["elements"]] == [
        str(each.intervention.site) for each in effects
    ][:24]
    assert all("progress" in part for part in progress)


def test_fixes_count_what_removing_each_edit_mends(client, models):
    model, edits = models["gpt2"], ("zero:L0", "zero:L1H0")
    last = ask_parts(client, "fixes", f"{NAMED}&on={';'.join(edits)}")[-1]
    wrong = ~model.board(";".join(edits)).correct
    assert last["broken"] == wrong.sum()
    assert last["fixes"] == [int((wrong & model.board(other).correct).sum()) for other in reversed(edits)]


def test_an_address_is_read_as_far_as_it_can_be_followed(client):
    found = ask(client, "condition", f"{NAMED}&state=9&on=zero:L9H9;zero:L0H1&view=weights&sort=price")
    assert found["query"]["on"] == "zero:L0H1"
    assert found["query"]["view"] == "weights"
    assert "sort" not in found["query"]
    assert len(found["faults"]) == 3
    assert len(found["frame"]["states"]) == 32
    again = ask(client, "condition", f"{NAMED}&known=default/gpt2")
    assert again["frame"] is None


def test_typed_edits_are_checked(client):
    found = ask(client, "edits", f"{NAMED}&on=force:newB=1&add=zero:L0H0;zero:L7H7;force:newB=0")
    assert found["added"] == ["zero:L0H0"]
    assert [fault["where"] for fault in found["faults"]] == ["zero:L7H7", "force:newB=0"]


def test_an_atlas_is_measured_as_a_task(client):
    query = f"{NAMED}&weight=L0.mlp.b_in"
    name = client.post(f"/atlas?{query}&by=weights").json()["task"]
    events = client.get(f"/tasks/events?name={name}").text
    last = json.loads(events.split("event: end")[0].strip().rsplit("data: ", 1)[1])
    assert not last["running"]
    assert last["done"] == last["of"] > 0
    assert ask(client, "atlas", query)["complete"] == ["weights"]
    assert client.get(f"/atlas/nothing?{query}").status_code == 404


@pytest.mark.parametrize(
    "route", ["board", "picture", "figure", "ranking", "fixes", "code", "activation", "weight", "atlas"]
)
def test_every_route_explains_what_it_cannot_follow(client, route):
    assert "no such run" in faults_of(client, route, "name=nosuch&model=gpt2")
    assert "not an intervention" in faults_of(client, route, f"{NAMED}&on=bad")
    assert "expected 5 digits" in faults_of(client, route, f"{NAMED}&state=1,0")


def test_nothing_changes_by_get(client):
    assert client.get("/tasks/stop?name=x").status_code == 405
    assert client.post("/tasks/stop?name=x").status_code == 200
    assert client.post(f"/board?{NAMED}").status_code == 405


def test_several_clients_at_once_get_their_own_numbers(client, models):
    """Each bit for bit, though they share one model."""
    edits = [f"zero:L{layer}H{head}" for layer in range(4) for head in range(4)]
    expected = {on: models["gpt2"].board(on).margin.astype(np.float32) for on in edits}
    with ThreadPoolExecutor(8) as pool:
        found = pool.map(
            lambda on: (on, ask_parts(client, "board", f"{NAMED}&on={on}")[0]["margin"]), edits * 2
        )
    for on, margin in found:
        assert np.array_equal(margin, expected[on]), on


def test_a_damaged_model_is_told_and_another_opens(client, workplace, monkeypatch, tmp_path):
    shutil.copytree(workplace / "models", tmp_path / "models")
    weights = tmp_path / "models" / "default" / "gpt2" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-50])
    monkeypatch.chdir(tmp_path)
    listed = ask(client, "models", "")
    assert [(each["name"], each["run"]) for each in listed["damaged"]] == [("default", "gpt2")]
    found = ask(client, "condition", NAMED)
    assert (found["query"]["name"], found["query"]["model"]) != ("default", "gpt2")
    assert "model.safetensors" in found["faults"][0]["text"]
    assert "model.safetensors" in faults_of(client, "board", NAMED)


def test_the_openapi_document_names_every_route_and_parameter(client):
    document = client.get("/openapi.json").json()
    assert {"/board", "/picture", "/activation", "/weight", "/ranking", "/tasks/events"} <= set(
        document["paths"]
    )
    for path, methods in document["paths"].items():
        for about in methods.values():
            assert about.get("description"), path
    names = {each["name"] for each in document["paths"]["/board"]["get"]["parameters"]}
    assert {"name", "model", "state", "on", "off", "from"} <= names
