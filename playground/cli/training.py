"""`train`: one model, or all side by side, with progress bars."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from loguru import logger
from rich.console import Console

from playground.cli.making import find_dataset, make_shipped_dataset
from playground.errors import Fault, RequestError, quote
from playground.files import default_rules, folder_to_write
from playground.startup import many_imports
from playground.worlds import load_world

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from playground.datasets import Template
    from playground.models import Size
    from playground.training import Evaluation, Failure, Job, Progress, Recipe

ALL = "all"
LONGEST = ("gpt2", "mann")
"""Those that are begun first where all are trained: what takes many cores, then what takes long."""


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
        return "".join(f" --{name.replace('_', '-')} {value}" for name, value in self.said.items())


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
        from playground.datasets import Template, load_dataset
        from playground.models import ARCHITECTURES, choose_device, run_name
        from playground.training import Job

    _check(architecture, list(ARCHITECTURES), wishes)
    choose_device(device)
    source = find_dataset(name)
    # What is not right with the request is told before a dataset is drawn for it.
    world = load_dataset(source).spec.world if source else load_world(default_rules())
    others = [each for each in ARCHITECTURES if each not in LONGEST]
    names = (*LONGEST, *others) if architecture == ALL else (architecture,)
    recipes, sizes = _plan(names, seed, wishes, Template(world))
    source = source or make_shipped_dataset(name, replace_shipped=replace_shipped)
    command = f"the-experiment train {architecture} --name {name}{wishes.options()} --seed {seed}"
    command += f" --device {device}" + (" --replace-shipped" if replace_shipped else "")
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


def _plan(
    names: tuple[str, ...], seed: int, wishes: Wishes, template: Template
) -> tuple[dict[str, Recipe], dict[str, Size]]:
    """Return recipe and size of each architecture.

    Raises:
        RequestError: with all that is wrong with any of them.
    """
    from playground.models import ARCHITECTURES

    recipes, sizes, faults = {}, {}, {}
    for name in names:
        try:
            recipes[name] = wishes.recipe(name, seed)
        except RequestError as error:
            faults |= dict.fromkeys(error.faults)
        sizes[name] = wishes.size(name, template)
        try:
            ARCHITECTURES[name].check(sizes[name], template)
        except RequestError as error:
            faults |= dict.fromkeys(error.faults)
    if faults:
        raise RequestError(*faults)
    return recipes, sizes


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
                hint="Train each with its own command.",
            )
        )
    if faults:
        raise RequestError(*faults)


def _train_one(job: Job) -> None:
    from playground.datasets import load_dataset
    from playground.models import ARCHITECTURES, choose_device
    from playground.training import train_model

    last: Progress | None = None
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
    failed: dict[Job, Failure] = {}
    with _progress_bar() as bar:
        tasks = {job: bar.add_task(job.architecture, total=None, scores="waits for a core") for job in jobs}
        for report in run_jobs(jobs):
            job, progress = report.job, report.progress
            if report.failure:
                failed[job] = report.failure
                bar.update(tasks[job], scores="failed")
                logger.error("{}: {}", job.folder, report.failure.error)
                logger.debug("{}", report.failure.details)
            elif progress:
                if progress.evaluation:
                    latest[job] = progress.evaluation
                _show(bar, tasks[job], job, progress, latest.get(job))
                if report.done:
                    bar.update(tasks[job], total=progress.step.number)
                    _report(job, progress, latest[job])
    faults = dict.fromkeys(fault for failure in failed.values() for fault in failure.faults)
    if failed and all(failure.faults for failure in failed.values()):
        raise RequestError(*faults)
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
    from playground.inference import not_learnt

    right = {name: f"{right} of {total}" for name, (right, total) in evaluation.board.tally.items() if total}
    parts = " and ".join(f"{count} {name.replace('_', '-')} states" for name, count in right.items())
    logger.success("{}: writes {} correctly, after {:.0f} s", job.folder, parts, evaluation.seconds)
    if evaluation.board.accuracy.seen < 1:
        logger.warning("{}", not_learnt(evaluation.board))
        logger.warning(
            "{}: its training ended at the {:g} epochs that it has at most, after {:,} steps",
            job.architecture,
            job.recipe.cap or job.recipe.epochs,
            last.step.number,
        )
