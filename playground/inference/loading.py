"""Models by name or folder."""

from __future__ import annotations

from pathlib import Path

from loguru import logger

from playground.inference.model import Model
from playground.models import choose_device, find_run, load_checkpoint, runs_of, split_step


def load_model(name: str = "default", run: str = "gpt2", device: str = "auto") -> Model:
    """Return the model of `models/NAME/RUN` in the working directory.

    For the name `default`, a run that is missing there is looked up under `shipped`, and then among the runs
    bundled with the project.

    Raises:
        RequestError: if there is none, or if its files are damaged.
    """
    folder = find_run(name, run)
    trained, step = split_step(run)
    if folder != Path("models") / name / trained:
        logger.info("no complete run in models/{}/{}: using {}", name, trained, folder)
    return open_model(folder, device, step)


def open_model(folder: Path, device: str = "auto", step: int | None = None) -> Model:
    """Return the model in `folder`.

    Args:
        folder: of the run.
        device: "auto", "cpu" or "cuda".
        step: the training step of a snapshot; None for the trained model.

    Raises:
        RequestError: if its files are damaged or incomplete, or if there is no snapshot of that step.
    """
    return Model(load_checkpoint(folder, choose_device(device), step))


def load_models(name: str = "default", device: str = "auto") -> list[Model]:
    """Return every model under a name that learnt the same task, see `same_task`.

    Raises:
        RequestError: if there is none, or if the files of one are damaged.
    """
    runs = runs_of(name) or ["gpt2"]  # If missing, `load_model` says so.
    models = [load_model(name, run, device) for run in runs]
    # A model in the working directory sets the task, else the first found elsewhere.
    own = [model for model in models if model.checkpoint.folder.parent == Path("models") / name]
    first = (own or models)[0]
    for model in models:
        if not same_task(model, first):
            logger.warning("{} is left out: {}", model.checkpoint.folder, ANOTHER_TASK)
    return [model for model in models if same_task(model, first)]


ANOTHER_TASK = "it learnt another world, or with other states held out"


def same_task(one: Model, other: Model) -> bool:
    """Return whether two models learnt the same world with the same states held out."""
    return one.world == other.world and set(one.dataset.held_out) == set(other.dataset.held_out)
