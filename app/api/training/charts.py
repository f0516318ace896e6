"""The charts of a training, and what its model writes in every state: loss, learning rate, accuracy of each output, by step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from api import state_table
from api.training.progress import Shown
from playground.errors import RequestError
from playground.models import RunDocument, find_run, read_run, snapshot_path, snapshots_of
from playground.training import Job, Recipe

WHOLE = "whole answer"


@dataclass(frozen=True)
class _Course:
    """What is known of the course of a training.

    Args:
        evaluations: as in `run.json`.
        losses: step, loss and learning rate.
        step: the last.
        total: how many steps are planned.
        snapshots: the steps at which snapshots are kept.
    """

    evaluations: Sequence[dict[str, Any]]
    losses: Sequence[tuple[int, float, float | None]]
    step: int
    total: int
    snapshots: Sequence[int]


def chart_data(shown: Shown) -> dict[str, Any]:
    """Return the charts of a training, as far as its record can be read.

    Raises:
        RequestError: if its record is damaged.
    """
    known = _course_of(shown)
    return {
        "title": shown.name,
        "step": known.step,
        "total": known.total,
        # The curves of a training that has ended end where it ended, whatever was planned.
        "last": known.total if shown.is_active or shown.elsewhere else known.step,
        "loss": [[number, loss] for number, loss, _ in known.losses],
        "rate": [[number, rate] for number, _, rate in known.losses if rate is not None],
        "outputs": _curves(known.evaluations),
        "marks": list(known.snapshots),
    }


def board_data(shown: Shown) -> dict[str, Any] | None:
    """Return what the model of a training of this server wrote in every state at its last evaluation; None if none was made."""
    board = shown.progress.board if shown.progress else None
    if board is None:
        return None
    return state_table.state_data(
        board.dataset.world,
        board.dataset.held_out,
        board=board,
        editable=False,
        caption=f"What {shown.name} wrote at its last evaluation",
    )


def _course_of(shown: Shown) -> _Course:
    progress, job = shown.progress, shown.job
    if progress is not None:
        step, total = (progress.step.number, progress.step.total) if progress.step else (0, 0)
        if progress.step is None and shown.unfinished:
            # It goes on, but has not reported yet.
            step, total = _steps_on_disk(progress.job, progress.evaluations)
        losses = progress.losses or _losses_at(progress.evaluations, progress.job.recipe)
        return _Course(progress.evaluations, losses, step, total, _kept(progress.job, progress.evaluations))
    if job is not None:
        evaluations = job.unfinished.evaluations()
        losses = _losses_at(evaluations, job.recipe)
        return _Course(evaluations, losses, *_steps_on_disk(job, evaluations), _kept(job, evaluations))
    if shown.unfinished is not None:
        return _Course([], [], 0, 0, [])
    return _course_of_run(shown)


def _course_of_run(shown: Shown) -> _Course:
    """Return the course of a complete run, as its record says."""
    folder = find_run(*shown.run)
    known = read_run(folder)
    steps, evaluations = known.steps or 0, [each.model_dump() for each in known.evaluations]
    return _Course(evaluations, _losses_at(evaluations, _recipe(known)), steps, steps, snapshots_of(folder))


def _losses_at(
    evaluations: Sequence[dict[str, Any]], recipe: Recipe | None
) -> list[tuple[int, float, float | None]]:
    """Return loss and learning rate at each evaluation, for a training of which no other losses are known."""
    return [
        (each["step"], each["loss"], recipe and recipe.learning_rate_at(each["epoch"] / recipe.epochs))
        for each in evaluations
        if each["loss"] is not None
    ]


def _steps_on_disk(job: Job, evaluations: Sequence[dict[str, Any]]) -> tuple[int, int]:
    """Return the step of a saved training, and how many were planned: at least as many."""
    step, last = job.unfinished.step, evaluations[-1] if evaluations else {"epoch": 0}
    planned = last["step"] / last["epoch"] * job.recipe.epochs if last["epoch"] else 0
    return step, max(step, round(planned) if math.isfinite(planned) else 0)


def _recipe(run: RunDocument) -> Recipe | None:
    """Return the recipe of a run; None if the run is older than complete records of recipes."""
    try:
        return Recipe.from_json(run.recipe)
    except RequestError:
        return None


def _kept(job: Job, evaluations: Sequence[dict[str, Any]]) -> list[int]:
    """Return the evaluated steps of which a snapshot is kept."""
    folder = job.unfinished.folder
    return [each["step"] for each in evaluations if snapshot_path(folder, each["step"]).is_file()]


def _curves(documents: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
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
