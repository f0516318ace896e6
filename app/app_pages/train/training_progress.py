"""The progress of trainings: those of this server, unfinished ones, and finished ones."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import streamlit as st

from api.runs import Run
from playground.begun import is_complete
from playground.errors import RequestError
from playground.files import names_in_use, previous
from playground.models import RunDocument, find_run, list_runs, read_run, snapshot_path, snapshots_of
from playground.training import Job, Recipe, TrainingManager, TrainingProgress, unfinished_runs
from playground.training import discard as throw_away
from state.widgets import TabValue

WHOLE = "whole answer"
WATCHED: TabValue[str | None] = TabValue("watched", None)
"""The training that this tab watches, as NAME/RUN."""


@st.cache_resource(show_spinner=False)
def trainings() -> TrainingManager:
    """Return the trainings of this server, which all tabs share."""
    return TrainingManager()


@dataclass(frozen=True)
class Shown:
    """A training that can be shown.

    Args:
        name: NAME/RUN.
        progress: of a training started on this server, else None.
        job: the job that can go on, else None.
        said: its status in words.
        elsewhere: whether another process is training it.
    """

    name: str
    progress: TrainingProgress | None
    job: Job | None
    said: str
    elsewhere: bool = False

    @property
    def run(self) -> Run:
        """Its name and run."""
        name, run = self.name.split("/")
        return name, run


def all_of_them() -> list[Shown]:
    """Return the trainings of this server, latest first, then other unfinished ones, then finished ones."""
    by_name = {_name(progress.job): progress for progress in reversed(trainings().progress())}
    shown = [Shown(name, progress, progress.job, in_words(progress)) for name, progress in by_name.items()]
    for name in names_in_use("models"):
        for unfinished in unfinished_runs(Path("models") / name):
            label = f"{name}/{unfinished.run.name}"
            if label not in by_name:
                try:
                    job = Job.from_json(unfinished.job(), unfinished.run.parent)
                except RequestError:
                    continue  # An unreadable training cannot go on; the command says why.
                elsewhere, step = unfinished.is_held, f"step {unfinished.step:,}"
                said = (
                    f"is being trained by another process, {step} is saved"
                    if elsewhere
                    else f"stopped after {step}"
                )
                shown.append(Shown(label, None, job, said, elsewhere))
    known = {each.name for each in shown}
    done = [f"{name}/{run}" for name, run in list_runs()]
    return shown + [Shown(label, None, None, "trained") for label in done if label not in known]


def discard(job: Job) -> None:
    """Throw away the progress of a stopped training.

    Raises:
        RequestError: if it is being trained right now, or there is nothing to throw away.
    """
    throw_away(job.folder, [job.name])
    trainings().forget(job)


def has_predecessor(shown: Shown) -> bool:
    """Return whether a run is complete and the run that it replaced is still kept."""
    ended = shown.progress is None or shown.progress.status == "done"
    stopped = shown.job is not None and shown.job.unfinished.exists
    run = Path("models") / shown.name
    return ended and not stopped and all(map(is_complete, (run, previous(run))))


def _name(job: Job) -> str:
    return f"{job.folder.name}/{job.name}"


def in_words(progress: TrainingProgress) -> str:
    """Return the status of a training in words."""
    match progress.status:
        case "waits":
            return "queued for a free core"
        case "begins":
            return "begins"
        case "stopping":
            return "stops after this step"
        case "failed":
            return "failed"
    step = progress.step
    if step is None:
        return progress.status
    words = [f"step {step.number:,} of {step.total:,}"]
    if progress.status == "runs":
        words.append("" if step.loss is None else f"loss {step.loss:.3f}")
        words.append(f"learning rate {step.learning_rate:.2g}")
        words.append("" if progress.speed is None else f"{progress.speed:.0f} steps/s")
        left = progress.seconds_left
        words.append("" if left is None else f"{_time(left)} to step {step.total:,}")
    if progress.board:
        words += [
            f"{group.replace('_', '-')} {right} of {total}"
            for group, (right, total) in progress.board.tally.items()
            if total
        ]
    return f"{progress.status}: {', '.join(word for word in words if word)}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"


@dataclass(frozen=True)
class _Progress:
    """What is known of the course of a training: evaluations as in `run.json`, steps, snapshots, recipe."""

    evaluations: list[dict[str, Any]]
    step: int
    total: int
    snapshots: list[int]
    recipe: Recipe | None


def chart_data(shown: Shown) -> dict[str, Any]:
    """Return the charts of a training: loss, learning rate, and the accuracy of each output, by step."""
    known = _progress_of(shown)
    losses = shown.progress.losses if shown.progress else []
    if not losses:
        losses = [
            (
                each["step"],
                each["loss"],
                known.recipe and known.recipe.learning_rate_at(each["epoch"] / known.recipe.epochs),
            )
            for each in known.evaluations
            if each["loss"] is not None
        ]
    return {
        "title": shown.name,
        "step": known.step,
        "total": known.total,
        "loss": [[number, loss] for number, loss, _ in losses],
        "rate": [[number, rate] for number, _, rate in losses if rate is not None],
        "outputs": _curves(known.evaluations),
        "marks": known.snapshots,
    }


def _progress_of(shown: Shown) -> _Progress:
    progress, job = shown.progress, shown.job
    if progress is not None:
        step, total = (progress.step.number, progress.step.total) if progress.step else (0, 0)
        kept = [each["step"] for each in progress.evaluations if _kept(progress.job, each["step"])]
        return _Progress(progress.evaluations, step, total, kept, progress.job.recipe)
    if job is not None:
        evaluations, step = job.unfinished.evaluations(), job.unfinished.step
        kept = [each["step"] for each in evaluations if _kept(job, each["step"])]
        return _Progress(evaluations, step, _planned(evaluations, job.recipe, step), kept, job.recipe)
    folder = find_run(*shown.run)
    known = read_run(folder)
    steps, evaluations = known.steps or 0, [each.model_dump() for each in known.evaluations]
    return _Progress(evaluations, steps, steps, snapshots_of(folder), _recipe(known))


def _planned(evaluations: list[dict[str, Any]], recipe: Recipe, step: int) -> int:
    """Return how many steps a training was planned to take, at least the number that it took."""
    last = evaluations[-1] if evaluations else {"epoch": 0}
    planned = last["step"] / last["epoch"] * recipe.epochs if last["epoch"] else 0
    return max(step, round(planned) if math.isfinite(planned) else 0)


def _recipe(run: RunDocument) -> Recipe | None:
    """Return the recipe of a run; None if the run is older than complete records of recipes."""
    try:
        return Recipe.from_json(run.recipe)
    except RequestError:
        return None


def _kept(job: Job, step: int) -> bool:
    return snapshot_path(job.unfinished.folder, step).is_file()


def _curves(documents: list[dict[str, Any]]) -> list[dict[str, Any]]:
    if not documents:
        return []
    curves = [_curve(WHOLE, [(each["step"], each["accuracy"]) for each in documents])]
    return curves + [
        _curve(
            name,
            [
                (each["step"], each["accuracy"]["by_output"][name])
                for each in documents
                if name in each["accuracy"]["by_output"]
            ],
        )
        for name in documents[0]["accuracy"]["by_output"]
    ]


def _curve(name: str, points: list[tuple[int, dict[str, float | None]]]) -> dict[str, Any]:
    held_out = [[step, share["held_out"]] for step, share in points if share["held_out"] is not None]
    return {
        "name": name,
        "seen": [[step, share["seen"]] for step, share in points],
        "held_out": held_out or None,
    }
