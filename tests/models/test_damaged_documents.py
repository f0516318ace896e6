"""Whatever stands in `run.json` and `config.json`: a checkpoint is opened, or a `RequestError` says what is wrong."""

from __future__ import annotations

import json
import re
import shutil

import pytest
import torch

from playground.errors import RequestError
from playground.files import read_json, write_json
from playground.models import SNAPSHOTS, Size, load_checkpoint, read_run, runs_of, snapshots_of
from tests.conftest import BASELINES, random_checkpoint
from tests.support.mutations import DEEP, mutations

pytestmark = pytest.mark.slow

EACH = 250
"""Mutations of each document of each architecture: 2,000 in all."""

TINY = {
    "gpt2": Size(width=4, layers=1, heads=2),
    "rnn": Size(width=4, layers=1),
    "cnn": Size(width=4, layers=4),
    "mann": Size(width=4, layers=1),
}
CPU = torch.device("cpu")


def run_document(spec, architecture: str) -> dict:
    shares = {"all": 0.5, "seen": 0.5, "held_out": 1.0}
    by_output = dict.fromkeys(spec.world.answers, shares)
    evaluation = {"epoch": 0.5, "seconds": 1.5, "accuracy": {**shares, "by_output": by_output}}
    return {
        "architecture": architecture,
        "dataset": spec.to_json(),
        "recipe": {"epochs": 3.0},
        "size": {"width": 4},
        "seed": 0,
        "parameters": 100,
        "samples": 100,
        "steps": 400,
        "seconds": 3.0,
        "operations": 10**9,
        "evaluations": [{"step": 0, "loss": None, **evaluation}, {"step": 200, "loss": 0.1, **evaluation}],
    }


@pytest.fixture(params=["gpt2", *BASELINES])
def folder(request, second_spec, tmp_path):
    """Return a tiny run of the second world, with a snapshot after 200 steps."""
    name = request.param
    folder = random_checkpoint(second_spec, tmp_path / name, architecture=name, size=TINY[name])
    write_json(folder / "run.json", run_document(second_spec, name))
    (folder / SNAPSHOTS).mkdir()
    shutil.copy(folder / "model.safetensors", folder / SNAPSHOTS / "200.safetensors")
    return folder


@pytest.mark.parametrize("file", ["run.json", "config.json"])
def test_a_checkpoint_is_opened_or_a_request_error_says_why(folder, file):
    path = folder / file
    document, opened, refused = json.loads(path.read_text()), 0, 0
    for number, content in enumerate(mutations(document, EACH, seed=len(folder.name))):
        path.write_bytes(content)
        try:
            checkpoint = load_checkpoint(folder, CPU, (None, 200)[number % 2])
        except RequestError as error:
            refused += 1
            for fault in error.faults:
                assert str(folder) in fault.where, str(fault)
                assert len(str(fault)) < 1_000
                str(fault).encode()
        else:
            opened += 1
            assert len(checkpoint.cost.words()) == 4
            assert torch.isfinite(
                checkpoint.network.forward(torch.zeros(1, 3, dtype=torch.long)).logits
            ).all()
    assert opened >= 3
    assert refused >= 100


KNOWN = [
    ("run.json", '"parameters": 100', '"parameters": 1' + "0" * 400, "parameters: expected a number"),
    ("run.json", '"parameters": 100', '"parameters": "x"', "parameters: expected a whole number"),
    ("run.json", '"seed": 42', '"seed": Infinity', "dataset.seed: expected a finite number"),
    ("run.json", '"seed": 42', '"seed": 1e400', "dataset.seed: expected a finite number"),
    ("run.json", '"seconds": 3.0', '"seconds": NaN', "seconds: expected a finite number"),
    ("run.json", '"loss": 0.1', '"loss": "x"', r"evaluations\[1\].loss: expected a finite number"),
    ("run.json", '"step": 200', '"step": 200.0', r"evaluations\[1\].step: expected a whole number"),
    ("run.json", '"steps": 400', f'"steps": {DEEP}', "at most 100 nested brackets"),
    ("run.json", '"steps": 400', '"steps": 400, "steps": 400', "'steps' twice"),
    ("config.json", '"vocab_size"', '"vocab_sise"', "unknown setting vocab_sise.*Did you mean vocab_size"),
    ("config.json", '"vocab_size": 6', '"vocab_size": 6.0', "vocab_size: expected a whole number"),
]


