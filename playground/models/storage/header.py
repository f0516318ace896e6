"""The header of a safetensors file: names, shapes and precisions of tensors, for comparison with `config.json`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open

from playground.datasets import Template
from playground.errors import Fault, RequestError, quote
from playground.models.hooked import WEIGHTS
from playground.models.interface.architecture import MOST_PARAMETERS, Architecture, ConfigDocument
from playground.models.storage.run_document import DAMAGED


@dataclass(frozen=True)
class Header:
    """The header of a safetensors file.

    Args:
        path: of the file.
        shapes: of its tensors, by name.
        dtypes: of its tensors, as safetensors calls them (`F32`).
    """

    path: Path
    shapes: Mapping[str, tuple[int, ...]]
    dtypes: frozenset[str]


def read_header(path: Path) -> Header:
    """Return the header of a safetensors file, without reading its numbers.

    Raises:
        RequestError: if there is no such file, or it is damaged.
    """
    check_there(path)
    try:
        with safe_open(path, "pt") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118  No mapping.
            shapes = {name: tuple(each.get_shape()) for name, each in slices.items()}
            return Header(path, shapes, frozenset(each.get_dtype() for each in slices.values()))
    except OSError as error:
        raise checkpoint_fault(path, "a readable file", error.strerror or str(error)) from error
    except SafetensorError as error:
        raise checkpoint_fault(path, "a whole safetensors file", f"a damaged one ({error})") from error


def check_there(path: Path) -> None:
    """Check that there is a file of weights.

    Raises:
        RequestError: if not, naming what is there instead.
    """
    try:
        if path.is_file():
            return
        others = ", ".join(sorted(item.name for item in path.parent.iterdir()))
    except OSError as error:
        raise checkpoint_fault(path, "a readable file", error.strerror or str(error)) from error
    raise checkpoint_fault(path, f"a file {WEIGHTS} (nothing is unpickled)", f"only {others}")


def check_header(
    header: Header, architecture: Architecture, config: ConfigDocument, template: Template, where: Path
) -> None:
    """Check, without building the model, that a file holds the weights that `config.json` describes.

    Args:
        header: of the file.
        architecture: of the model.
        config: what `config.json` says.
        template: the form of the model's texts.
        where: the path of `config.json`.

    Raises:
        RequestError: naming every size that differs in the file; otherwise the first tensor that differs, or the
            precision if transformers would compute in a different one.
    """
    stored, stated = architecture.sizes_of(header.shapes), config.sizes()
    faults = [
        Fault(
            where=str(where),
            message=name,
            expected=f"{length:,}, as {header.path.name} has it",
            got=f"{stated[name]:,}",
            hint=DAMAGED,
        )
        for name, length in stored.items()
        if stated[name] != length
    ]
    if faults:
        raise RequestError(*faults)
    if config.computes_as_stored and header.dtypes != {"F32"}:
        # transformers would compute in that precision, too, and get other scores.
        got = f"null, with weights in {', '.join(sorted(header.dtypes))}"
        raise RequestError.of(
            where=str(where),
            message="dtype",
            expected='"float32"',
            got=got,
            hint="Write it into the file.",
        )
    parameters = sum(math.prod(shape) for shape in header.shapes.values())
    if parameters > MOST_PARAMETERS:
        raise checkpoint_fault(
            header.path, f"at most {MOST_PARAMETERS:,} numbers", f"{parameters:,}", "Take a smaller model."
        )
    if faults := architecture.faults(config.size(), template):
        raise RequestError(*(replace(each, where=str(where), hint=DAMAGED) for each in faults))
    # The meta device stores no numbers: only the shapes matter.
    with torch.device("meta"):
        model = architecture.build(config, template)
    _compare(header, {name: tuple(each.shape) for name, each in model.named_parameters()})


def _compare(header: Header, shapes: Mapping[str, tuple[int, ...]]) -> None:
    found = header.shapes
    wrong = sorted(key for key in found.keys() | shapes.keys() if found.get(key) != shapes.get(key))
    if wrong:
        shape = found.get(wrong[0])
        got = f"{quote(wrong[0])} {'missing' if shape is None else f'of shape {shape}'}"
        expected = f"the {len(shapes)} tensors that config.json describes"
        raise checkpoint_fault(header.path, expected, f"{got} ({len(wrong)} in all differ)")


def checkpoint_fault(path: Path, expected: str, got: str, hint: str = DAMAGED) -> RequestError:
    """Return the error for a file that does not match the rest of its checkpoint."""
    message = "this checkpoint is damaged"
    return RequestError.of(where=str(path), message=message, expected=expected, got=got, hint=hint)
