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
        dataset: world, hold-out, sizes and seed of its data, as in `run.json`; each gets its own digest.
    """
    paths = [folder / WEIGHTS, *sorted(folder.glob("snapshots/*.safetensors"))]
    files = {path.relative_to(folder).as_posix(): _digest(path.read_bytes()) for path in paths}
    return files | {CONFIG: _document_digest(read_json(folder / CONFIG))} | _dataset_digests(dataset)


def snapshots_digest(folder: Path) -> str:
    """Return one digest of all snapshots of a run, in hexadecimal, from the digests in `run.json` if it has any."""
    stated = Seal(folder, read_json(folder / "run.json")).stated or {}
    found = {}
    for path in sorted(folder.glob("snapshots/*.safetensors")):
        name = path.relative_to(folder).as_posix()
        # A file that does not match its digest is refused when it is opened.
        found[name] = stated.get(name) or _file_digest(path, path.stat().st_mtime_ns, path.stat().st_size)
    return _digest(json.dumps(found).encode())


@dataclass(frozen=True)
class Seal:
    """What a run's `run.json` states about its files. Without digests, as in a run from elsewhere, all files are accepted.

    Args:
        folder: of the run.
        run: the content of its `run.json`.
    """

    folder: Path
    run: Mapping[str, Any]

    @property
    def stated(self) -> dict[str, str] | None:
        """The digests; None if there are none.

        Raises:
            RequestError: if the entry for digests holds something else.
        """
        digests = self.run.get(DIGESTS)
        if digests is None or isinstance(digests, dict):
            return digests
        raise RequestError.of(
            where=str(self.folder / "run.json"),
            message=DIGESTS,
            expected="a digest for each file, as train writes them",
            got=quote(str(digests)),
            hint=self._hint,
        )

    def warn_if_missing(self) -> None:
        """Warn, once, about a run without digests."""
        if self.run.get(DIGESTS) is None:
            _warn(str(self.folder))

    def check_dataset(self) -> None:
        """Check that the dataset in `run.json` is unchanged since the run was saved.

        Raises:
            RequestError: if not, naming every part that was changed.
        """
        if self.stated is None:
            return
        stated = {name: digest for name, digest in self.stated.items() if name.startswith(_DATASET)}
        dataset = self.run.get("dataset")
        found = _dataset_digests(dataset if isinstance(dataset, dict) else {})
        changed = sorted(name for name in stated.keys() | found.keys() if stated.get(name) != found.get(name))
        if changed:
            raise self._changed("run.json", " and ".join(changed))

    def check_config(self, config: Mapping[str, Any]) -> None:
        """Check that the content of `config.json` is unchanged since the run was saved.

        Raises:
            RequestError: if it was changed.
        """
        self._check(CONFIG, _document_digest(config))

    def check_file(self, path: Path, content: bytes) -> None:
        """Check that the content of a file is unchanged since the run was saved.

        Raises:
            RequestError: if it was changed, or added since.
        """
        self._check(path.relative_to(self.folder).as_posix(), _digest(content))

    def _check(self, name: str, digest: str) -> None:
        if self.stated is not None and self.stated.get(name) != digest:
            raise self._changed(name)

    def _changed(self, name: str, part: str = "") -> RequestError:
        whose = "run.json" if part else self.folder / "run.json"
        return RequestError.of(
            where=str(self.folder / name),
            message="this file was changed after the run was saved",
            expected=f"{part or 'content'} with the SHA-256 that {whose} states",
            got="another",
            hint=self._hint,
        )

    @property
    def _hint(self) -> str:
        option = " --replace-shipped" if self.folder.parent.name == SHIPPED else ""
        return (
            "Put back the file as it was, or train the model again. If it was changed on purpose: "
            f"the-experiment seal {self.folder.name} --name {self.folder.parent.name}{option}."
        )


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
    """Check that a model computes finite scores: even finite weights may be too large for that.

    Args:
        path: of the file that the weights were read from.
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
        changed: files and parts of the dataset that are gone or whose digest has changed, and rewritten tokenizer
            files.
        added: what had no digest before.
    """

    changed: tuple[str, ...]
    added: tuple[str, ...]


def sealed(
    folder: Path, run: Mapping[str, Any], rewritten: Sequence[str]
) -> tuple[dict[str, Any], Sealing | None]:
    """Return a `run.json` with new digests of the folder's files and a record of the sealing.

    Args:
        folder: of the run.
        run: the content of its `run.json`; it stays unchanged.
        rewritten: names of the rewritten files that have no digest.

    Returns:
        The document, and what has changed; the same document and None if nothing has.
    """
    before, now = Seal(folder, run).stated or {}, digests_of(folder, run["dataset"])
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
    # Sorted keys, so that the layout of a document does not matter.
    return _digest(json.dumps(value, sort_keys=True).encode())


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@lru_cache(maxsize=1024)
def _file_digest(path: Path, changed: int, size: int) -> str:
    """Return the digest of a file; it is cached until the file changes."""
    return _digest(path.read_bytes())


@cache
def _warn(folder: str) -> None:
    logger.warning("{}: run.json has no SHA-256 digests, so changes to its files go unnoticed", folder)


def _first_infinite(tensor: Tensor) -> str:
    numbers = tensor.float().flatten()
    return "NaN" if bool(numbers.isnan().any()) else f"{float(numbers[~numbers.isfinite()][0])}"
