"""What is asked for of trainings: kept from the first moment on, so that `--resume` can go on whatever happens."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from loguru import logger

from playground.begun import (
    ASKED,
    JOB,
    RUN_FILE,
    STATE,
    TrainingRequest,
    all_asked,
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


class Claim:
    """What is asked for, while this process has the runs to itself.

    Args:
        folder: `models/NAME`.
        asked: for what.
    """

    def __init__(self, folder: Path, asked: TrainingRequest) -> None:
        self._folder = folder
        self.asked = asked
        self._holding = ExitStack()
        self._made = [each for each in (folder, *folder.parents) if not each.exists()]

    def take(self) -> None:
        """Write down what is asked for.

        Raises:
            RequestError: if the folder cannot be written.
        """
        self._holding.enter_context(held(self.asked.run(self._folder)))
        self.asked.keep(self._folder)

    def give(self, jobs: Sequence[Job]) -> None:
        """Leave the run to the job that trains it, if there is one of the same name."""
        if self.asked.run(self._folder).name in [job.name for job in jobs]:
            self._holding.close()

    @property
    def _has_state(self) -> bool:
        return (resume_folder(self.asked.run(self._folder)) / STATE).exists()

    def end(self, *, forgotten: bool) -> None:
        """Let others train here.

        Args:
            forgotten: whether nothing is left to be gone on with.
        """
        if forgotten:
            self.asked.withdraw(self._folder)
        self._holding.close()
        if forgotten and not self._has_state:
            forget(self.asked.run(self._folder))
            for folder in self._made:
                with suppress(OSError):
                    folder.rmdir()

    def say_kept(self) -> None:
        """Say that what is asked for is known, though nothing has been learnt yet."""
        if self.asked in all_asked(self._folder) and not self._has_state:
            logger.info("{}: what was asked for is kept; --resume begins it", self.asked.run(self._folder))


@contextmanager
def claimed(folder: Path, asked: TrainingRequest, *, kept: bool) -> Iterator[Claim]:
    """Keep what is asked for until it is done, or until it turns out to be wrong.

    Args:
        folder: `models/NAME`.
        asked: for what.
        kept: whether it is kept; if not, it has been before.

    Raises:
        RequestError: if another process trains one of the runs, or if the folder cannot be written.
    """
    check_free(folder, asked)
    claim = Claim(folder, asked)
    try:
        if kept:
            claim.take()
        yield claim
    except RequestError:
        claim.end(forgotten=kept)
        raise
    except Interrupted:
        claim.say_kept()
        raise
    finally:
        claim.end(forgotten=False)
    claim.end(forgotten=True)


def as_kept(
    jobs: Sequence[Job],
    folder: Path,
    overrides: TrainingOverrides,
    make: Callable[[TrainingRequest, str], Sequence[Job]],
) -> list[Job]:
    """Return jobs that go on with what was begun, or begin with what was asked for.

    Args:
        jobs: as they would be begun now.
        folder: `models/NAME`.
        overrides: what is said of them now.
        make: returns what was asked for of an architecture.

    Raises:
        RequestError: if of some nothing was kept, or something else than what is said now.
    """
    known, made = all_asked(folder), {}
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
            logger.info("{}: begins as it was asked for", folder / job.name)
            alone = replace(asked, seeds=job.seeds)
            begun = made[key].get(job.seeds) or make(alone, job.architecture)[0]
            found.append(replace(begun, seeds=left, resume=False))
    if nothing:
        raise RequestError(_nothing_fault(nothing, folder, overrides))
    return found


def _left(job: Job, asked: TrainingRequest | None, folder: Path) -> tuple[int, ...]:
    """Return the seeds whose runs are not complete, or were so before what is kept of them was asked for."""
    request = None
    if job.unfinished.is_planned:
        request = job.unfinished.folder / JOB
    elif asked:
        request = resume_folder(asked.run(folder)) / ASKED
    runs = {seed: folder / name / RUN_FILE for seed, name in zip(job.seeds, job.names, strict=True)}
    return tuple(
        seed
        for seed, run in runs.items()
        if not run.is_file() or (request and run.stat().st_mtime_ns < request.stat().st_mtime_ns)
    )


def _as_begun(job: Job, overrides: TrainingOverrides) -> Job:
    """Return a job that goes on as it was begun.

    Raises:
        RequestError: if something else is said of it now.
    """
    from playground.training import check_same

    if overrides.said:
        check_same(job.unfinished, job.to_json())
        return job
    if job.unfinished.exists:
        logger.info("{}: goes on after step {:,}", job.folder / job.name, job.unfinished.step)
    else:
        logger.info("{}: begins as it was asked for", job.folder / job.name)
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
                    hint="Ask for the same, or leave --resume out to begin anew.",
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
