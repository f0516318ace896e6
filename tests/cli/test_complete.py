"""Free text: any text, right or wrong, and how the models go on with it."""

from __future__ import annotations

import json

import pytest
import torch
from transformers import AutoModelForCausalLM

from playground.errors import RequestError
from playground.inference import complete, open_model

WRONG_ON_THE_WAY = r"0,1,1,1,0\n0,1"


def decode_one_by_one(folder, ids: list[int], length: int) -> tuple[list[int], list[float]]:
    """Return what transformers' own model writes behind `ids`, and how surely."""
    model = AutoModelForCausalLM.from_pretrained(folder).eval()
    tokens, sure = list(ids), []
    with torch.no_grad():
        while len(tokens) < length:
            shares = model(torch.tensor([tokens])).logits[0, -1].softmax(-1)
            tokens.append(int(shares.argmax()))
            sure.append(float(shares.max()))
    return tokens[len(ids) :], sure


def test_models_go_on_with_a_wrong_text(invoke, workplace):
    document = json.loads(invoke("complete", WRONG_ON_THE_WAY, "--json"))
    assert list(document) == ["text", "given", "interventions", "models", "truth"]
    assert document["text"] == "0,1,1,1,0\n0,1"
    assert document["given"] == 13
    assert document["truth"] == "\n1,0,0,0\n3 - 1\n"
    assert list(document["models"]) == ["gpt2", "rnn", "cnn", "mann"]
    for answer in document["models"].values():
        assert "".join(answer["tokens"]) == answer["completion"]
        assert len(answer["tokens"]) == len(answer["probabilities"]) == 9
    folder = workplace / "models" / "default" / "gpt2"
    template = open_model(folder, "cpu").template
    tokens, sure = decode_one_by_one(folder, template.encode(document["text"]), template.length)
    assert document["models"]["gpt2"]["completion"] == "".join(template.vocabulary[index] for index in tokens)
    assert document["models"]["gpt2"]["probabilities"] == pytest.approx(sure, abs=1e-4)


def test_line_breaks_can_be_real_ones(invoke):
    arguments = ("--model", "gpt2", "--json")
    typed, real = (
        json.loads(invoke("complete", text, *arguments))
        for text in (WRONG_ON_THE_WAY, WRONG_ON_THE_WAY.replace("\\n", "\n"))
    )
    assert typed == real


@pytest.mark.parametrize("text", ["0", "0,1,1,1", "1\\n0", ",,,,,,,,,"])
def test_half_a_prompt_or_none_has_no_truth(invoke, text):
    document = json.loads(invoke("complete", text, "--model", "rnn", "--json"))
    assert document["truth"] is None
    assert document["given"] + len(document["models"]["rnn"]["tokens"]) == 22


def test_under_interventions(invoke, workplace):
    invoke("conditions", "save", "silent", "--on", "zero:L1")
    arguments = ("complete", "0,1,1,1,0", "--condition", "silent", "--on", "force:newC=!", "--json")
    document = json.loads(invoke(*arguments))
    assert document["interventions"] == ["zero:L1", "force:newC=!"]
    assert document["models"]["mann"]["not_applied"] == ["zero:L1"]
    board = open_model(workplace / "models" / "default" / "gpt2", "cpu").board("zero:L1;force:newC=!")
    state = board.dataset.world.states.index((0, 1, 1, 1, 0))
    assert document["models"]["gpt2"]["completion"] == board.completion(state)
    with pytest.raises(RequestError, match="stands in the text already"):
        invoke("complete", WRONG_ON_THE_WAY, "--on", "force:newB=1")


@pytest.mark.parametrize("text", ["", "7", "0, 1", "0,1,1,1,0\\t", "0," * 12])
def test_a_text_is_made_of_the_tokens_of_the_world(invoke, text):
    with pytest.raises(RequestError):
        invoke("complete", text)


def test_in_words_what_was_given_is_marked(invoke):
    lines = invoke("complete", WRONG_ON_THE_WAY, "--model", "gpt2").splitlines()
    given, written = next(line for line in lines if line.startswith("gpt2")).split("│")
    assert given.split() == ["gpt2", *"0,1,1,1,0⏎", "0⚑", ",", "1⚑"]
    assert len(written.split()) == 9
    assert next(line for line in lines if line.startswith("the rules")).split("│")[0].split()[2:] == [*"⏎1,0"]


def test_a_whole_sample_leaves_nothing_to_write(invoke, workplace):
    model = open_model(workplace / "models" / "second" / "gpt2", "cpu")
    text = model.template.decode(model.template.truth[3])
    continued = complete(model, text)
    assert continued.given == len(continued.tokens)
    assert continued.truth is not None
    assert text.endswith(continued.truth)
    assert (continued.probability <= 1).all()
