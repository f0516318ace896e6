"""Requests for trainings, saved at once so that `--resume` works whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

from playground.begun import (
    JOB,
    REQUEST,
    RUN_FILE,
    STATE,
    TrainingRequest,
    all_requests,
    check_free,
    forget,
    held,
    resume_folder,
)
from playground.cli.interruption import Interrupted
from playground.errors import Fault, RequestError

if TYPE_CHECKING:
    from playground.training import Job, TrainingOverrides

MOST_NAMED = 3
"""How many runs one message names."""


@contextmanager
def claimed(folder: Path, asked: TrainingRequest, *, kept: bool) -> Iterator[Callable[[Sequence[Job]], None]]:
    """Keep a request saved until it is done or turns out to be wrong.

    Args:
        folder: `models/NAME`.
        asked: the request.
        kept: whether to save the request; False if it was saved before.

    Yields:
        A function that takes jobs and, if one of them trains the run, releases the run's lock for it.

    Raises:
        RequestError: if another process trains one of the runs, or if the folder cannot be written.
    """
    check_free(folder, asked)
    run, lock = asked.run(folder), ExitStack()
    made = [each for each in (folder, *folder.parents) if not each.exists()]

    def give(jobs: Sequence[Job]) -> None:
        if run.name in [job.name for job in jobs]:
            lock.close()

    try:
        if kept:
            lock.enter_context(held(run))
            asked.keep(folder)
        yield give
    except RequestError:
        if kept:
            _withdraw(asked, folder, lock, made)
        raise
    except Interrupted:
        if asked in all_requests(folder) and not _has_state(run):
            logger.info("{}: the request is saved; --resume starts it", run)
        raise
    finally:
        lock.close()
    _withdraw(asked, folder, lock, made)


def _withdraw(asked: TrainingRequest, folder: Path, lock: ExitStack, made: Sequence[Path]) -> None:
    """Remove a request that has nothing left to resume, and the folders that were made for it."""
    run = asked.run(folder)
    asked.withdraw(folder)
    lock.close()
    if not _has_state(run):
        forget(run)
        for each in made:
            with suppress(OSError):
                each.rmdir()


def _has_state(run: Path) -> bool:
    return (resume_folder(run) / STATE).exists()


def as_kept(
    jobs: Sequence[Job],
    folder: Path,
    overrides: TrainingOverrides,
    make: Callable[[TrainingRequest, str], Sequence[Job]],
) -> list[Job]:
    """Return jobs that resume what was begun, or begin what was requested.

    Args:
        jobs: the jobs as they would begin now.
        folder: `models/NAME`.
        overrides: the options given now.
        make: returns the requested jobs of an architecture.

    Raises:
        RequestError: if nothing was saved of a job, or if it was begun with other options.
    """
    known, made = all_requests(folder), {}
    found, nothing = [], []
    for job in jobs:
        asked = next((each for each in known if each.covers(job.architecture, job.seeds[0])), None)
        left = _left(job, asked, folder)
        if job.unfinished.exists:
            found.append(_as_begun(job, overrides))
        elif not left:
            found.append(job)
        elif job.unfinished.is_planned:
            found.append(replace(_as_begun(job, overrides), seeds=left, resume=False))
        elif asked is None:
            nothing.append(job)
        else:
            _check_said(job, overrides, asked)
            key = job.architecture, asked.seeds
            if key not in made:
                made[key] = {each.seeds: each for each in make(asked, job.architecture)}
            logger.info("{}: starts as requested", folder / job.name)
            alone = replace(asked, seeds=job.seeds)
            begun = made[key].get(job.seeds) or make(alone, job.architecture)[0]
            found.append(replace(begun, seeds=left, resume=False))
    if nothing:
        raise RequestError(_nothing_fault(nothing, folder, overrides))
    return found


def _left(job: Job, asked: TrainingRequest | None, folder: Path) -> tuple[int, ...]:
    """Return the seeds whose runs are incomplete, or were completed before the saved request was made."""
    request = None
    if job.unfinished.is_planned:
        request = job.unfinished.folder / JOB
    elif asked:
        request = resume_folder(asked.run(folder)) / REQUEST
    runs = {seed: folder / name / RUN_FILE for seed, name in zip(job.seeds, job.names, strict=True)}
    return tuple(
        seed
        for seed, run in runs.items()
        if not run.is_file() or (request and run.stat().st_mtime_ns < request.stat().st_mtime_ns)
    )


def _as_begun(job: Job, overrides: TrainingOverrides) -> Job:
    """Return a job that resumes as it was begun; different options are refused."""
    from playground.training import check_same

    if overrides.said:
        check_same(job.unfinished, job.to_json())
        return job
    if job.unfinished.exists:
        logger.info("{}: resumes after step {:,}", job.folder / job.name, job.unfinished.step)
    else:
        logger.info("{}: starts as requested", job.folder / job.name)
    return replace(job.as_begun(), device=job.device)


def _check_said(job: Job, overrides: TrainingOverrides, asked: TrainingRequest) -> None:
    other = {name: value for name, value in overrides.said.items() if asked.options.get(name) != value}
    if other:
        raise RequestError(
            *(
                Fault(
                    where=str(job.folder / job.name),
                    message="a resumed training keeps its options",
                    expected=f"{name} {asked.options.get(name, '(default)')}",
                    got=str(value),
                    hint="Use the same options, or leave --resume out to start again.",
                )
                for name, value in other.items()
            )
        )


def _nothing_fault(jobs: Sequence[Job], folder: Path, overrides: TrainingOverrides) -> Fault:
    names = [str(folder / name) for job in jobs for name in job.names]
    more = f" and {len(names) - MOST_NAMED:,} more" if len(names) > MOST_NAMED else ""
    first = jobs[0]
    seed = f" --seed {first.seeds[0]}" if first.seeds[0] else ""
    command = f"the-experiment train {first.architecture} --name {folder.name}{seed}{overrides.options()}"
    return Fault(
        message="there is nothing to resume",
        expected="a training that was begun and is not complete, or a complete one",
        got=f"neither for {', '.join(names[:MOST_NAMED])}{more}",
        hint=f"Begin it without --resume: {command}.",
    )
