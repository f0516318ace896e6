"""Activations as files, read with plain NumPy and safetensors, held against transformers."""

from __future__ import annotations

import json

import numpy as np
import pytest
import torch
from safetensors import safe_open
from transformers import AutoModelForCausalLM

from playground.errors import RequestError
from playground.inference import FORMATS, measure_activation, open_model, write_activation

INPUTS = ["A", ">B", "B", ">C", "C", ">D", "D", ">E", "E"]
OUTPUTS = [">newA", "newA", ">newB", "newB", ">newC", "newC", ">newD", "newD"]
TOKENS = [*INPUTS, *OUTPUTS, ">sum", "sum", ">sum2", "sum2", "end"]


@pytest.fixture(scope="module")
def model(workplace):
    return open_model(workplace / "models" / "default" / "gpt2", "cpu")


@pytest.fixture(scope="module")
def reference(workplace, model):
    """Return hidden states and attention patterns of transformers' own model on the texts that ours writes."""
    folder = workplace / "models" / "default" / "gpt2"
    loaded = AutoModelForCausalLM.from_pretrained(folder, attn_implementation="eager").eval()
    with torch.no_grad():
        found = loaded(model.baseline_run.tokens, output_hidden_states=True, output_attentions=True)
    return [each.numpy() for each in found.hidden_states], [each.numpy() for each in found.attentions]


def read(path) -> dict:
    """Return what is in an exported file, whichever format it has."""
    if path.suffix == ".npz":
        with np.load(path, allow_pickle=False) as file:
            found = {name: file[name].tolist() for name in file.files if name != "values"}
            return found | {"values": file["values"]}
    with safe_open(path, framework="numpy") as file:
        assert list(file.keys()) == ["values"]
        found = dict(file.metadata())
        axes = found["axes"].split(",")
        lists = {name: json.loads(found[name]) for name in [*axes, "texts"]}
        return found | lists | {"axes": axes, "values": file.get_tensor("values")}


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_the_residual_stream_is_that_of_transformers(invoke, reference, model, tmp_path, suffix):
    hidden, _ = reference
    path = tmp_path / f"resid{suffix}"
    for site, index in (("embed", 0), ("L0.resid", 1), ("L2.resid", 3)):
        assert invoke("export", site, str(path)) == ""
        found = read(path)
        assert found["axes"] == ["state", "token", "dimension"]
        np.testing.assert_allclose(found["values"], hidden[index], atol=1e-4)
    assert found["token"] == TOKENS
    assert found["state"][0] == "0,0,0,0,0"
    assert len(found["state"]) == 32
    assert found["dimension"] == [str(number) for number in range(128)]
    assert (found["site"], found["model"], found["interventions"]) == ("L2.resid", "gpt2", "")
    assert found["world"] == model.world.text
    assert found["texts"] == [model.template.decode(row) for row in model.baseline.tokens]
    assert [each.name for each in tmp_path.iterdir() if each.name.startswith(".")] == []


@pytest.mark.parametrize("suffix", list(FORMATS))
def test_a_pattern_of_one_state(invoke, reference, model, tmp_path, suffix):
    _, attentions = reference
    path = tmp_path / f"pattern{suffix}"
    invoke("export", "L1H2.pattern", str(path), "--state", "0,1,1,1,0")
    found = read(path)
    assert found["axes"] == ["state", "head", "query", "key"]
    assert (found["state"], found["head"]) == (["0,1,1,1,0"], ["2"])
    assert found["query"] == found["key"] == TOKENS
    row = model.world.states.index((0, 1, 1, 1, 0))
    np.testing.assert_allclose(found["values"][0, 0], attentions[1][row, 2], atol=1e-5)
    whole = measure_activation(model, "L3.pattern")
    assert whole.labels["head"] == ("0", "1", "2", "3")
    np.testing.assert_allclose(whole.values, attentions[3], atol=1e-5)


