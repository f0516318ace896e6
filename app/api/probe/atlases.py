"""Flip atlases: measured in the background; the page shows their progress and can stop them."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from cachetools import LRUCache, cached
from jaxtyping import UInt8
from loguru import logger

from playground.analysis import Atlas, By, axes_of, flip_atlas
from playground.inference import Model
from playground.models import Site

_TOP = 12
_WATCHING = 1.0
"""Seconds between two looks at an atlas that is being measured."""


@dataclass
class Job:
    """The measurement of one atlas, running or ended.

    Args:
        atlas: the result so far; None before the first part.
        stopped: set this to end it early.
        thread: the thread that measures.
    """

    atlas: Atlas | None = None
    stopped: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def running(self) -> bool:
        """Whether it is being measured, or waits for other atlases."""
        alive = self.thread is not None and self.thread.is_alive()
        return alive and not self.complete and not self.stopped.is_set()

    @property
    def progress(self) -> tuple[int, int]:
        """How many parts have been measured, and how many there are, as far as that is known."""
        return self.atlas.progress if self.atlas else (0, 1)

    @property
    def complete(self) -> bool:
        """Whether every part has been measured."""
        return self.atlas is not None and self.atlas.progress[0] == self.atlas.progress[1]


@cached(LRUCache(64), lock=threading.Lock())
def _job(digest: str, weight: str, by: str) -> Job:
    """Return the job of an atlas; all tabs share it."""
    return Job()


def job_of(model: Model, weight: Site, by: By) -> Job:
    """Return the job of an atlas of a model."""
    return _job(model.checkpoint.digest, str(weight), by)


def ways_of(model: Model, weight: Site) -> list[By]:
    """Return the kinds of parts of a weight that can be flipped one by one."""
    return [*axes_of(weight, tuple(model.network.weights[weight].shape)), "weights"]


def start(model: Model, weight: Site, *ways: By) -> None:
    """Begin to measure atlases of a weight, one after another, except those already measured or being measured."""
    wanted: list[tuple[By, Job]] = []
    for by in ways:
        job = job_of(model, weight, by)
        if not job.running and not job.complete:
            wanted.append((by, job))

    def measure() -> None:
        for by, job in wanted:
            _measure(job, model, weight, by)

    thread = threading.Thread(target=measure, daemon=True, name=f"atlas of {weight}")
    for _, job in wanted:
        job.stopped.clear()
        job.thread = thread
    if wanted:
        thread.start()


def _measure(job: Job, model: Model, weight: Site, by: By) -> None:
    try:
        for atlas in flip_atlas(model, weight, by):
            job.atlas = atlas
            if job.stopped.is_set():
                return
    except Exception as error:  # noqa: BLE001  Nothing waits for this thread: the page shows what it has.
        logger.opt(exception=True).error("the atlas of {} ended: {}", weight, error)


def stop(model: Model, weight: Site) -> None:
    """Stop measuring a weight; what has been measured stays."""
    for by in ways_of(model, weight):
        job_of(model, weight, by).stopped.set()


def atlas_parts(model: Model, weight: Site) -> Iterator[dict[str, Any]]:
    """Yield the atlases of a weight and their progress; while one is being measured, every second."""
    ways = ways_of(model, weight)
    while True:
        jobs = {by: job_of(model, weight, by) for by in ways}
        running = [by for by, job in jobs.items() if job.running]
        yield {
            "atlas": atlas_data(model, weight),
            "complete": [by for by, job in jobs.items() if job.complete],
            "ways": ways,
            "progress": [
                {"by": by, "done": done, "total": total}
                for by in running
                for done, total in [jobs[by].progress]
            ],
        }
        if not running:
            return
        time.sleep(_WATCHING)


def atlas_data(model: Model, weight: Site) -> dict[str, Any]:
    """Return the atlases of a weight, as far as they have been measured."""
    known: dict[str, Any] = {}
    fragile: list[dict[str, Any]] = []
    for by in ways_of(model, weight):
        atlas = job_of(model, weight, by).atlas
        if atlas is None:
            continue
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
