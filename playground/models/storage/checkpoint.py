"""Checkpoints: weights and a description that other programs can open, and `run.json`, a record of the training.

models/NAME/RUN/config.json, model.safetensors, tokenizer files, run.json
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import Tensor
from torch.nn import Module

from playground.datasets import DatasetSpec, Template, save_tokenizer
from playground.errors import MOST_NAMES, RequestError, quote
from playground.files import PREVIOUS, read_json
from playground.models.hooked import WEIGHTS
from playground.models.interface.architecture import Architecture, ConfigDocument, Size
from playground.models.interface.network import Network
from playground.models.registry import ARCHITECTURES
from playground.models.storage.header import Header, check_header, check_there, checkpoint_fault, read_header
from playground.models.storage.integrity import CONFIG, Seal, check_numbers, check_scores
from playground.models.storage.run_document import RunDocument, check_run
from playground.models.storage.runs import architecture_of, at_step, is_step

SNAPSHOTS = "snapshots"
CHECKPOINT_FILES = ("run.json", CONFIG, WEIGHTS)
"""The files that a run must have to be opened."""
_NEAREST = 3


@dataclass(frozen=True)
class Cost:
    """What a training cost; None if its record does not say.

    Args:
        parameters: number of learnt parameters.
        seconds: of the training, including evaluations.
        samples: number of samples seen, counting repetitions.
        operations: floating-point operations of the matrix products.
    """

    parameters: float | None
    seconds: float | None
    samples: float | None
    operations: float | None

    def words(self) -> tuple[str, str, str, str]:
        """Return the four values as text."""

        def say(value: float | None, form: str, unit: str = "") -> str:
            return "–" if value is None else format(value, form) + unit

        operations = None if self.operations is None else self.operations / 1e12
        return (
            say(self.parameters, ",.0f"),
            say(self.seconds, ",.0f"),
            say(self.samples, ",.0f"),
            say(operations, ".2f", " TFLOP"),
        )

    def to_json(self) -> dict[str, float | None]:
        """Return the cost as it stands in the program's documents."""
        return asdict(self)


@dataclass(frozen=True)
class Checkpoint:
    """A loaded model with the record of its training.

    Args:
        name: of the run, see `run_name`, and the step, see `at_step`.
        network: the model.
        dataset: what it was trained on, its hold-out included.
        run: the content of `run.json`.
        folder: where it was read from.
        digest: SHA-256, in hexadecimal, of everything that the model's results depend on: weights,
            `config.json`, dataset, name and step.
        step: the training step of a snapshot; None for the trained model.
    """

    name: str
    network: Network
    dataset: DatasetSpec
    run: RunDocument
    folder: Path
    digest: str
    step: int | None = None

    @property
    def cost(self) -> Cost:
        """What the training cost; for a snapshot, the time until its step, if known."""
        run = self.run
        if self.step is None:
            return Cost(run.parameters, run.seconds, run.samples, run.operations)
        seconds = {each.step: each.seconds for each in run.evaluations}
        return Cost(run.parameters, seconds.get(self.step), None, None)


def save_model(
    model: Module, architecture: Architecture, template: Template, size: Size, folder: Path
) -> None:
    """Write a model of that size and its tokenizer into `folder`."""
    architecture.save(model, template, size, folder)
    save_tokenizer(template, folder)


def snapshot_name(step: int) -> str:
    """Return the file name of the snapshot after that many steps."""
    return f"{step}.safetensors"


def snapshot_path(folder: Path, step: int) -> Path:
    """Return the path of a run's snapshot after that many steps."""
    return folder / SNAPSHOTS / snapshot_name(step)


def snapshots_of(folder: Path) -> list[int]:
    """Return the steps of a run's snapshots, in order."""
    names = [path.stem for path in folder.glob(f"{SNAPSHOTS}/*.safetensors")]
    return sorted(int(name) for name in names if is_step(name))


def load_checkpoint(
    folder: Path, device: torch.device, step: int | None = None, *, check: bool = True
) -> Checkpoint:
    """Return the model in `folder`, on `device`.

    Args:
        folder: of the run.
        device: where it will run.
        step: the training step of a snapshot; None for the trained model.
        check: whether the files must be unchanged since the run was saved.

    Raises:
        RequestError: if a file is missing, damaged or changed, if the files do not belong together, if weights are
            not finite or too large to compute with, or if there is no snapshot of that step.
    """
    check_step(folder, step)
    weights = folder / WEIGHTS if step is None else snapshot_path(folder, step)
    name = folder.name.removesuffix(PREVIOUS)
    written, content = read_json(folder / "run.json"), _read_weights(weights)
    run, seal = check_run(written, folder / "run.json"), Seal(folder, written)
    if check:
        seal.warn_if_missing()
        seal.check_dataset()
        seal.check_file(weights, content)
    document, dataset, architecture, config = _read_description(folder, weights, run)
    if check:
        seal.check_config(document)
    model = architecture.build(config, dataset.template)
    tensors = _parse_tensors(weights, content)
    check_numbers(weights, tensors)
    with torch.no_grad():
        for key, parameter in model.named_parameters():
            parameter.copy_(tensors[key])
    network = architecture.network(model.to(device), dataset.template)
    check_scores(weights, network, tensors)
    digest = _digest(at_step(name, step), document, dataset, tensors)
    return Checkpoint(at_step(name, step), network, dataset, run, folder, digest, step)


