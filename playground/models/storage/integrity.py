"""Checks that a run's files are unchanged since they were saved, and that its weights are usable numbers.

`run.json` holds a SHA-256 of the weights, of every snapshot, of `config.json` and of the dataset. The digests guard
against accidents, not forgery: whoever changes a file can also change its digest, which is what `seal` does.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache, lru_cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from loguru import logger
from torch import Tensor

from playground.errors import Fault, RequestError, quote
from playground.files import SHIPPED, read_json
from playground.models.hooked import WEIGHTS
from playground.models.interface.network import Network

CONFIG = "config.json"
DIGESTS, SEALED = "sha256", "sealed"
_DATASET = "dataset."
_FLOATING = (torch.float16, torch.bfloat16, torch.float32, torch.float64)
"""Precisions in which weights may be stored; all are converted to float32."""
_LARGEST = 1e18
"""The largest weight: the square of a much larger one overflows float32."""
_TRIED = 4
"""Number of texts whose scores are checked at loading; the first board checks all."""


def digests_of(folder: Path, dataset: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of a run's weights, snapshots, `config.json` and dataset, in hexadecimal.

    Args:
        folder: of the run.
        dataset: what its `run.json` says of its data: world, hold-out, sizes and seed, each digested by itself.
    """
    paths = [folder / WEIGHTS, *sorted(folder.glob("snapshots/*.safetensors"))]
    files = {path.relative_to(folder).as_posix(): _digest(path.read_bytes()) for path in paths}
    return files | {CONFIG: _document_digest(read_json(folder / CONFIG))} | _dataset_digests(dataset)


def snapshots_digest(folder: Path) -> str:
    """Return one digest of all snapshots of a run, in hexadecimal, from the digests in `run.json` where there are any."""
    stated = _stated(folder, read_json(folder / "run.json")) or {}
    found = {}
    for path in sorted(folder.glob("snapshots/*.safetensors")):
        name = path.relative_to(folder).as_posix()
        # A file that does not match its digest is refused when it is opened.
        found[name] = stated.get(name) or _file_digest(path, path.stat().st_mtime_ns, path.stat().st_size)
    return _digest(json.dumps(found).encode())


def check_dataset(folder: Path, run: Mapping[str, Any]) -> None:
    """Check that the dataset in a `run.json` is unchanged since it was saved; without digests, accept it.

    Args:
        folder: of the run.
        run: the content of its `run.json`.

    Raises:
        RequestError: with every part that was changed.
    """
    expected = _stated(folder, run)
    if expected is None:
        return
    stated = {name: digest for name, digest in expected.items() if name.startswith(_DATASET)}
    dataset = run.get("dataset")
    found = _dataset_digests(dataset if isinstance(dataset, dict) else {})
    changed = sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name))
    if changed:
        raise RequestError(_changed(folder, folder / "run.json", " and ".join(changed)))


def check_config(folder: Path, run: Mapping[str, Any], config: Mapping[str, Any]) -> None:
    """Check that the `config.json` of a run is unchanged since it was saved; without digests, accept it.

    Args:
        folder: of the run.
        run: the content of its `run.json`.
        config: the content of its `config.json`.

    Raises:
        RequestError: if it was changed.
    """
    expected = _stated(folder, run)
    if expected is not None and expected.get(CONFIG) != _document_digest(config):
        raise RequestError(_changed(folder, folder / CONFIG))


def warn_if_unsealed(folder: Path, run: Mapping[str, Any]) -> None:
    """Warn once about a run without digests, such as one from elsewhere.

    Args:
        folder: of the run.
        run: the content of its `run.json`.
    """
    if run.get(DIGESTS) is None:
        _warn(str(folder))


def check_file(folder: Path, run: Mapping[str, Any], path: Path, content: bytes) -> None:
    """Check that a file of a run is unchanged since it was saved; without digests, accept it.

    Args:
        folder: of the run.
        run: the content of its `run.json`.
        path: of the file.
        content: of the file.

    Raises:
        RequestError: if it was changed, or added since.
    """
    expected = _stated(folder, run)
    if expected is not None and expected.get(path.relative_to(folder).as_posix()) != _digest(content):
        raise RequestError(_changed(folder, path))


