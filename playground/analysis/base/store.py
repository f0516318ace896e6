"""Results on disk, so that nothing is measured twice: `cache/DIGEST/METHOD-KEY.safetensors`.

DIGEST is the model's (see `Checkpoint.digest`); KEY is a digest of everything else that a result depends on. A file
holds a result's arrays, with all else as a JSON document in its header; nothing is unpickled. Files that are damaged
or written by another version are ignored. The whole folder may be deleted at any time.
"""

from __future__ import annotations

import hashlib
import json
import math
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, is_dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from loguru import logger
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from playground.files import write_bytes
from playground.inference import Model
from playground.places import fault_of

FOLDER = Path("cache")
FORM = 2
"""Version of the file format; other versions are not read."""
_ARRAY, _NUMBER = "array", "number"

Result = TypeVar("Result")


class Store:
    """The stored results of one model under some interventions.

    Args:
        model: its digest names the folder.
        interventions: the interventions, each as text.
        folder: the folder of all results.
    """

    def __init__(self, model: Model, interventions: tuple[str, ...] = (), folder: Path = FOLDER) -> None:
        self._folder = folder / model.digest
        self._interventions = interventions

    def load(self, method: str, version: int, kind: type[Result]) -> Result | None:
        """Return a stored result; None if there is no usable one.

        Args:
            method: the method's name, with all that the result depends on.
            version: the method's version.
            kind: the class of the result.
        """
        path = self._path(method, version, kind)
        try:
            with safe_open(path, "numpy") as file:
                document = json.loads(file.metadata()["result"])
                return _read(kind, document, {name: file.get_tensor(name) for name in file.keys()})  # noqa: SIM118
        except FileNotFoundError:
            return None
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, AttributeError) as error:
            logger.info("{} cannot be used, and is made anew: {}", path, error)
            return None

    def save(self, method: str, version: int, result: Any) -> None:
        """Save a result; failing to do so only logs a warning.

        Args:
            method: as in `load`.
            version: as in `load`.
            result: a frozen dataclass of strings, numbers, arrays, tuples and such dataclasses.
        """
        path = self._path(method, version, type(result))
        arrays: dict[str, np.ndarray] = {}
        document = json.dumps(_write(result, arrays), allow_nan=False)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_bytes(path, save(arrays, {"result": document}))
        except OSError as error:
            logger.warning("what is measured is not kept: {}", fault_of(error))

    def resume(
        self,
        method: str,
        version: int,
        kind: type[Result],
        measure: Callable[[Result | None], Iterator[Result]],
        progress: Callable[[Result], tuple[int, int]],
    ) -> Iterator[Result]:
        """Yield a result as it grows, resuming from what was saved; it is also saved if the caller stops early.

        Args:
            method: as in `load`.
            version: as in `load`.
            kind: the class of the result.
            measure: continues from a partial result, or from None.
            progress: units of work done and in total, for a result.
        """
        begun = self.load(method, version, kind)
        if begun is not None:
            done, of = progress(begun)
            if done == of:
                yield begun
                return
        latest = begun
        try:
            for each in measure(begun):
                latest = each
                yield each
        finally:
            if latest is not None and latest is not begun:
                self.save(method, version, latest)

    def _path(self, method: str, version: int, kind: type) -> Path:
        key = json.dumps([FORM, version, method, self._interventions, _shape(kind)], allow_nan=False)
        digest = hashlib.sha256(key.encode()).hexdigest()[:16]
        return self._folder / f"{method.split(' ', maxsplit=1)[0]}-{digest}.safetensors"


def _shape(kind: type) -> list[Any]:
    """Return the names of all fields, so that a result of another shape is never mistaken for this one."""
    hints = typing.get_type_hints(kind)
    return [
        [field.name, [_shape(each) for each in _dataclasses(hints[field.name])]] for field in fields(kind)
    ]


def _dataclasses(hint: Any) -> list[type]:
    if is_dataclass(hint) and isinstance(hint, type):
        return [hint]
    return [found for each in typing.get_args(hint) for found in _dataclasses(each)]


def _write(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value as JSON, moving its arrays to `arrays`."""
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.ascontiguousarray(value)
        return {_ARRAY: name}
    if is_dataclass(value):
        return {field.name: _write(getattr(value, field.name), arrays) for field in fields(value)}
    if isinstance(value, tuple):
        return [_write(each, arrays) for each in value]
    assert value is None or isinstance(value, str | bool | int | float), f"no result holds {type(value)}"
    if isinstance(value, float) and not math.isfinite(value):
        return {_NUMBER: str(value)}  # JSON has no such numbers.
    return value


def _read(hint: Any, document: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    """Return the value that `_write` turned into a document.

    Raises:
        ValueError: or another error, if the document does not fit the type.
    """
    if isinstance(document, dict):
        if set(document) == {_ARRAY}:
            return arrays[document[_ARRAY]]
        if set(document) == {_NUMBER}:
            return float(document[_NUMBER])
        (kind,) = _dataclasses(hint)
        hints = typing.get_type_hints(kind)
        return kind(**{name: _read(hints[name], each, arrays) for name, each in document.items()})
    if isinstance(document, list):
        if typing.get_origin(hint) in (typing.Union, types.UnionType):
            (hint,) = (each for each in typing.get_args(hint) if typing.get_origin(each) is tuple)
        kinds = typing.get_args(hint)
        if kinds[1:] == (Ellipsis,):
            kinds = kinds[:1] * len(document)
        return tuple(_read(kind, each, arrays) for kind, each in zip(kinds, document, strict=True))
    return document


def to_document(value: Any) -> Any:
    """Return a result as JSON: arrays as lists, NaN and infinity as null."""
    match value:
        case np.ndarray() | np.generic():
            return to_document(value.tolist())
        case float():
            return value if np.isfinite(value) else None
        case tuple() | list():
            return [to_document(each) for each in value]
        case dict():
            return {str(name): to_document(each) for name, each in value.items()}
    if is_dataclass(value):
        return {field.name: to_document(getattr(value, field.name)) for field in fields(value)}
    return value
