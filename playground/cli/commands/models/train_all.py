"""Running the jobs of `train`, and reporting on them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TYPE_CHECKING

from loguru import logger

from playground.cli.interruption import Interrupted, deferred
from playground.errors import RequestError, WorkError

if TYPE_CHECKING:
    from playground.cli.output.progress import Watcher
    from playground.inference import Board
    from playground.training import Evaluation, Failure, Job, Report


def train_all(jobs: list[Job], *, device: str, json_lines: bool, tensorboard: bool) -> None:
    """Run trainings, several at once in separate processes, and report on them.

    Args:
        jobs: what to do.
        device: "auto", "cpu" or "cuda".
        json_lines: whether reports are printed as lines of JSON instead of bars.
        tensorboard: whether files for TensorBoard are written.

    Raises:
        RequestError: if trainings failed, all because of wrong requests.
        WorkError: if one failed for another reason.
    """
    from playground.cli.output.progress import Bars, JsonLines, TensorBoard
    from playground.models import choose_device
    from playground.training import Report, report_on, run_jobs

    given_up = {job: job.unfinished.step for job in jobs if job.unfinished.exists and not job.resume}
    watchers: list[Watcher] = [JsonLines() if json_lines else Bars(jobs)]
    if tensorboard:
        watchers.append(TensorBoard(jobs))
    try:
        if len(jobs) > 1 and choose_device(device).type != "cuda":
            _watch(run_jobs(jobs), watchers, given_up)
        else:
            with deferred() as is_asked:
                reports = (
                    report for job in jobs for report in chain([Report(job)], report_on(job, is_asked))
                )
                _watch(reports, watchers, given_up)
    except Interrupted:
        for job in jobs:
            if job.unfinished.exists:
                logger.info("{}: what it has learnt is kept; --resume goes on", job.folder / job.name)
        raise


def _watch(reports: Iterator[Report], watchers: Sequence[Watcher], given_up: dict[Job, int]) -> None:
    """Pass reports to watchers until all trainings are done.

    Args:
        reports: of the trainings.
        watchers: they receive every report.
        given_up: for each job that starts over, the step that the unfinished training had reached.
    """
    latest: dict[tuple[Job, int], Evaluation] = {}
    failed: dict[Job, Failure] = {}
    try:
        for report in reports:
            for watcher in watchers:
                watcher.take(report)
            if report.progress:
                if report.job in given_up:
                    # Not before the first report: the request may still turn out to be wrong.
                    run, step = report.job.folder / report.job.name, given_up.pop(report.job)
                    logger.warning("{}: what was begun there before, up to step {:,}, is given up", run, step)
                latest |= {(report.job, seed): each for seed, each in report.progress.evaluations.items()}
            if report.failure:
                failed[report.job] = report.failure
            elif report.stopped:
                break
            elif report.done:
                _conclude(report.job, latest)
    finally:
        for watcher in watchers:
            watcher.close()
    _check_failures(failed)


def _check_failures(failed: dict[Job, Failure]) -> None:
    """Raise an error that says what failed; return only if nothing did."""
    if not failed:
        return
    faults = dict.fromkeys(fault for failure in failed.values() for fault in failure.faults)
    if all(failure.faults for failure in failed.values()):
        raise RequestError(*faults)
    causes = [str(fault) for fault in faults]
    for job, failure in failed.items():
        if not failure.faults:
            causes.append(f"{job.folder / job.name} could not be trained: {failure.error}")
            logger.debug("{}", failure.details)
    raise WorkError(*causes)


def _conclude(job: Job, latest: dict[tuple[Job, int], Evaluation]) -> None:
    """Log what each model of a job can do."""
    from playground.inference import not_learnt

    for seed, name in zip(job.seeds, job.names, strict=True):
        evaluation = latest.get((job, seed))
        if evaluation is None:
            logger.success("{}: is complete, nothing is left to do", job.folder / name)
            continue
        tally = evaluation.board.tally.items()
        right = {group: f"{right} of {total}" for group, (right, total) in tally if total}
        parts = " and ".join(f"{count} {group.replace('_', '-')} states" for group, count in right.items())
        parts += _predictors(evaluation.board)
        logger.success(
            "{}: writes {} correctly, after {:.0f} s", job.folder / name, parts, evaluation.seconds
        )
        if evaluation.board.accuracy.seen < 1:
            logger.warning("{}", not_learnt(evaluation.board))
            logger.warning(
                "{}: its training reached the limit of {:g} epochs, after {:,} steps",
                job.architecture,
                job.recipe.cap or job.recipe.epochs,
                evaluation.step,
            )


def _predictors(board: Board) -> str:
    """Return how many held-out states the best simple predictor gets right, in parentheses; "" if none is held out."""
    best = board.guesses.best
    if best is None:
        return ""
    right, total = best.tally
    return f" (simple predictors: {right} of {total}{f', {best.name}' if right else ''})"
