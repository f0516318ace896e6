"""Models per minute: many at once compared with one at a time, on CPU cores and on a GPU."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from playground.models import Size
from playground.training import Job, Recipe, default_recipe, run_jobs, train_model

ONE_AT_A_TIME = "one at a time"


def make_job(data: Path, place: Path, seeds: Sequence[int], size: Size, recipe: Recipe, device: str) -> Job:
    """Return the job that trains several GPT-2s side by side."""
    return Job(
        architecture="gpt2",
        size=size,
        dataset=data,
        folder=place,
        seeds=tuple(seeds),
        recipe=recipe,
        device=device,
        command="benchmark",
    )


def measure_on_cores(
    data: Path, size: Size, recipe: Recipe, models: int, rounds: int
) -> dict[str, list[float]]:
    """Return the models per minute, round by round: one process per core, and one process with two threads.

    The clock starts at the first step of any model, because every process spends the same time on imports once.

    Args:
        data: folder of the dataset.
        size: of the models.
        recipe: of each.
        models: how many models a process trains, one after another.
        rounds: rounds of both ways, in turn.
    """
    cores = len(os.sched_getaffinity(0))
    sides = {
        "one process per core": (replace(recipe, threads=1), cores, models * cores),
        ONE_AT_A_TIME: (recipe, recipe.threads, models),
    }
    measured: dict[str, list[float]] = {name: [] for name in sides}
    for number in range(rounds):
        for name in list(sides)[:: -1 if number % 2 else 1]:
            how, threads, trained = sides[name]
            with tempfile.TemporaryDirectory() as place:
                jobs = [make_job(data, Path(place), [seed], size, how, "cpu") for seed in range(trained)]
                measured[name].append(60 * trained / _seconds_of(jobs, threads))
    return measured


def _seconds_of(jobs: list[Job], cores: int) -> float:
    started = None
    for report in run_jobs(jobs, cores):
        if report.failure:
            raise RuntimeError(report.failure.details)
        if report.progress and started is None:
            started = time.perf_counter()
    assert started is not None, "every job takes a step"
    return time.perf_counter() - started


def measure_on_gpu(data: Path, size: Size, models: int, alone: int) -> dict[str, list[float]]:
    """Return the models per minute by the whole recipe: in one batch, and one at a time; files included.

    Args:
        data: folder of the dataset.
        size: of the models.
        models: number of models in the batch.
        alone: number of models that are trained one at a time.
    """
    # The first job on a GPU also starts CUDA.
    _minutes_of(data, size, [0], replace(default_recipe("gpt2"), epochs=0.01))
    single = [1 / _minutes_of(data, size, [seed], default_recipe("gpt2")) for seed in range(alone)]
    batch = models / _minutes_of(data, size, range(models), default_recipe("gpt2"))
    return {f"{models} in one batch": [batch], ONE_AT_A_TIME: single}


def _minutes_of(data: Path, size: Size, seeds: Sequence[int], recipe: Recipe) -> float:
    with tempfile.TemporaryDirectory() as place:
        started = time.perf_counter()
        for _ in train_model(make_job(data, Path(place), seeds, size, recipe, "cuda")):
            pass
        return (time.perf_counter() - started) / 60
