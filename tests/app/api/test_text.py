"""What page Free text asks: every answer is the library's, every fault is said."""

from __future__ import annotations

import numpy as np
import pytest
from fastapi.testclient import TestClient

from api.server import api
from playground.inference import complete, open_model
from tests.app.api.documents import read_document

STATE, PROMPT = (0, 1, 1, 1, 0), "0,1,1,1,0"
HALF = f"{PROMPT}\n1,1"


@pytest.fixture
def client(workplace, monkeypatch) -> TestClient:
    monkeypatch.chdir(workplace)
    return TestClient(api)


def ask(client: TestClient, **query: str) -> dict:
    answered = client.get("/completion", params={"name": "default", "model": "gpt2", "state": PROMPT} | query)
    assert answered.status_code == 200, answered.text
    return read_document(answered.content)


def faults_of(answered) -> str:
    assert answered.status_code == 422
    return " ".join(fault["text"] for fault in answered.json()["faults"])


@pytest.mark.parametrize("text", [PROMPT, HALF, "1,0"])
def test_every_model_continues_as_the_library_says(client, workplace, text):
    answer = ask(client, model="rnn", text=text, on="zero:L0")["completion"]
    lines = [(line["model"], line["edited"]) for line in answer["lines"]]
    assert lines == [("rnn", False), ("rnn", True), ("gpt2", True), ("cnn", True), ("mann", True)]
    for line in answer["lines"]:
        model = open_model(workplace / "models" / "default" / line["model"], "cpu")
        wanted = complete(model, text, "zero:L0" if line["edited"] else "")
        assert line["tokens"].tolist() == wanted.tokens.tolist()
        assert np.array_equal(line["chances"], wanted.chances)
        assert (line["judged"] is None) == (wanted.judged is None)
        if wanted.judged is not None:
            assert line["judged"].tolist() == wanted.judged.tolist()
            assert line["as_written"].tolist() == wanted.truth_as_written.tolist()


def test_without_a_text_the_prompt_of_the_state_is_continued(client):
    answer = ask(client)
    assert answer["completion"]["text"] == answer["editor"]["text"] == PROMPT
    assert answer["editor"]["right"] == f"{PROMPT}\n"
    assert (answer["editor"]["count"], answer["editor"]["most"]) == (9, 22)


def test_what_is_not_applied_is_said_of_each_model(client):
    answer = ask(client, text=HALF, on="force:newB=0;zero:memory[3]")
    assert any("newB, which stands in the text already" in note for note in answer["notes"])
    unfit = [(each["model"], each["edit"]) for each in answer["unfit"]]
    assert unfit == [(name, "zero:memory[3]") for name in ("gpt2", "rnn", "cnn")]


@pytest.mark.parametrize(
    ("typed", "text", "state"),
    [
        (PROMPT, None, PROMPT),
        ("1,1,0,0,1", None, "1,1,0,0,1"),
        (f" {PROMPT} \r\n1, 1 ", HALF, PROMPT),
        (f"{PROMPT}⏎1,0,0,0⏎3-1", f"{PROMPT}\n1,0,0,0\n3 - 1", PROMPT),
        ("1,0", "1,0", None),
    ],
)
def test_a_typed_text_is_read_as_an_address_names_it(client, typed, text, state):
    answered = client.get("/typed", params={"name": "default", "model": "gpt2", "typed": typed})
    assert answered.json() == {"text": text, "state": state}
    if text is not None:
        assert ask(client, text=text)["completion"]["text"] == text


@pytest.mark.parametrize(
    ("typed", "said"),
    [("0,1,x", "'x'"), (f"{PROMPT}\n1,0,0,0\n3 - 1\n1", "got 23 tokens"), ("", "got 0 tokens"), ("💥", "💥")],
)
def test_a_text_that_models_cannot_read_is_a_fault(client, typed, said):
    about = {"name": "default", "model": "gpt2"}
    assert said in faults_of(client.get("/typed", params=about | {"typed": typed}))
    assert "text in the address" in faults_of(client.get("/completion", params=about | {"text": typed}))


def test_faults_of_the_query(client):
    about = {"name": "default", "model": "gpt2"}
    assert "there is no such" in faults_of(client.get("/typed", params={"name": "x", "typed": "0"}))
    assert "typed" in faults_of(client.get("/typed", params=about))
    assert "state in the address" in faults_of(client.get("/completion", params=about | {"state": "2"}))
