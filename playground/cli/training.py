"""`train`: one model, or all side by side, with progress bars."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loguru import logger
from rich.console import Console

from playground.cli.making import find_dataset
from playground.errors import Fault, RequestError, quote
from playground.files import folder_to_write
from playground.startup import many_imports

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from playground.datasets import Template
    from playground.models import Size
    from playground.training import Evaluation, Job, Progress, Recipe

ALL = "all"
ORDER = ("gpt2", "mann", "rnn", "cnn")
"""In which all are begun: what takes many cores first, then what takes long."""


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What was said of a training; None where nothing was.

    Args:
        epochs: passes over the data.
        learning_rate: of the first step.
        width: of the model.
        layers: of the model.
        heads: of the model.
    """

    epochs: float | None = None
    learning_rate: float | None = None
    width: int | None = None
    layers: int | None = None
    heads: int | None = None

    @property
    def said(self) -> dict[str, float]:
        """Those that are not None, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}

    def recipe(self, architecture: str, seed: int) -> Recipe:
        """Return the recipe of an architecture with what was said of it."""
        from playground.training import RECIPES

        changes = {name: self.said[name] for name in ("epochs", "learning_rate") if name in self.said}
        # Who says how long it is to take means just that.
        changes |= {"cap": None} if "epochs" in self.said else {}
        return replace(RECIPES[architecture], seed=seed, **changes)

    def size(self, architecture: str, template: Template) -> Size:
        """Return the size of a model with what was said of it."""
        from playground.models import ARCHITECTURES

        changes = {name: self.said[name] for name in ("width", "layers", "heads") if name in self.said}
        return replace(ARCHITECTURES[architecture].default_size(template), **changes)

    def options(self) -> str:
        """Return the options that say the same."""
        return "".join(f" --{name.replace('_', '-')} {value:g}" for name, value in self.said.items())


def train(
    *, architecture: str, name: str, seed: int, device: str, replace_shipped: bool, wishes: Wishes
) -> None:
    """Train a model, or all, on the dataset of that name, with a progress bar for each.

    Raises:
        RequestError: for anything that is not right with the request or the dataset.
        RuntimeError: if one of several trainings failed.
    """
    folder = folder_to_write("models", name, replace_shipped=replace_shipped)
    with many_imports():
        from playground.models import ARCHITECTURES, choose_device, run_name
        from playground.training import Job

    _check(architecture, list(ARCHITECTURES), wishes)
    names = ORDER if architecture == ALL else (architecture,)
    recipes = {each: wishes.recipe(each, seed) for each in names}
    choose_device(device)
    source, dataset = find_dataset(name, replace_shipped=replace_shipped)
    command = f"the-experiment train {architecture} --name {name}{wishes.options()} --seed {seed}"
    command += f" --device {device}" + (" --replace-shipped" if replace_shipped else "")
    sizes = {each: wishes.size(each, dataset.spec.template) for each in names}
    for each in names:
        ARCHITECTURES[each].check(sizes[each], dataset.spec.template)
    jobs = [
        Job(
            architecture=each,
            size=sizes[each],
            dataset=source,
            folder=folder / run_name(each, seed),
            recipe=recipes[each],
            device=device,
            command=command,
        )
        for each in names
    ]
    if architecture == ALL:
        _train_all(jobs)
    else:
        _train_one(jobs[0])


def _check(architecture: str, known: list[str], wishes: Wishes) -> None:
    faults = []
    if architecture not in (*known, ALL):
        faults.append(
            Fault(
                rule="a model is of a known architecture",
                expected=f"{', '.join(known)} or {ALL}",
                got=quote(architecture),
                hint="Write: the-experiment train gpt2.",
            )
        )
    if architecture == ALL and wishes.said:
        faults.append(
            Fault(
                rule="epochs, learning rate and size belong to one architecture",
                expected="one of " + ", ".join(known) + " with them",
                got=f"{ALL} with{wishes.options()}",
                hint="Train the others without them.",
            )
        )
    if faults:
        raise RequestError(*faults)


def _train_one(job: Job) -> None:
    from playground.datasets import load_dataset
    from playground.models import ARCHITECTURES, choose_device
    from playground.training import train_model

    last = None
    dataset, device = load_dataset(job.dataset), choose_device(job.device)
    with _progress_bar() as bar:
        task = bar.add_task(job.architecture, total=None, scores="")
        for last in train_model(
            ARCHITECTURES[job.architecture], job.size, dataset, job.folder, job.recipe, device, job.command
        ):
            _show(bar, task, job, last, last.evaluation)
        bar.update(task, total=last.step.number if last else None)
    if last and last.evaluation:
        _report(job, last, last.evaluation)


def _train_all(jobs: list[Job]) -> None:
    from playground.training import run_jobs

    latest: dict[Job, Evaluation] = {}
    failed = []
    with _progress_bar() as bar:
        tasks = {job: bar.add_task(job.architecture, total=None, scores="waits for a core") for job in jobs}
        for report in run_jobs(jobs):
            job, progress = report.job, report.progress
            if report.failure:
                failed.append(job)
                bar.update(tasks[job], scores="failed")
                logger.error("{}: {}", job.folder, report.failure.error)
                logger.debug("{}", report.failure.details)
            elif progress:
                latest[job] = progress.evaluation or latest.get(job)  # pyright: ignore[reportArgumentType]
                _show(bar, tasks[job], job, progress, latest[job])
                if report.done:
                    bar.update(tasks[job], total=progress.step.number)
                    _report(job, progress, latest[job])
    if failed:
        raise RuntimeError(f"{', '.join(job.architecture for job in failed)} could not be trained")


def _progress_bar() -> Bar:
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[scores]}"),
        TimeRemainingColumn(),
        console=Console(file=sys.stderr),
    )


def _show(bar: Bar, task: TaskID, job: Job, progress: Progress, evaluation: Evaluation | None) -> None:
    scores = f"loss {progress.step.loss:.3f}"
    if evaluation:
        accuracy = evaluation.board.accuracy
        scores += f"  seen {accuracy.seen:.0%}"
        if accuracy.held_out is not None:
            scores += f"  held out {accuracy.held_out:.0%}"
    bar.update(task, completed=progress.step.number, total=progress.step.total, scores=scores)
    if progress.fresh and evaluation and evaluation.validation:
        logger.info(
            "{}, epoch {:.2f}: loss {:.4f}; validation (seen states only) loss {:.4f}, {:.1%} right",
            job.architecture,
            evaluation.epoch,
            evaluation.loss,
            evaluation.validation.loss,
            evaluation.validation.accuracy,
        )


def _report(job: Job, last: Progress, evaluation: Evaluation) -> None:
    right = {name: f"{right} of {total}" for name, (right, total) in evaluation.board.tally.items() if total}
    parts = " and ".join(f"{count} {name.replace('_', '-')} states" for name, count in right.items())
    samples = last.step.number * job.recipe.batch_size
    logger.success(
        "{}: writes {} correctly, after {:,} samples and {:.0f} s",
        job.folder,
        parts,
        samples,
        evaluation.seconds,
    )
    if not evaluation.learnt:
        logger.warning(
            "{} has not learnt the states that it was shown: that it fails on the held-out ones says nothing. "
            "Its training ended at the {:g} epochs that it has at most.",
            job.architecture,
            job.recipe.cap or job.recipe.epochs,
        )