def _digest(name: str, config: dict[str, Any], dataset: DatasetSpec, tensors: dict[str, Tensor]) -> str:
    """Return the digest of everything that a model's results depend on, including its name."""
    found = hashlib.sha256(json.dumps([name, config, dataset.to_json()], sort_keys=True).encode())
    for key, tensor in sorted(tensors.items()):
        found.update(json.dumps([key, list(tensor.shape)]).encode())
        # In the precision of the computation, whatever the file's.
        found.update(tensor.float().contiguous().numpy().tobytes())
    return found.hexdigest()


def check_checkpoint(folder: Path) -> None:
    """Check that the trained model in `folder` can be loaded, as far as that is possible without reading its weights.

    Raises:
        RequestError: if a file is missing or damaged, or if the files do not belong together.
    """
    written = read_json(folder / "run.json")
    run, seal = check_run(written, folder / "run.json"), Seal(folder, written)
    seal.check_dataset()
    document, *_ = _read_description(folder, folder / WEIGHTS, run)
    seal.check_config(document)


def _read_description(
    folder: Path, weights: Path, run: RunDocument
) -> tuple[dict[str, Any], DatasetSpec, Architecture, ConfigDocument]:
    """Return `config.json` as read, dataset, architecture and `config.json` as checked against the weights."""
    dataset = DatasetSpec.from_json(run.dataset, str(folder / "run.json"), ("dataset",))
    path = folder / CONFIG
    document = read_json(path)
    architecture = _find_architecture(folder, folder.name.removesuffix(PREVIOUS), run, document)
    config = _read_config(architecture, document, path, read_header(weights), dataset.template)
    return document, dataset, architecture, config


def check_step(folder: Path, step: int | None) -> None:
    """Check that a run has a snapshot of that step; None, for the trained model, is always fine.

    Raises:
        RequestError: if not, naming the nearest steps that it has.
    """
    kept = snapshots_of(folder)
    if step is not None and step not in kept:
        raise RequestError.of(
            where=str(folder),
            message="no snapshot was kept at this step",
            expected=_nearest_steps(step, kept) if kept else "none: no snapshot was kept",
            got=str(step),
            hint="Leave the step out for the trained model.",
        )


def _nearest_steps(step: int, kept: list[int]) -> str:
    """Return the steps of snapshots as text: all if they are few, else the three nearest."""
    near = sorted(sorted(kept, key=lambda each: abs(each - step))[:_NEAREST])
    shown = kept if len(kept) <= MOST_NAMES else near
    return f"one of {', '.join(map(str, shown))}" + (f" (of {len(kept):,})" if shown is near else "")


def _find_architecture(folder: Path, name: str, run: RunDocument, document: dict[str, Any]) -> Architecture:
    """Return the architecture on which the run's name, `run.json` and `config.json` agree."""
    expected, found = architecture_of(name) or run.architecture, document.get("model_type")
    if expected not in ARCHITECTURES or expected != found:
        known = repr(expected) if expected in ARCHITECTURES else f"one of {', '.join(ARCHITECTURES)}"
        raise checkpoint_fault(folder / CONFIG, f"model_type {known}", quote(str(found)))
    if run.architecture != expected:
        raise checkpoint_fault(folder / "run.json", f"architecture {expected!r}", quote(run.architecture))
    return ARCHITECTURES[expected]


def _read_config(
    architecture: Architecture, document: dict[str, Any], path: Path, header: Header, template: Template
) -> ConfigDocument:
    """Return the content of a `config.json`, checked against the world and the weights."""
    config = architecture.read_config(document, str(path))
    expected = {"vocab_size": len(template.vocabulary), "n_positions": template.length}
    found = {"vocab_size": config.vocab_size, "n_positions": config.n_positions}
    if found != expected:
        raise checkpoint_fault(
            path, f"{expected}, as the world in run.json has it", f"{found}: another world"
        )
    check_header(header, architecture, config, template, path)
    return config


def _read_weights(path: Path) -> bytes:
    """Return the content of a file of weights."""
    check_there(path)
    try:
        return path.read_bytes()
    except OSError as error:
        raise checkpoint_fault(path, "a readable file", error.strerror or str(error)) from error


def _parse_tensors(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        return load(content)
    except SafetensorError as error:
        raise checkpoint_fault(path, "a whole safetensors file", f"a damaged one ({error})") from error
