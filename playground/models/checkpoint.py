"""Checkpoints: weights and a description that others open without us, and `run.json`, which says what it learnt.

models/NAME/RUN/config.json, model.safetensors, tokenizer files, run.json
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import load
from torch import Tensor
from torch.nn import Module

from playground.datasets import DatasetSpec, Template, save_tokenizer
from playground.errors import MOST_NAMES, Fault, RequestError, quote
from playground.files import PREVIOUS, read_json
from playground.models.architecture import Architecture, Size
from playground.models.architectures import ARCHITECTURES
from playground.models.hooked import WEIGHTS
from playground.models.integrity import (
    check_dataset,
    check_file,
    check_numbers,
    check_scores,
    warn_if_unsealed,
)
from playground.models.network import Network
from playground.models.runs import architecture_of, at_step

SNAPSHOTS = "snapshots"
CHECKPOINT_FILES = ("run.json", "config.json", WEIGHTS)
"""Without which no run is opened."""
_NEAREST = 3


@dataclass(frozen=True)
class Cost:
    """What a training took; None where its record does not say.

    Args:
        parameters: that were learnt.
        seconds: of the training, evaluations included.
        samples: that were seen, repetitions counted.
        operations: floating-point operations of the matrix products.
    """

    parameters: float | None
    seconds: float | None
    samples: float | None
    operations: float | None

    def words(self) -> tuple[str, str, str, str]:
        """Return the four for people."""

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
    """A loaded model with what is known of its training.

    Args:
        name: of the run, see `run_name`, and the step, see `at_step`.
        network: the model.
        dataset: what it was trained on, its hold-out included.
        run: the whole content of `run.json`.
        folder: where it was read from.
        digest: SHA-256 of all that decides what it computes and how that is told, in hexadecimal: weights,
            `config.json`, dataset, name and step.
        step: of the training after which it is shown; None if it is the trained model.
    """

    name: str
    network: Network
    dataset: DatasetSpec
    run: dict[str, Any]
    folder: Path
    digest: str
    step: int | None = None

    @property
    def cost(self) -> Cost:
        """What the training took; of a model on the way, what is known of its time."""
        known = {name: self.run.get(name) for name in ("parameters", "seconds", "samples", "operations")}
        if self.step is not None:
            seconds = {each["step"]: each["seconds"] for each in self.run["evaluations"]}
            known = {"parameters": known["parameters"], "seconds": seconds.get(self.step)}
            known |= dict.fromkeys(("samples", "operations"))
        return Cost(
            **{name: value if isinstance(value, int | float) else None for name, value in known.items()}
        )


def save_model(
    model: Module, architecture: Architecture, template: Template, size: Size, folder: Path
) -> None:
    """Write a model of that size and its tokenizer into `folder`."""
    architecture.save(model, template, size, folder)
    save_tokenizer(template, folder)


def snapshot_name(step: int) -> str:
    """Return the name of the file that holds a model as it was after that many steps."""
    return f"{step}.safetensors"


def snapshot_path(folder: Path, step: int) -> Path:
    """Return where a run keeps the model as it was after that many steps."""
    return folder / SNAPSHOTS / snapshot_name(step)


def snapshots_of(folder: Path) -> list[int]:
    """Return the steps after which a run kept the model."""
    names = [path.stem for path in folder.glob(f"{SNAPSHOTS}/*.safetensors")]
    return sorted(int(name) for name in names if name.isdecimal())


def load_checkpoint(
    folder: Path, device: torch.device, step: int | None = None, *, check: bool = True
) -> Checkpoint:
    """Return the model in `folder`, on `device`.

    Args:
        folder: of the run.
        device: where it shall run.
        step: after how many steps of its training; None for the trained model.
        check: whether the files must be as they were when the run was saved.

    Raises:
        RequestError: if a file is missing, damaged or changed, if they do not belong together, if weights are
            no finite numbers or too large to compute with, or if the model after that step was not kept.
    """
    check_step(folder, step)
    weights = folder / WEIGHTS if step is None else snapshot_path(folder, step)
    name = folder.name.removesuffix(PREVIOUS)
    run, content = read_json(folder / "run.json"), _read_weights(weights)
    if check:
        warn_if_unsealed(folder, run)
        check_dataset(folder, run)
        check_file(folder, run, weights, content)
    document, dataset, architecture, model = _read_description(folder, weights, run)
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
    """Return the digest of all that a model's results follow from, with the name that they are told under."""
    found = hashlib.sha256(json.dumps([name, config, dataset.to_json()], sort_keys=True).encode())
    for key, tensor in sorted(tensors.items()):
        found.update(json.dumps([key, list(tensor.shape)]).encode())
        # In the precision that is computed with, whatever that of the file.
        found.update(tensor.float().contiguous().numpy().tobytes())
    return found.hexdigest()


