"""One training: dataset -> model -> `models/NAME/RUN`, with a board at every evaluation.

However it ends, it can go on: at every snapshot, and when it is stopped, its state is kept.
"""

from __future__ import annotations

import os
from collections.abc import Generator
from dataclasses import replace

from playground.begun import is_complete
from playground.datasets import Dataset, draw_dataset, load_dataset, random_hold_out
from playground.models import ARCHITECTURES, choose_device
from playground.training.job import Job, Progress
from playground.training.loop import reproducible
from playground.training.training_run import TrainingRun


def train_model(job: Job) -> Generator[Progress]:
    """Train what a job says and put each run into its folder when all are done; older runs are kept beside.

    Yields:
        A record before the first step and after every one. The runs are in place when the last has been
        taken. Who stops in between (`close`) has the state kept, so that `resume` goes on from there.

    Raises:
        RequestError: if the request is wrong; nothing is written then.
        ArithmeticError: if the training diverges.
    """
    architecture, device = ARCHITECTURES[job.architecture], choose_device(job.device)
    if job.resume and not job.unfinished.exists:
        left = tuple(
            seed
            for seed, name in zip(job.seeds, job.names, strict=True)
            if not is_complete(job.folder / name)
        )
        if not left:
            with job.unfinished.held():  # Removes what may be left of it.
                return
        job = replace(job, seeds=left)
    datasets = _load_datasets(job)
    architecture.check(job.size, datasets[0].spec.template)
    if device.type == "cuda":
        # Read when CUDA starts; without it cuBLAS has no fixed order of additions.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Held before the work: that a folder cannot be written is not to be found out at the end.
    with job.unfinished.held(), reproducible(job.recipe, device):
        learning = TrainingRun(job, architecture, datasets, device)
        learning.begin()
        try:
            yield from learning.run()
        except GeneratorExit:
            learning.save()
            raise
        learning.finish()


def _load_datasets(job: Job) -> list[Dataset]:
    """Return the dataset, or one for each model whose hold-out is its own."""
    dataset = load_dataset(job.dataset)
    if job.omit_random is None:
        return [dataset] * len(job.seeds)
    world = dataset.spec.world
    held_out = [random_hold_out(world, job.omit_random, seed) for seed in job.seeds]
    return [draw_dataset(dataset.spec.holding_out(states)) for states in held_out]
