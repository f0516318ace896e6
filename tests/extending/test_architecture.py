"""An architecture of another package: installed, trained, asked and edited like the built-in ones."""

from __future__ import annotations

import json
import sys
from functools import partial
from importlib.metadata import EntryPoint
from pathlib import Path

import numpy as np
import pytest
import torch
from loguru import logger
from safetensors.torch import load_file

from playground import plugins
from playground.datasets import DatasetSpec, Sizes, generate
from playground.models import registry
from playground.models.recurrent.rnn import Rnn
from tests.extending.examples import DOCUMENT, EXAMPLES, install
from tests.support.program import run_installed, run_program

SOURCE = EXAMPLES / "architecture"
WIDTH = 16


def see(packages: Path) -> None:
    """Have a process see the packages in a folder, as PYTHONPATH does."""
    sys.path.insert(0, str(packages))


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder in which the example is installed."""
    return install("architecture", tmp_path_factory.mktemp("extending"))


@pytest.fixture(scope="module")
def place(packages: Path, second_spec: DatasetSpec, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a working directory in which a small one has been trained."""
    place = tmp_path_factory.mktemp("trained")
    spec = DatasetSpec(
        world=second_spec.world, held_out=second_spec.held_out, sizes=Sizes(train=64, valid=8, test=4)
    )
    generate(spec, place / "data" / "default")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(packages))
        size = ("--width", str(WIDTH), "--epochs", "2")
        result = run_installed("train", "gru", *size, "--device", "cpu", cwd=place)
    assert result.returncode == 0, result.stderr
    return place


def ask(place: Path, packages: Path, *command: str) -> dict:
    result = run_program(*command, "--json", cwd=place, prepare=partial(see, packages))
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def reference(place: Path, tokens: torch.Tensor, zeroed: int | None = None) -> torch.Tensor:
    """Return the scores of a text by PyTorch's own modules, a unit of the hidden state being zero."""
    weights = load_file(place / "models" / "default" / "gru" / "model.safetensors")
    embedded = weights["embed.weight"][tokens]
    of_layer = {
        name.removeprefix("layers.0."): each for name, each in weights.items() if name.startswith("layers")
    }
    if zeroed is None:
        gru = torch.nn.GRU(WIDTH, WIDTH)
        gru.load_state_dict({f"{name}_l0": each for name, each in of_layer.items()})
        hidden, _ = gru(embedded)
    else:
        cell, h, states = torch.nn.GRUCell(WIDTH, WIDTH), torch.zeros(WIDTH), []
        cell.load_state_dict(of_layer)
        for x in embedded:
            h = cell(x, h)
            h = h * (torch.arange(WIDTH) != zeroed)
            states.append(h)
        hidden = torch.stack(states)
    return hidden @ weights["unembed.weight"].T + weights["unembed.bias"]


@pytest.mark.parametrize("edit", [None, 3])
def test_it_writes_what_the_module_of_pytorch_computes(place, packages, second_spec, edit):
    on = () if edit is None else ("--on", f"zero:L0.h[{edit}]")
    found = ask(place, packages, "test", "1,0,1", "--model", "gru", *on)["models"]["gru"]
    template = second_spec.template
    given, ids = template.encode(template.prompt((1, 0, 1))), template.encode(found["completion"])
    with torch.no_grad():
        scores = reference(place, torch.tensor([*given, *ids]), edit)
    shares = scores.softmax(-1)[len(given) - 1 : -1]
    assert shares.argmax(-1).tolist() == ids
    expected = [float(row[token]) for row, token in zip(shares, ids, strict=True)]
    assert np.allclose(found["probabilities"], expected, atol=1e-5)


def test_commands_take_it_like_the_others(place, packages):
    board = ask(place, packages, "board", "--model", "gru")
    assert board["model"] == "gru"
    assert len(board["states"]) == 8
    edited = ask(place, packages, "board", "--model", "gru", "--on", "zero:L0")
    assert edited["interventions"] == ["zero:L0"]
    assert [each["margin"] for each in edited["states"]] != [each["margin"] for each in board["states"]]
    atlas = ask(place, packages, "atlas", "L0.weight_ih", "--model", "gru", "--by", "rows")
    assert np.shape(atlas["margin"]) == (3 * WIDTH,)
    found = ask(place, packages, "mechanism", "--model", "gru")["methods"]
    assert {"routes", "tokens", "attribution", "formulas"} <= found.keys()


def test_without_its_package_it_is_an_unknown_architecture(place):
    result = run_program("train", "gru", cwd=place)
    assert result.returncode == 2
    assert "unknown architecture" in result.stderr


def test_the_document_shows_the_example():
    assert f"```python\n{(SOURCE / 'playground_gru.py').read_text(encoding='utf-8')}```" in DOCUMENT
    assert f"```toml\n{(SOURCE / 'pyproject.toml').read_text(encoding='utf-8')}```" in DOCUMENT


def fresh() -> plugins.Registry:
    """Return the registry as it is before anything was looked up."""
    return plugins.Registry(
        registry.GROUP,
        registry.BUILT_IN,
        noun="architecture",
        name_of=lambda each: each.name,
        check=registry._check,
    )


class Taken(Rnn):
    name = "cnn"


class Nameless(Rnn):
    name = "a name with spaces"


def fails() -> None:
    raise RuntimeError("no such file")


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ("no module at all", ""),
        ("no_such_module:Gru", "No module named 'no_such_module'"),
        (f"{__name__}:missing", "missing"),
        (f"{__name__}:fails", "no such file"),
        (f"{__name__}:WIDTH", "expected an Architecture, or a function that returns one, got 16"),
        (f"{__name__}:Taken", "the name cnn is taken already"),
        (f"{__name__}:Nameless", "expected a name of lower-case letters, digits and _"),
    ],
)
def test_one_that_cannot_be_used_is_left_out_with_a_warning(monkeypatch, tmp_path, value, reason):
    metadata = tmp_path / "broken-0.1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: broken\nVersion: 0.1\n")
    (metadata / "entry_points.txt").write_text(f"[{registry.GROUP}]\ngru = {value}\n")
    monkeypatch.syspath_prepend(tmp_path)
    warnings: list[str] = []
    sink = logger.add(lambda message: warnings.append(message.record["message"]), level="WARNING")
    try:
        assert list(fresh()) == ["gpt2", "rnn", "cnn", "mann"]
    finally:
        logger.remove(sink)
    [warning] = warnings
    assert warning.startswith(f"package broken: architecture gru ({value}) is left out: ")
    assert reason in warning


def test_metadata_that_cannot_be_read_keeps_nothing_from_working(monkeypatch):
    def entry_points(group: str) -> list[EntryPoint]:
        raise ValueError("damaged")

    monkeypatch.setattr(plugins, "entry_points", entry_points)
    assert list(fresh()) == ["gpt2", "rnn", "cnn", "mann"]
