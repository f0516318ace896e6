"""Watchers of trainings: progress bars, lines of JSON, files for TensorBoard."""

from __future__ import annotations

import shutil
import sys
from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from loguru import logger
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from typing_extensions import override

from playground.begun import run_name
from playground.files import dump_json
from playground.training import Evaluation, Job, Report

TENSORBOARD = Path("logs") / "tensorboard"
MOST_BARS = 8
"""More trainings than that share one bar."""


class Watcher(ABC):
    """A receiver of reports."""

    @abstractmethod
    def take(self, report: Report) -> None:
        """Receive a report."""

    @abstractmethod
    def close(self) -> None:
        """Finish: there are no more reports."""


class Bars(Watcher):
    """A progress bar for each training on standard error, or one for all if they are many.

    Args:
        jobs: all that will be reported on.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[scores]}"),
            TimeRemainingColumn(),
            console=Console(file=sys.stderr),
        )
        self._tasks: dict[Job, TaskID] = {}
        self._all: TaskID | None = None
        if len(jobs) > MOST_BARS:
            self._all = self._bar.add_task("models", total=len(jobs), scores="")
        else:
            self._tasks = {
                job: self._bar.add_task(job.name, total=None, scores="waits for a core") for job in jobs
            }
        self._latest: dict[Job, dict[int, Evaluation]] = {job: {} for job in jobs}
        self._bar.start()

    @override
    def take(self, report: Report) -> None:
        job, progress = report.job, report.progress
        if progress and progress.evaluation:
            self._latest[job] |= progress.evaluations
            _log_epoch(job, progress.evaluation)
        if self._all is not None:
            if report.done:
                self._bar.advance(self._all)
            return
        task = self._tasks[job]
        if report.failure:
            self._bar.update(task, scores="failed")
        elif report.stopped:
            self._bar.update(task, scores="stopped")
        elif progress is None:
            self._bar.update(task, scores="begins")
        else:
            step = progress.step
            total = step.number if report.done else step.total
            scores = _scores(step.loss, list(self._latest[job].values()))
            self._bar.update(task, completed=step.number, total=total, scores=scores)

    @override
    def close(self) -> None:
        self._bar.stop()


def _scores(loss: float | None, evaluations: Sequence[Evaluation]) -> str:
    """Return loss and accuracies in words; for several models, their means."""
    words = [] if loss is None else [f"loss {loss:.3f}"]
    for group in ("seen", "held_out"):
        shares = [getattr(each.board.accuracy, group) for each in evaluations]
        known = [share for share in shares if share is not None]
        if known:
            words.append(f"{group.replace('_', ' ')} {sum(known) / len(known):.0%}")
    return "  ".join(words)


def _log_epoch(job: Job, evaluation: Evaluation) -> None:
    if evaluation.validation and len(job.seeds) == 1:
        logger.info(
            "{}, epoch {:.2f}: loss {:.4f}; validation (seen states only) loss {:.4f}, {:.1%} right",
            job.name,
            evaluation.epoch,
            evaluation.loss,
            evaluation.validation.loss,
            evaluation.validation.accuracy,
        )


class JsonLines(Watcher):
    """Every report as a line of JSON on standard output."""

    @override
    def take(self, report: Report) -> None:
        run = {"run": f"{report.job.folder.name}/{report.job.name}"}
        if report.failure:
            self._say(run | {"event": "failed", "error": report.failure.error})
        elif report.stopped:
            self._say(run | {"event": "stopped"})
        elif report.progress is None:
            self._say(run | {"event": "complete" if report.done else "begins"})
        else:
            for seed, evaluation in report.progress.evaluations.items():
                which = {"run": f"{report.job.folder.name}/{run_name(report.job.architecture, seed)}"}
                self._say(which | {"event": "evaluation"} | evaluation.to_json())
            step = vars(report.progress.step)
            self._say(run | {"event": "done" if report.done else "step"} | step)

    @override
    def close(self) -> None:
        """Nothing to do: every line is complete."""

    def _say(self, document: dict[str, Any]) -> None:
        print(dump_json(document), flush=True)


class TensorBoard(Watcher):
    """Files for TensorBoard, a folder for each run.

    Args:
        jobs: all that will be reported on.
    """

    def __init__(self, jobs: Sequence[Job]) -> None:
        from tensorboardX import SummaryWriter

        self._writers = {}
        for job in jobs:
            for seed, name in zip(job.seeds, job.names, strict=True):
                folder = TENSORBOARD / job.folder.name / name
                if not job.resume:
                    shutil.rmtree(folder, ignore_errors=True)
                self._writers[job, seed] = SummaryWriter(str(folder), write_to_disk=True)

    @override
    def take(self, report: Report) -> None:
        progress = report.progress
        if progress is None or report.done:
            return
        step = progress.step
        for seed in report.job.seeds:
            writer = self._writers[report.job, seed]
            if seed in progress.losses:
                writer.add_scalar("loss", progress.losses[seed], step.number)
            writer.add_scalar("learning_rate", step.learning_rate, step.number)
        for seed, evaluation in progress.evaluations.items():
            writer, board = self._writers[report.job, seed], evaluation.board
            for name, accuracy in {"whole": board.accuracy, **board.accuracy_by_answer}.items():
                for group in ("seen", "held_out"):
                    value = getattr(accuracy, group)
                    if value is not None:
                        writer.add_scalar(f"accuracy_{group}/{name}", value, evaluation.step)
            writer.flush()

    @override
    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()
