"""Checkpoints: what transformers opens, and every way in which one can be damaged."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from playground.datasets import DatasetSpec
from playground.errors import RequestError
from playground.inference import load_model, open_model
from playground.models import find_run, list_runs
from playground.worlds import parse_world


def test_transformers_opens_it_and_generate_stops_by_itself(random_folder, random_model):
    model = AutoModelForCausalLM.from_pretrained(random_folder)
    tokenizer = AutoTokenizer.from_pretrained(random_folder)
    template = random_model.template
    for index, state in enumerate(random_model.world.states):
        ids = tokenizer(template.prompt(state), return_tensors="pt")["input_ids"]
        written = model.generate(ids)
        assert torch.equal(written[0], random_model.baseline_run.tokens[index])
        assert tokenizer.decode(written[0]) == template.decode(
            random_model.baseline_run.tokens[index].numpy()
        )


def test_the_weights_are_those_that_were_saved(random_folder, random_model):
    reference = AutoModelForCausalLM.from_pretrained(random_folder)
    weights = random_model.network.parameters()
    assert weights.keys() == dict(reference.named_parameters()).keys()
    assert all(torch.equal(weights[name], value) for name, value in reference.named_parameters())


@pytest.fixture
def copy(random_folder, tmp_path) -> Path:
    shutil.copytree(random_folder, tmp_path / "gpt2")
    return tmp_path / "gpt2"


def edit_json(path: Path, **values) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | values))


def test_missing_weights(copy):
    (copy / "model.safetensors").rename(copy / "pytorch_model.bin")
    with pytest.raises(RequestError, match=r"nothing is unpickled.*pytorch_model\.bin"):
        open_model(copy)


@pytest.mark.parametrize("keep", [0, 4, 100, 5_000])
def test_truncated_weights(copy, keep):
    path = copy / "model.safetensors"
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(RequestError, match="whole safetensors file"):
        open_model(copy)


def test_weights_that_are_no_safetensors(copy):
    (copy / "model.safetensors").write_bytes(b"\x80\x04" + b"pickled" * 1000)
    with pytest.raises(RequestError, match="whole safetensors file"):
        open_model(copy)


def test_weights_of_another_size(copy):
    edit_json(copy / "config.json", n_layer=2)
    with pytest.raises(RequestError, match=r"n_layer: expected 3, as model\.safetensors has it, got 2"):
        open_model(copy)


def test_weights_of_which_some_are_missing_or_called_otherwise(copy):
    tensors = load_file(copy / "model.safetensors")
    tensors["transformer.extra"] = tensors.pop("transformer.ln_f.bias")
    save_file(tensors, copy / "model.safetensors")
    with pytest.raises(RequestError, match=r"the 40 tensors that config\.json describes"):
        open_model(copy)


def test_another_architecture(copy):
    edit_json(copy / "config.json", model_type="llama")
    with pytest.raises(RequestError, match="model_type 'gpt2', got 'llama'"):
        open_model(copy)


def test_another_world(copy):
    other = DatasetSpec(world=parse_world("a = A AND B\nb = C OR D\nc = a XOR b\nn(A+B+C+D+a+b)"))
    edit_json(copy / "run.json", dataset=other.to_json())
    with pytest.raises(RequestError, match="another world"):
        open_model(copy)


@pytest.mark.parametrize("file", ["config.json", "run.json"])
@pytest.mark.parametrize("content", ["", "{", "[]", "{}", '{"dataset": 3}'])
def test_damaged_descriptions(copy, file, content):
    (copy / file).write_text(content)
    with pytest.raises(RequestError):
        open_model(copy)


def test_an_incomplete_run_gives_way_to_its_predecessor(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    run = workplace_copy / "models" / "default" / "gpt2"
    shutil.copytree(run, run.with_name("gpt2.previous"))
    (run / "run.json").unlink()
    assert find_run("default", "gpt2") == Path("models/default/gpt2.previous")
    assert load_model("default").board().accuracy.all >= 0


def test_names_are_looked_up_here_and_default_also_where_the_shipped_model_lies(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_run("default", "gpt2") == find_run("shipped", "gpt2")
    with pytest.raises(RequestError, match=r"run\.json in models/mine/gpt2"):
        find_run("mine", "gpt2")
    with pytest.raises(RequestError, match="letters, digits"):
        find_run("../mine", "gpt2")
    assert set(list_runs()) == {("shipped", run) for run in ("gpt2", "rnn", "cnn", "mann")}


def test_runs_of_other_seeds_and_folders_that_are_none(workplace_copy, monkeypatch):
    monkeypatch.chdir(workplace_copy)
    models = workplace_copy / "models"
    shutil.copytree(models / "second" / "gpt2", models / "second" / "gpt2@5")
    shutil.copytree(models / "second" / "gpt2", models / "my model" / "gpt2")
    shutil.copytree(models / "second" / "gpt2", models / "second" / "scratch")
    (models / "empty").mkdir()
    assert [run for run in list_runs() if run[0] != "shipped"] == [
        *(("default", run) for run in ("gpt2", "rnn", "cnn", "mann")),
        ("second", "gpt2"),
        ("second", "gpt2@5"),
    ]
    assert load_model("second", "gpt2@5").board().model == "gpt2@5"


@pytest.mark.parametrize(
    "wrong",
    [
        {"n_head": 3},
        {"n_head": 0},
        {"n_layer": 0},
        {"n_embd": 20_000},
        {"n_layer": "x"},
        {"activation_function": "boom"},
    ],
)
def test_configurations_that_cannot_be_built(copy, wrong):
    edit_json(copy / "config.json", **wrong)
    with pytest.raises(RequestError, match=rf"config\.json: ({next(iter(wrong))}|the heads do not divide)"):
        open_model(copy)


def test_own_runs_come_first(workplace, monkeypatch):
    monkeypatch.chdir(workplace)
    architectures = ("gpt2", "rnn", "cnn", "mann")
    assert list_runs() == [
        *(("default", run) for run in architectures),
        ("second", "gpt2"),
        *(("shipped", run) for run in architectures),
    ]
