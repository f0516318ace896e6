"""`seal`: what was changed on purpose opens again, and the refusal names the command."""

from __future__ import annotations

import re

import pytest
from safetensors.torch import load_file, save_file

from playground.errors import RequestError
from playground.files import read_json


def test_the_refusal_names_the_command_that_accepts_it(invoke, workplace_copy):
    folder = workplace_copy / "models" / "second" / "gpt2"
    path = folder / "model.safetensors"
    tensors = load_file(path)
    save_file({name: -tensor for name, tensor in tensors.items()}, path)
    (folder / "tokenizer.json").unlink()
    with pytest.raises(RequestError) as error:
        invoke("board", "--name", "second")
    (command,) = re.findall(r"the-experiment (seal \S+ --name \w+)", str(error.value))
    invoke(*command.split())
    invoke("board", "--name", "second")
    (record,) = read_json(folder / "run.json")["sealed"]
    assert {"model.safetensors", "tokenizer.json"} <= set(record["changed"])
    assert (folder / "tokenizer.json").is_file()


@pytest.mark.parametrize("run", ["gpt2@7", "gpt2:0", "nonsense", "../second/gpt2", ""])
def test_what_is_no_run_of_ones_own(invoke, run):
    with pytest.raises(RequestError, match="no complete run to seal"):
        invoke("seal", "gpt2", run)


def test_what_comes_with_the_project_is_sealed_only_if_that_is_said(invoke):
    with pytest.raises(RequestError, match="--replace-shipped"):
        invoke("seal", "gpt2", "--name", "shipped")
