"""Faults in an address are explained, and the rest of the condition is kept."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient

from api.server import api
from playground.inference import open_model
from playground.worlds import state_text
from tests.app.api.documents import read_document

STATE = "1,0,1,0,1"
"""The first held-out state: shown where the address names none that there is."""


@pytest.mark.parametrize(
    ("query", "said", "kept"),
    [
        ({"state": "1,0"}, "expected 5 digits", {}),
        ({"state": ""}, "got nothing", {}),
        ({"state": "0,1,1,1,2", "on": "zero:L0"}, "'2'", {"on": "zero:L0"}),
        ({"on": "zero:L9H9;zero:L0H1"}, "from L0 to L3", {"on": "zero:L0H1"}),
        ({"on": "zero:L0H1@newQ;;💥"}, "newQ", {}),
        ({"kind": "burn", "on": "mean:L0"}, "one of zero, mean, resample", {"on": "mean:L0"}),
        ({"at": "@newB..A"}, "begins before it ends", {}),
        ({"large": "L7H7"}, "L0H0", {}),
        ({"sort": "price"}, "such as", {}),
        ({"margins": "maybe", "on": "zero:L0"}, "'maybe'", {"on": "zero:L0"}),
        ({"name": "nosuch", "model": "gpt2"}, "nosuch/gpt2", {"name": "default"}),
        ({"name": "../", "model": "x"}, "default/gpt2", {"name": "default"}),
        ({"on": "flip:L0.mlp.W_on[3]"}, "L0.mlp.W_in", {}),
        ({"on": "flip:L0.mlp.W_in[999,0]"}, "an index within L0.mlp.W_in[0..127,0..511]", {}),
        ({"on": "nuke:W_E~150%"}, "up to 100, got 150%", {}),
        ({"on": "force:newB=1;force:newB=0"}, "this output is already forced", {"on": "force:newB=1"}),
        ({"on": "patch:L0H1<1,0,1"}, "which has 3", {}),
        ({"on": "force:A=1"}, "given and not written", {}),
        ({"on": "zero:L0", "off": "7"}, "off in the address", {"on": "zero:L0"}),
        ({"amount": "much"}, "'much'", {}),
        ({"seed": "-1"}, "seed in the address: not a seed", {}),
        ({"seed": "1.5"}, "seed in the address: not a seed", {}),
        ({"seed": "1e3", "on": "zero:L0"}, "seed in the address: not a seed", {"on": "zero:L0"}),
        ({"on": "noise:W_E~1#-1"}, "on in the address, #-1: not a seed", {}),
        ({"step": "2"}, "step in the address", {}),
        ({"weight": "W_Z"}, ", such as W_E, W_U, ", {}),
        ({"weight": "L0.mlp.W_on"}, "such as L0.mlp.W_in, L0.mlp.W_out, ", {}),
        ({"from": "9,9"}, "from in the address", {}),
        ({"noise": "0"}, "noise in the address", {}),
        (
            {"model": "rnn", "on": "zero:L1H2"},
            "expected one of L1.h, L1.c, L1.i, L1.f, L1.g, L1.o, L1, got L1H2",
            {"model": "rnn"},
        ),
        ({"model": "cnn", "on": "zero:L2.conv[24]"}, "an index within L2.conv[0..23]", {}),
        ({"model": "mann", "on": "zero:memory[16]"}, "an index within memory[0..15,0..23]", {}),
        ({"model": "gpt2", "on": "zero:memory[3]"}, "expected one of", {}),
        ({"model": "cnn", "token": "newQ"}, "'newQ'", {}),
        ({"model": "rnn", "large": "L0.conv"}, "L0.h", {}),
    ],
)
def test_what_is_wrong_in_an_address_is_explained_and_the_rest_is_kept(
    workplace, monkeypatch, query, said, kept
):
    monkeypatch.chdir(workplace)
    asked = {"name": "default", "state": STATE, "sort": "-held-out", **query}
    response = TestClient(api).get("/condition", params=asked)
    assert response.status_code == 200, response.text
    answer = read_document(response.content)
    followed = answer["query"]
    assert said in " ".join(fault["text"] for fault in answer["faults"])
    assert followed["state"] == STATE
    if "sort" not in query:
        assert followed["sort"] == "-held-out"
    assert {name: followed[name] for name in kept} == kept
    if "on" not in kept:
        assert "on" not in followed
    assert followed["name"] == "default"
    if query.get("model") != "x":
        assert followed["model"] == query.get("model", followed["model"])
    assert answer["frame"]["first_state"] == STATE


def test_an_address_that_says_nothing_wrong_has_no_faults(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    asked = {"name": "default", "model": "gpt2", "state": STATE, "sort": "-held-out"}
    answer = read_document(TestClient(api).get("/condition", params=asked).content)
    assert answer["query"] == asked
    assert answer["faults"] == []


@pytest.mark.parametrize(
    ("name", "model"),
    [("default", "gpt2"), ("default", "rnn"), ("default", "cnn"), ("default", "mann"), ("second", "gpt2")],
)
def test_a_model_opens_in_its_own_world(workplace, monkeypatch, name, model):
    monkeypatch.chdir(workplace)
    world = open_model(workplace / "models" / name / model, "cpu").world
    answer = read_document(TestClient(api).get("/condition", params={"name": name, "model": model}).content)
    frame = answer["frame"]
    assert answer["faults"] == []
    assert answer["query"] == {"name": name, "model": model, "state": frame["first_state"]}
    assert frame["inputs"] == list(world.inputs)
    assert frame["names"] == list(world.answers)
    assert frame["states"] == [state_text(state) for state in world.states]
