"""Checkpoints: a folder that transformers opens without us, and `run.json`, which says what it learnt.

models/NAME/RUN/config.json, generation_config.json, model.safetensors, tokenizer files, run.json
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from huggingface_hub.errors import StrictDataclassError
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor
from transformers import GenerationConfig, GPT2Config, GPT2LMHeadModel

from playground.datasets import DatasetSpec, Template, make_tokenizer
from playground.errors import Fault, RequestError, quote
from playground.files import PREVIOUS, SHIPPED, folders_to_read, names_in_use, previous, read_json
from playground.models.gpt2 import ARCHITECTURE, Gpt2Network
from playground.models.network import Network

ARCHITECTURES = (ARCHITECTURE,)
WEIGHTS = "model.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model with what is known of its training.

    Args:
        name: of the run, see `run_name`.
        network: the model.
        dataset: what it was trained on, its hold-out included.
        run: the whole content of `run.json`.
        folder: where it was read from.
        digest: SHA-256 of weights and `run.json`, in hexadecimal.
    """

    name: str
    network: Network
    dataset: DatasetSpec
    run: dict[str, Any]
    folder: Path
    digest: str


def save_gpt2(model: GPT2LMHeadModel, template: Template, folder: Path) -> None:
    """Write weights, configuration, tokenizer and generation settings of `model` into `folder`."""
    model.generation_config = GenerationConfig(
        do_sample=False, max_new_tokens=template.length - template.prompt_length
    )
    transformers.utils.logging.disable_progress_bar()  # It would write over the training's own.
    model.save_pretrained(folder)
    make_tokenizer(template).save_pretrained(folder)


def run_name(architecture: str, seed: int) -> str:
    """Return RUN of `models/NAME/RUN`: the architecture, and the seed if it is not 0 (`gpt2`, `gpt2@5`)."""
    return architecture if seed == 0 else f"{architecture}@{seed}"


def is_run_name(name: str) -> bool:
    """Return whether `run_name` gives that name for some architecture and seed."""
    architecture, at, seed = name.partition("@")
    return architecture in ARCHITECTURES and (not at or bool(re.fullmatch("[1-9][0-9]{0,18}", seed)))


def find_run(name: str, run: str) -> Path:
    """Return the folder of the complete run `run` of `name`, or of its predecessor if it is not complete.

    Raises:
        RequestError: if there is none.
    """
    tried = [folder / run for folder in folders_to_read("models", name)]
    for folder in tried:
        for candidate in (folder, previous(folder)):
            if (candidate / "run.json").is_file():
                return candidate
    own = ", ".join(names_in_use("models")) or "none"
    raise RequestError(
        Fault(
            rule="a model is read from a complete run",
            expected=f"run.json in {' or '.join(str(folder) for folder in tried)}",
            got=f"none there (names in models/: {own})",
            hint=f"Train one: the-experiment train {run.replace('@', ' --seed ')} --name {name}.",
        )
    )


def list_runs() -> list[tuple[str, str]]:
    """Return name and run of every complete run that can be read, those of one's own first."""
    runs = set()
    for name in {*names_in_use("models"), SHIPPED}:
        # What a name of one's own lacks is found under `shipped`, and listed there.
        folders = folders_to_read("models", name) if name == SHIPPED else [Path("models") / name]
        complete = {path.parent.name for folder in folders for path in folder.glob("*/run.json")}
        found = {run.removesuffix(PREVIOUS) for run in complete}
        runs |= {(name, run) for run in found if is_run_name(run)}
    return sorted(runs, key=lambda run: (run[0] == SHIPPED, run))


def load_checkpoint(folder: Path, device: torch.device) -> Checkpoint:
    """Return the model in `folder`, on `device`.

    Raises:
        RequestError: if a file is missing or damaged, or if they do not belong together.
    """
    run = read_json(folder / "run.json")
    dataset = DatasetSpec.from_json(run.get("dataset"), str(folder / "run.json"))
    model = _build(folder / "config.json", dataset.template)
    tensors = _read_tensors(folder / WEIGHTS, {key: t.shape for key, t in model.named_parameters()})
    model.load_state_dict(tensors, strict=False)
    model.tie_weights()
    digest = hashlib.sha256((folder / WEIGHTS).read_bytes() + (folder / "run.json").read_bytes())
    network = Gpt2Network(model.to(device), dataset.template)  # pyright: ignore[reportArgumentType]
    name = folder.name.removesuffix(PREVIOUS)
    return Checkpoint(name, network, dataset, run, folder, digest.hexdigest())


def _build(path: Path, template: Template) -> GPT2LMHeadModel:
    """Return the model that a `config.json` describes, its weights not yet read."""
    document = read_json(path)
    if document.get("model_type") != ARCHITECTURE:
        raise _checkpoint_fault(path, f"model_type {ARCHITECTURE!r}", repr(document.get("model_type")))
    expected = {"vocab_size": len(template.vocabulary), "n_positions": template.length}
    found = {key: document.get(key) for key in expected}
    if found != expected:
        raise _checkpoint_fault(
            path, f"{expected}, as the world in run.json has it", f"{found}: another world"
        )
    try:
        return GPT2LMHeadModel(GPT2Config.from_dict(document))
    except (ValueError, TypeError, KeyError, RuntimeError, StrictDataclassError) as error:
        got = f"{type(error).__name__}: {quote(str(error))}"
        raise _checkpoint_fault(path, "a configuration of GPT-2 as train writes it", got) from error


def _read_tensors(path: Path, shapes: dict[str, torch.Size]) -> dict[str, Tensor]:
    """Return the tensors of a safetensors file that has exactly the given names and shapes."""
    if not path.is_file():
        others = ", ".join(sorted(item.name for item in path.parent.iterdir()))
        raise _checkpoint_fault(path, f"a file {WEIGHTS} (nothing is unpickled)", f"only {others}")
    try:
        tensors = load_file(path)
    except SafetensorError as error:
        raise _checkpoint_fault(path, "a whole safetensors file", f"a damaged one ({error})") from error
    found = {key: tensor.shape for key, tensor in tensors.items()}
    if found != shapes:
        wrong = sorted(key for key in found.keys() | shapes.keys() if found.get(key) != shapes.get(key))
        shape = found.get(wrong[0])
        got = f"{quote(wrong[0])} {'missing' if shape is None else f'of shape {tuple(shape)}'}"
        expected = f"the {len(shapes)} tensors that config.json describes"
        raise _checkpoint_fault(path, expected, f"{got} ({len(wrong)} in all differ)")
    return tensors


def _checkpoint_fault(path: Path, expected: str, got: str) -> RequestError:
    return RequestError(
        Fault(
            where=str(path),
            rule="the files of a checkpoint are whole and belong together",
            expected=expected,
            got=got,
            hint="Train it again, or put back the folder as it was.",
        )
    )
