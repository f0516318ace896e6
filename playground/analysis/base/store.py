"""Results on disk, so that what has been measured once is there at once: `cache/DIGEST/METHOD-KEY.safetensors`.

DIGEST is that of the model, see `Checkpoint.digest`; KEY is made of all else that a result follows from. A file is a result's arrays, with all else as a JSON
document in its header; nothing is unpickled. One that is damaged, or that another version wrote, is as good as none.
The whole folder may be deleted at any time.
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
"""Of the files; older ones are not read."""
_ARRAY, _NUMBER = "array", "number"

Result = TypeVar("Result")


class Store:
    """What has been measured of one model under some interventions.

    Args:
        model: its digest says under which folder.
        interventions: each as text.
        folder: of all results.
    """

    def __init__(self, model: Model, interventions: tuple[str, ...] = (), folder: Path = FOLDER) -> None:
        self._folder = folder / model.digest
        self._interventions = interventions

    def load(self, method: str, version: int, kind: type[Result]) -> Result | None:
        """Return a result that was kept; None if there is none that can be used.

        Args:
            method: by which it was measured, with all that it depends on.
            version: of the method.
            kind: of the result.
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
        """Keep a result; that it cannot be is no more than a warning.

        Args:
            method: as in `load`.
            version: as in `load`.
            result: a frozen dataclass of texts, numbers, arrays, tuples and dataclasses of these.
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
        """Yield a result as it grows, from where it stood the last time; it is kept when it is left, too.

        Args:
            method: as in `load`.
            version: as in `load`.
            kind: of the result.
            measure: goes on from what there is.
            progress: of a result how much of it is measured, and how much there is.
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
    """Return the names of all fields, so that a result of another form is never taken for one of this."""
    hints = typing.get_type_hints(kind)
    return [
        [field.name, [_shape(each) for each in _dataclasses(hints[field.name])]] for field in fields(kind)
    ]


def _dataclasses(hint: Any) -> list[type]:
    if is_dataclass(hint) and isinstance(hint, type):
        return [hint]
    return [found for each in typing.get_args(hint) for found in _dataclasses(each)]


def _write(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    """Return a value as JSON, its arrays put aside."""
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
    """Return what `_write` made a document of.

    Raises:
        ValueError: and others, if it is not of the type.
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
    """Return a result as it stands in a JSON document: arrays as lists, NaN and infinity as null."""
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
