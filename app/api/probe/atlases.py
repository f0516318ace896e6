"""Flip atlases: measured in the background; the page shows their progress and can stop them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from cachetools import LRUCache, cached
from jaxtyping import UInt8

from api import tasks
from playground.analysis import Atlas, By, axes_of, flip_atlas
from playground.inference import Model
from playground.models import Site

_TOP = 12


@cached(LRUCache(64), lock=threading.Lock())
def _found(digest: str, weight: str) -> dict[By, Atlas]:
    """Return the atlases of a weight, as far as they have been measured; all tabs share them."""
    return {}


def found(model: Model, weight: Site) -> dict[By, Atlas]:
    """Return the atlases of a weight of a model, as far as they have been measured."""
    return _found(model.checkpoint.digest, str(weight))


def ways_of(model: Model, weight: Site) -> list[By]:
    """Return the kinds of parts of a weight that can be flipped one by one."""
    return [*axes_of(weight, tuple(model.network.weights[weight].shape)), "weights"]


def task_name(model: Model, weight: Site) -> str:
    """Return the name of the task that measures a weight."""
    return f"atlas {model.checkpoint.digest[:16]} {weight}"


def start(model: Model, weight: Site, ways: Sequence[By]) -> str:
    """Begin to measure atlases of a weight, one after another, except those already measured; return the task's name."""
    known = found(model, weight)

    def measure() -> Iterator[tuple[int, int]]:
        for by in ways:
            if not is_complete(known, by):
                for atlas in flip_atlas(model, weight, by):
                    known[by] = atlas
                    yield atlas.progress

    return tasks.start(task_name(model, weight), measure).name


def is_complete(known: dict[By, Atlas], by: By) -> bool:
    """Return whether every part has been measured."""
    return by in known and known[by].progress[0] == known[by].progress[1]


def atlas_answer(model: Model, weight: Site) -> dict[str, Any]:
    """Return the atlases of a weight as far as they are measured, and which can be measured."""
    known, ways = found(model, weight), ways_of(model, weight)
    return {
        "atlas": atlas_data(model, weight),
        "ways": ways,
        "complete": [by for by in ways if is_complete(known, by)],
        "task": task_name(model, weight),
    }


def atlas_data(model: Model, weight: Site) -> dict[str, Any]:
    """Return the atlases of a weight, as far as they have been measured."""
    known: dict[str, Any] = {}
    fragile: list[dict[str, Any]] = []
    for by, atlas in tuple(found(model, weight).items()):
        known[by] = {"broken": _packed(atlas), "lost": _lost(atlas)}
        fragile += [
            {
                "site": str(atlas.part(*index)),
                "broken": int(atlas.broken[index]),
                "margin": float(atlas.margin[index]) if np.isfinite(atlas.margin[index]) else None,
            }
            for index in atlas.fragile(_TOP)
        ]
    fragile.sort(key=lambda one: (-one["broken"], one["margin"] or 0.0))
    shape = tuple(model.network.weights[weight].shape)
    return {
        "site": str(weight),
        "shape": shape,
        "axes": dict(axes_of(weight, shape)),
        "states": int(model.baseline.correct.sum()),
        "known": known,
        "fragile": fragile[:_TOP],
    }


def _packed(atlas: Atlas) -> UInt8[np.ndarray, " part"]:
    """Return for every part how many states break; 255 if that is not known yet."""
    unknown = np.iinfo(np.uint8).max
    counts = np.where(atlas.done, np.minimum(atlas.broken, unknown - 1), unknown)
    return counts.astype(np.uint8).ravel()


def _lost(atlas: Atlas) -> UInt8[np.ndarray, " part"]:
    """Return for every part the lost share of the smallest margin, from 0 to 255, where nothing breaks."""
    least = np.where(atlas.done, atlas.margin, atlas.baseline)
    known = atlas.states and atlas.baseline
    share = 1 - least / atlas.baseline if known else np.zeros(least.shape)
    full = np.iinfo(np.uint8).max
    return (np.clip(share, 0, 1) * full).round().astype(np.uint8).ravel()