def test_values_are_those_after_the_interventions(invoke, reference, model, tmp_path):
    path = tmp_path / "z.npz"
    invoke("conditions", "save", "silent", "--on", "zero:L1H2@newB")
    invoke("export", "L1H2", str(path), "--condition", "silent", "--on", "scale:L1H2~0@newC")
    found = read(path)
    assert found["interventions"] == "zero:L1H2@newB;scale:L1H2~0@newC"
    assert found["axes"] == ["state", "token", "head", "component"]
    assert found["head"] == ["2"]
    silent = [TOKENS[index] for index in range(22) if not found["values"][:, index].any()]
    assert silent == ["newB", "newC"]
    edited = measure_activation(model, "L2.resid", "zero:L0.mlp").values
    assert np.abs(edited - reference[0][3]).max() > 0.01
    assert "float32" in str(edited.dtype)


def test_neurons_and_parts(model):
    neurons = measure_activation(model, "L0.mlp[3:8]")
    assert neurons.axes == ("state", "token", "neuron")
    assert neurons.labels["neuron"] == ("3", "4", "5", "6", "7")
    assert neurons.values.shape == (32, 22, 5)
    every, added = measure_activation(model, "L0.mlp[:]"), measure_activation(model, "L0.mlp")
    np.testing.assert_array_equal(every.values[:, :, 3:8], neurons.values)
    assert (every.values.shape[2], added.axes[2], added.values.shape[2]) == (512, "dimension", 128)
    layer = measure_activation(model, "L0")
    assert layer.axes == ("state", "token", "part", "dimension")
    assert layer.labels["part"] == ("L0.attn", "L0.mlp")
    np.testing.assert_array_equal(layer.values[:, :, 1], added.values)


def check_every_site(model):
    for site, shape in model.network.sites.items():
        found = measure_activation(model, site)
        assert tuple(len(found.labels[axis]) for axis in found.axes) == found.values.shape
        assert found.values.shape[:2] == (len(model.world.states), model.template.length)
        if shape:
            first = measure_activation(model, site.at(0), "", model.world.states[1])
            assert first.values.shape[0] == 1


def test_every_site_of_gpt2(random_model):
    check_every_site(random_model)


def test_every_site_of_the_baselines(random_baseline):
    check_every_site(random_baseline)


def test_axes_of_a_memory(workplace, tmp_path):
    model = open_model(workplace / "models" / "default" / "mann", "cpu")
    memory = measure_activation(model, "memory[2:4]")
    assert memory.axes == ("state", "token", "slot", "component")
    assert memory.labels["slot"] == ("2", "3")
    write_activation(memory, tmp_path / "memory.safetensors")
    assert read(tmp_path / "memory.safetensors")["slot"] == ["2", "3"]


WRONG = {
    "another ending": (("L0.resid", "x.txt"), "got 'x.txt'"),
    "no ending": (("L0.resid", "x"), ".npz or .safetensors"),
    "no folder": (("L0.resid", "nowhere/x.npz"), "got 'nowhere'"),
    "no such layer": (("L9.resid", "x.npz"), "from L0 to L3"),
    "no such head": (("L0H9.pattern", "x.npz"), "L0H3"),
    "no such layer of patterns": (("L9.pattern", "x.npz"), "from L0 to L3"),
    "an index of a pattern": (("L0H0.pattern[1]", "x.npz"), "pattern such as L0H0.pattern"),
    "a weight": (("W_E", "x.npz"), "safetensors file"),
    "a unit too many": (("L0.mlp[512]", "x.npz"), "0..511"),
    "no site": (("L0H", "x.npz"), "zero:L0H"),
    "no such state": (("L0.resid", "x.npz", "--state", "0,1"), "5 digits"),
    "all models": (("L0.resid", "x.npz", "--model", "all"), "one model"),
    "a pattern of the RNN": (("L0.pattern", "x.npz", "--model", "rnn"), "L0.h"),
}


@pytest.mark.parametrize("case", list(WRONG))
def test_a_wrong_request_writes_nothing(invoke, workplace_copy, case):
    arguments, said = WRONG[case]
    with pytest.raises(RequestError) as error:
        invoke("export", *arguments)
    assert said in str(error.value)
    assert not list(workplace_copy.glob("*x*"))
