"""One training: dataset -> model -> `models/NAME/RUN`, with a board at every evaluation.

It can always be resumed: its state is saved at every snapshot, and when it is stopped.
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
    """Train the models of a job and put the runs in place when all are done; older runs are kept beside them.

    Yields:
        Progress before the first step and after every step. The runs are in place after the last. Closing the
        generator before that saves the state, so that the job can be resumed.

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
            with job.unfinished.held():  # Removes leftovers.
                return
        job = replace(job, seeds=left)
    datasets = _load_datasets(job)
    architecture.check(job.size, datasets[0].spec.template)
    if device.type == "cuda":
        # Read when CUDA starts; without it cuBLAS has no fixed order of additions.
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    # Locked before the work, so that a folder that cannot be written is found at the start, not at the end.
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
    """Return the dataset of each model: one for all, or one each with its own hold-out."""
    dataset = load_dataset(job.dataset)
    if job.omit_random is None:
        return [dataset] * len(job.seeds)
    world = dataset.spec.world
    held_out = [random_hold_out(world, job.omit_random, seed) for seed in job.seeds]
    return [draw_dataset(dataset.spec.holding_out(states)) for states in held_out]