def check_numbers(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Check that all weights are finite floating-point numbers, and small enough to compute with.

    Args:
        path: of the file that they were read from.
        tensors: by name.

    Raises:
        RequestError: for each kind of fault, with the first tensor that has it.
    """
    others = {
        name: str(tensor.dtype).removeprefix("torch.")
        for name, tensor in tensors.items()
        if tensor.dtype not in _FLOATING
    }
    infinite = {
        name: _first_infinite(tensor)
        for name, tensor in tensors.items()
        if name not in others and not bool(tensor.float().isfinite().all())
    }
    large = {
        name: f"{float(tensor.float().abs().max()):.3g}"
        for name, tensor in tensors.items()
        if name not in others and name not in infinite and bool((tensor.float().abs() > _LARGEST).any())
    }
    kinds = (
        ("a weight is not a floating-point number", "float32", others),
        ("a weight is not a finite number", "neither NaN nor infinity", infinite),
        ("a weight is too large to compute with", f"at most {_LARGEST:g}", large),
    )
    faults = [
        Fault(
            where=str(path),
            message=message,
            expected=expected,
            got=f"{next(iter(wrong.values()))} in {quote(next(iter(wrong)))}"
            + (f" ({len(wrong)} tensors in all)" if len(wrong) > 1 else ""),
            hint="Train the model again, or put back the file as it was.",
        )
        for message, expected, wrong in kinds
        if wrong
    ]
    if faults:
        raise RequestError(*faults)


def check_scores(path: Path, network: Network, tensors: Mapping[str, Tensor]) -> None:
    """Check that a model computes finite scores: finite weights may still be too large for that.

    Args:
        path: of the file that they were read from.
        network: the model.
        tensors: its weights by name.

    Raises:
        RequestError: with the tensor that holds the largest number, if some scores are not finite.
    """
    texts = torch.from_numpy(network.template.truth[:_TRIED]).to(network.device)
    if bool(network.forward(texts).logits.isfinite().all()):
        return
    sizes = {name: float(tensor.abs().max()) for name, tensor in tensors.items() if tensor.numel()}
    largest = max(sizes, key=sizes.__getitem__)
    raise RequestError.of(
        where=str(path),
        message="the unedited model computes scores that are not finite numbers",
        expected="weights small enough to compute with",
        got=f"{sizes[largest]:.3g} in {quote(largest)}, the largest of all",
        hint="Train the model again, or put back the file as it was.",
    )


@dataclass(frozen=True)
class Sealing:
    """What has changed in a run that is sealed.

    Args:
        changed: files and parts of the dataset whose digest has changed or that are gone, and rewritten tokenizer
            files.
        added: what had no digest before.
    """

    changed: tuple[str, ...]
    added: tuple[str, ...]


def sealed(
    folder: Path, run: Mapping[str, Any], rewritten: Sequence[str]
) -> tuple[dict[str, Any], Sealing | None]:
    """Return a `run.json` with new digests of what lies in the folder, and with a record of the sealing.

    Args:
        folder: of the run.
        run: the content of its `run.json`; it stays unchanged.
        rewritten: names of the rewritten files that have no digest.

    Returns:
        The document, and what has changed; the same document and None if nothing has.
    """
    before, now = _stated(folder, run) or {}, digests_of(folder, run["dataset"])
    changed = sorted(name for name, digest in before.items() if now.get(name) != digest)
    found = Sealing((*changed, *rewritten), tuple(sorted(now.keys() - before.keys())))
    if not (found.changed or found.added):
        return dict(run), None
    record = {
        "time": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": version("the-experiment"),
    }
    earlier = run.get(SEALED)
    records = earlier if isinstance(earlier, list) else []
    return {**run, DIGESTS: now, SEALED: [*records, record | asdict(found)]}, found


def _dataset_digests(dataset: Mapping[str, Any]) -> dict[str, str]:
    return {f"{_DATASET}{name}": _document_digest(value) for name, value in dataset.items()}


def _document_digest(value: object) -> str:
    # With sorted keys: the layout of a document does not matter.
    return _digest(json.dumps(value, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=1024)
def _file_digest(path: Path, changed: int, size: int) -> str:
    """Return the digest of a file; it is cached until the file changes."""
    return _digest(path.read_bytes())


def _stated(folder: Path, run: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the digests in a `run.json`; None if it has none."""
    digests = run.get(DIGESTS)
    if digests is None:
        return None
    if not isinstance(digests, dict):
        raise RequestError.of(
            where=str(folder / "run.json"),
            message=DIGESTS,
            expected="a digest for each file, as train writes them",
            got=quote(str(digests)),
            hint=_hint(folder),
        )
    return digests


def _changed(folder: Path, path: Path, part: str = "") -> Fault:
    return Fault(
        where=str(path),
        message="this file was changed after the run was saved",
        expected=f"{part or 'content'} with the SHA-256 that {'run.json' if part else folder / 'run.json'} states",
        got="another",
        hint=_hint(folder),
    )


def _hint(folder: Path) -> str:
    option = " --replace-shipped" if folder.parent.name == SHIPPED else ""
    return (
        "Put back the file as it was, or train the model again. If it was changed on purpose: "
        f"the-experiment seal {folder.name} --name {folder.parent.name}{option}."
    )


@cache
def _warn(folder: str) -> None:
    """Warn of a run without digests, once."""
    logger.warning(
        "{}: run.json has no SHA-256 digests, so changes to its files go unnoticed",
        folder,
    )


def _first_infinite(tensor: Tensor) -> str:
    numbers = tensor.float().flatten()
    return "NaN" if bool(numbers.isnan().any()) else f"{float(numbers[~numbers.isfinite()][0])}"
