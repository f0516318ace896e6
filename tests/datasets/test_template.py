"""The form of a sample, and the tokenizer that transformers opens."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from playground.datasets import Template, make_tokenizer
from playground.errors import RequestError
from playground.worlds import parse_world, state_text


def test_the_default_sample(default_world):
    template = Template(default_world)
    assert template.prompt((0, 1, 1, 1, 0)) == "0,1,1,1,0"
    assert template.completion((0, 1, 1, 1, 0)) == "\n1,0,0,0\n3 - 1\n"
    assert (template.length, template.prompt_length, len(template.vocabulary)) == (22, 9, 9)
    names = {"newA": 10, "newB": 12, "newC": 14, "newD": 16, "sum": 18, "sum2": 20}
    assert {name: template.positions[name] for name in names} == names


def test_the_second_sample(second_world):
    template = Template(second_world)
    assert template.prompt((1, 1, 0)) + template.completion((1, 1, 0)) == "1,1,0\n0,0\n"
    assert template.vocabulary == ("0", "1", ",", "\n")
    assert template.positions == {"X": 0, "Y": 2, "Z": 4, "first": 6, "second": 8}


def test_tokenizer_and_template_agree_on_every_state(world):
    template, tokenizer = Template(world), make_tokenizer(Template(world))
    for state, row in zip(world.states, template.truth, strict=True):
        text = template.prompt(state) + template.completion(state)
        assert tokenizer(text)["input_ids"] == template.encode(text) == row.tolist()
        assert tokenizer.decode(row) == template.decode(row) == text


@given(st.lists(st.integers(0, 13), max_size=30))
@settings(max_examples=200, deadline=None)
def test_decoding_what_was_encoded_gives_the_text_back(ids):
    inputs = ",".join("ABCDEFGHIJ")
    world = parse_world(f"inputs: {inputs}\nall = A AND B\nn({inputs.replace(',', '+')}) - m(A)")
    template, tokenizer = Template(world), make_tokenizer(Template(world))
    assert len(template.vocabulary) == 14, "0 to 10 and three separators"
    text = template.decode(np.array(ids, dtype=np.int64))
    assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert template.decode(np.array(template.encode(text), dtype=np.int64)) == text


def test_other_characters_are_explained(default_world):
    with pytest.raises(RequestError, match="'x'"):
        Template(default_world).encode("0,1,x")


def test_positions_name_what_stands_there(world):
    template = Template(world)
    for state, row in zip(world.states, template.truth, strict=True):
        values = dict(zip(world.inputs, state, strict=True)) | world.evaluate(state)
        for name, position in template.positions.items():
            assert template.vocabulary[row[position]] == str(values[name]), state_text(state)
