"""Whether a run's files are as they were saved, and whether its weights are numbers that one can compute with.

`run.json` holds a SHA-256 of the weights, of every snapshot, of `config.json` and of all that the run learnt from.
They guard against accidents: who changes a file on purpose can change its digest, too, and `seal` does that.
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
"""Precisions of weights that can be read; all are computed with in float32."""
_LARGEST = 1e18
"""Of a weight: the square of a much larger one is no number in float32 any more."""
_TRIED = 4
"""Texts of which the scores are computed at loading: the first board does it for all."""


def digests_of(folder: Path, dataset: Mapping[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of a run's weights, snapshots and `config.json` and of all that it learnt from, in hexadecimal.

    Args:
        folder: of the run.
        dataset: what its `run.json` says of its data: world, hold-out, sizes and seed, each digested by itself.
    """
    paths = [folder / WEIGHTS, *sorted(folder.glob("snapshots/*.safetensors"))]
    files = {path.relative_to(folder).as_posix(): _digest(path.read_bytes()) for path in paths}
    return files | {CONFIG: _document_digest(read_json(folder / CONFIG))} | _dataset_digests(dataset)


def snapshots_digest(folder: Path) -> str:
    """Return a digest of all snapshots of a run, in hexadecimal: of their files, or of what `run.json` says of these."""
    stated = _stated(folder, read_json(folder / "run.json")) or {}
    found = {}
    for path in sorted(folder.glob("snapshots/*.safetensors")):
        name = path.relative_to(folder).as_posix()
        # Whatever else lies there is refused when it is opened.
        found[name] = stated.get(name) or _file_digest(path, path.stat().st_mtime_ns, path.stat().st_size)
    return _digest(json.dumps(found).encode())


def check_dataset(folder: Path, run: Mapping[str, Any]) -> None:
    """Do nothing if what a run learnt from stands in its `run.json` as it was saved, or if nothing says how that was.

    Args:
        folder: of the run.
        run: the content of its `run.json`.

    Raises:
        RequestError: with all that is another.
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
    """Do nothing if the `config.json` of a run says what it said when it was saved, or if nothing says what that was.

    Args:
        folder: of the run.
        run: the content of its `run.json`.
        config: the content of its `config.json`.

    Raises:
        RequestError: if it says something else.
    """
    expected = _stated(folder, run)
    if expected is not None and expected.get(CONFIG) != _document_digest(config):
        raise RequestError(_changed(folder, folder / CONFIG))


def warn_if_unsealed(folder: Path, run: Mapping[str, Any]) -> None:
    """Warn, once, of a run that has no digests, as one from elsewhere.

    Args:
        folder: of the run.
        run: the content of its `run.json`.
    """
    if run.get(DIGESTS) is None:
        _warn(str(folder))


def check_file(folder: Path, run: Mapping[str, Any], path: Path, content: bytes) -> None:
    """Do nothing if a file of a run holds what it held when it was saved, or if nothing says what that was.

    Args:
        folder: of the run.
        run: the content of its `run.json`.
        path: of the file.
        content: of the file.

    Raises:
        RequestError: if it holds something else, or if it was not there then.
    """
    expected = _stated(folder, run)
    if expected is not None and expected.get(path.relative_to(folder).as_posix()) != _digest(content):
        raise RequestError(_changed(folder, path))


def check_numbers(path: Path, tensors: Mapping[str, Tensor]) -> None:
    """Do nothing if all weights are finite numbers, of a floating-point type, and of a size to compute with.

    Args:
        path: of the file that they were read from.
        tensors: by name.

    Raises:
        RequestError: with the first tensor that holds something else, for each way in which one can.
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
        ("a weight is no floating-point number", "float32", others),
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
    """Do nothing if a model can compute with its weights: finite ones may still be too large for that.

    Args:
        path: of the file that they were read from.
        network: the model.
        tensors: its weights by name.

    Raises:
        RequestError: with the tensor that holds the largest number, if scores of some texts are not finite.
    """
    texts = torch.from_numpy(network.template.truth[:_TRIED]).to(network.device)
    if bool(network.forward(texts).logits.isfinite().all()):
        return
    sizes = {name: float(tensor.abs().max()) for name, tensor in tensors.items() if tensor.numel()}
    largest = max(sizes, key=sizes.__getitem__)
    raise RequestError(
        Fault(
            where=str(path),
            message="the unedited model computes scores that are not finite numbers",
            expected="weights small enough to compute with",
            got=f"{sizes[largest]:.3g} in {quote(largest)}, the largest of all",
            hint="Train the model again, or put back the file as it was.",
        )
    )


@dataclass(frozen=True)
class Sealing:
    """What is another than before where a run is sealed.

    Args:
        changed: files and parts of the dataset that had another digest, or are gone, and tokenizer files that were
            written anew.
        added: what had no digest before.
    """

    changed: tuple[str, ...]
    added: tuple[str, ...]


def sealed(
    folder: Path, run: Mapping[str, Any], rewritten: Sequence[str]
) -> tuple[dict[str, Any], Sealing | None]:
    """Return a `run.json` with the digests of what lies in the folder now, and with a record of that.

    Args:
        folder: of the run.
        run: the content of its `run.json`; it stays as it is.
        rewritten: names of files without a digest that were written anew.

    Returns:
        The document, and what is another; the same document and None if that is nothing.
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
    # With keys in order: how a document is laid out says nothing.
    return _digest(json.dumps(value, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=1024)
def _file_digest(path: Path, changed: int, size: int) -> str:
    """Return the digest of a file, which is read anew when it is another than before."""
    return _digest(path.read_bytes())


def _stated(folder: Path, run: Mapping[str, Any]) -> dict[str, str] | None:
    """Return the digests in a `run.json`; None if it has none."""
    digests = run.get(DIGESTS)
    if digests is None:
        return None
    if not isinstance(digests, dict):
        raise RequestError(
            Fault(
                where=str(folder / "run.json"),
                message=DIGESTS,
                expected="a digest for each file, as train writes them",
                got=quote(str(digests)),
                hint=_hint(folder),
            )
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
        "{}: run.json has no SHA-256 of the weights and of what they learnt from: whether they are as they were saved is not known",
        folder,
    )


def _first_infinite(tensor: Tensor) -> str:
    numbers = tensor.float().flatten()
    return "NaN" if bool(numbers.isnan().any()) else f"{float(numbers[~numbers.isfinite()][0])}"