@pytest.mark.parametrize(("file", "right", "wrong", "said"), KNOWN)
def test_the_fault_names_the_field(folder, file, right, wrong, said):
    path = folder / file
    text = json.dumps(json.loads(path.read_text()))
    if file == "config.json":
        right = re.sub(r"\d+", str(json.loads(text)["vocab_size"]), right)
    assert right in text
    path.write_text(text.replace(right, wrong, 1))
    with pytest.raises(RequestError, match=said):
        load_checkpoint(folder, CPU)


def test_of_a_record_without_evaluations_the_time_of_a_step_is_unknown(folder):
    document = read_json(folder / "run.json")
    del document["evaluations"]
    write_json(folder / "run.json", document)
    cost = load_checkpoint(folder, CPU, 200).cost
    assert (cost.parameters, cost.seconds, cost.samples, cost.operations) == (100, None, None, None)


def test_what_else_stands_in_a_record_is_left_alone(folder):
    write_json(folder / "run.json", read_json(folder / "run.json") | {"notes": [{"of": None}], "versions": 3})
    assert load_checkpoint(folder, CPU).run == read_run(folder)


def test_a_byte_order_mark_is_no_fault(folder):
    run = load_checkpoint(folder, CPU).run
    for file in ("run.json", "config.json"):
        path = folder / file
        path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    assert load_checkpoint(folder, CPU).run == run


def test_of_snapshots_those_count_whose_name_is_a_step(folder):
    kept = folder / SNAPSHOTS
    for name in ("0300", "٣", "x", "-1", "1e3", "9" * 40, "3_0", ""):
        shutil.copy(kept / "200.safetensors", kept / f"{name}.safetensors")
    assert snapshots_of(folder) == [200]


def test_a_folder_in_the_place_of_weights_is_refused(folder):
    (folder / SNAPSHOTS / "400.safetensors").mkdir()
    with pytest.raises(RequestError, match="nothing is unpickled"):
        load_checkpoint(folder, CPU, 400)


def test_damaged_documents_hide_no_run(folder, monkeypatch):
    monkeypatch.chdir(folder.parent)
    (folder.parent / "models").mkdir()
    shutil.copytree(folder, folder.parent / "models" / "mine" / folder.name)
    (folder.parent / "models" / "mine" / folder.name / "run.json").write_text(DEEP)
    assert runs_of("mine") == [folder.name]


SIZES = {
    "gpt2": [
        {"n_inner": 1_000_000},
        {"n_inner": 16_384},
        {"n_layer": 10**6},
        {"n_layer": 64},
        {"n_embd": 4096},
        {"n_embd": 4096, "n_layer": 64, "n_inner": 16_384},
    ],
    "rnn": [{"width": 4096}, {"layers": 64}, {"layers": 10**6}, {"width": 10**6}],
    "cnn": [{"width": 4096}, {"layers": 12}, {"layers": 64}, {"width": 10**6}],
    "mann": [{"width": 4096}, {"layers": 64}, {"slots": 4096}, {"components": 4096}, {"slots": 10**9}],
}


def test_sizes_are_compared_with_the_weights_before_anything_is_built(folder, monkeypatch):
    def built(*_, **__):
        raise AssertionError("a module was built")

    monkeypatch.setattr(torch.nn.Module, "__init__", built)
    known = read_json(folder / "config.json")
    for wrong in SIZES[folder.name]:
        write_json(folder / "config.json", known | wrong)
        with pytest.raises(RequestError) as error:
            load_checkpoint(folder, CPU)
        assert {fault.message for fault in error.value.faults} & set(wrong)