def check_checkpoint(folder: Path) -> None:
    """Do nothing if the trained model in `folder` can be loaded, as far as that is seen without reading its weights.

    Raises:
        RequestError: if a file is missing or damaged, or if they do not belong together.
    """
    run = read_json(folder / "run.json")
    check_dataset(folder, run)
    # On a device that holds no numbers.
    with torch.device("meta"):
        _read_description(folder, folder / WEIGHTS, run)


def _read_description(
    folder: Path, weights: Path, run: dict[str, Any]
) -> tuple[dict[str, Any], DatasetSpec, Architecture, Module]:
    """Return what `config.json` says, the dataset, the architecture, and the model whose weights fit but are not yet read."""
    dataset = DatasetSpec.from_json(run.get("dataset"), str(folder / "run.json"))
    document = read_json(folder / "config.json")
    architecture = _find_architecture(folder, folder.name.removesuffix(PREVIOUS), run, document)
    model = _build(architecture, document, folder / "config.json", dataset.template)
    _check_shapes(weights, {key: tuple(t.shape) for key, t in model.named_parameters()})
    return document, dataset, architecture, model


def check_step(folder: Path, step: int | None) -> None:
    """Do nothing if a run kept the model as it was after that many steps, or if the trained one is meant.

    Raises:
        RequestError: with those that were kept.
    """
    kept = snapshots_of(folder)
    if step is not None and step not in kept:
        raise RequestError(
            Fault(
                where=str(folder),
                rule="a model is shown as it was after a step at which it was kept",
                expected=_nearest_steps(step, kept) if kept else "none: no snapshot was kept",
                got=str(step),
                hint="Leave the step out for the trained model.",
            )
        )


def _nearest_steps(step: int, kept: list[int]) -> str:
    """Return in words at which steps a model was kept: all if they are few, else the three that come nearest."""
    near = sorted(sorted(kept, key=lambda each: abs(each - step))[:_NEAREST])
    shown = kept if len(kept) <= MOST_NAMES else near
    return f"one of {', '.join(map(str, shown))}" + (f" (of {len(kept):,})" if shown is near else "")


def _find_architecture(
    folder: Path, name: str, run: dict[str, Any], document: dict[str, Any]
) -> Architecture:
    """Return the architecture on which the run's name, `run.json` and `config.json` agree."""
    named = architecture_of(name)
    expected = named or str(run.get("architecture"))
    found = document.get("model_type")
    if expected not in ARCHITECTURES or expected != found:
        known = repr(expected) if expected in ARCHITECTURES else f"one of {', '.join(ARCHITECTURES)}"
        raise _checkpoint_fault(folder / "config.json", f"model_type {known}", quote(str(found)))
    if run.get("architecture") != expected:
        got = quote(str(run.get("architecture")))
        raise _checkpoint_fault(folder / "run.json", f"architecture {expected!r}", got)
    return ARCHITECTURES[expected]


def _build(architecture: Architecture, document: dict[str, Any], path: Path, template: Template) -> Module:
    """Return the model that a `config.json` describes, its weights not yet read."""
    expected = {"vocab_size": len(template.vocabulary), "n_positions": template.length}
    found = {key: document.get(key) for key in expected}
    if found != expected:
        raise _checkpoint_fault(
            path, f"{expected}, as the world in run.json has it", f"{found}: another world"
        )
    try:
        return architecture.build(document, template)
    except (ValueError, TypeError, KeyError, RuntimeError, ArithmeticError) as error:
        got = quote(str(error.faults[0])) if isinstance(error, RequestError) else quote(str(error))
        raise _checkpoint_fault(
            path, f"a configuration of {architecture.title} as train writes it", got
        ) from error


def _check_there(path: Path) -> None:
    if not path.is_file():
        others = ", ".join(sorted(item.name for item in path.parent.iterdir()))
        raise _checkpoint_fault(path, f"a file {WEIGHTS} (nothing is unpickled)", f"only {others}")


def _check_shapes(path: Path, shapes: dict[str, tuple[int, ...]]) -> None:
    """Do nothing if a safetensors file has tensors of exactly the given names and shapes."""
    _check_there(path)
    try:
        with safe_open(path, "pt") as file:
            found = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118  No mapping.
    except SafetensorError as error:
        raise _checkpoint_fault(path, "a whole safetensors file", f"a damaged one ({error})") from error
    if found != shapes:
        wrong = sorted(key for key in found.keys() | shapes.keys() if found.get(key) != shapes.get(key))
        shape = found.get(wrong[0])
        got = f"{quote(wrong[0])} {'missing' if shape is None else f'of shape {tuple(shape)}'}"
        expected = f"the {len(shapes)} tensors that config.json describes"
        raise _checkpoint_fault(path, expected, f"{got} ({len(wrong)} in all differ)")


def _read_weights(path: Path) -> bytes:
    """Return the content of a file of weights."""
    _check_there(path)
    return path.read_bytes()


def _parse_tensors(path: Path, content: bytes) -> dict[str, Tensor]:
    try:
        return load(content)
    except SafetensorError as error:
        raise _checkpoint_fault(path, "a whole safetensors file", f"a damaged one ({error})") from error


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
