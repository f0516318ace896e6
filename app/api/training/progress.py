"""The trainings that a page can watch: those of this server, unfinished ones, and finished ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from api.answers import faults_document
from api.models.runs import Run, in_faults
from api.training.starting import trainings
from playground.begun import is_complete, resume_folders
from playground.errors import Fault, RequestError, nearest, quote
from playground.files import names_in_use, previous
from playground.models import list_runs
from playground.places import storage_error
from playground.training import Job, ResumeState, Step, TrainingProgress
from playground.training import discard as throw_away


@dataclass(frozen=True)
class Shown:
    """A training that can be shown.

    Args:
        name: NAME/RUN.
        said: its status in words.
        progress: of a training started on this server, else None.
        job: the job that can go on, else None.
        unfinished: its saved state or request, if there is one.
        elsewhere: whether another process is training it.
        faults: why it cannot go on, or why it failed.
    """

    name: str
    said: str
    progress: TrainingProgress | None = None
    job: Job | None = None
    unfinished: ResumeState | None = None
    elsewhere: bool = False
    faults: tuple[Fault, ...] = ()

    @property
    def run(self) -> Run:
        """Its name and run."""
        name, run = self.name.split("/")
        return name, run

    @property
    def is_active(self) -> bool:
        """Whether it waits or runs on this server."""
        return self.progress is not None and not self.progress.ended

    @property
    def is_complete(self) -> bool:
        """Whether its model can be opened."""
        return self.unfinished is None and (self.progress is None or self.progress.status == "done")

    @property
    def can_resume(self) -> bool:
        """Whether it was stopped and can go on."""
        return self.job is not None and self.unfinished is not None and not (self.is_active or self.elsewhere)

    @property
    def can_be_discarded(self) -> bool:
        """Whether it has ended early; what there is of it can be thrown away."""
        return not (self.is_active or self.elsewhere or self.is_complete)


def all_of_them() -> list[Shown]:
    """Return the trainings of this server, latest first, then other unfinished ones, then finished ones."""
    mine = {_name(each.job): each for each in reversed(trainings().progress())}
    shown = [_of_server(name, progress) for name, progress in mine.items()]
    for name in names_in_use("models"):
        for run, _ in resume_folders(Path("models") / name):
            label = f"{name}/{run}"
            if label not in mine and (found := _of_disk(label, ResumeState(Path("models") / label))):
                shown.append(found)
    known = {each.name for each in shown}
    done = [f"{name}/{run}" for name, run in list_runs()]
    return shown + [Shown(label, "trained") for label in done if label not in known]


def find_training(name: str) -> Shown:
    """Return the training of a name.

    Raises:
        RequestError: if there is none.
    """
    found = {each.name: each for each in all_of_them()}
    if name in found:
        return found[name]
    raise RequestError(no_such_training(name, list(found)))


def no_such_training(name: str, known: list[str]) -> Fault:
    """Return the fault of a name that no training has."""
    return Fault(
        where="watch",
        message="there is no such training",
        expected=nearest(name, known),
        got=quote(name),
        hint="It may have been discarded. Choose another one.",
    )


def first_to_watch(shown: list[Shown]) -> str | None:
    """Return the training to show as long as nobody has chosen one: the first that runs, or the latest."""
    active = [each.name for each in shown if each.is_active]
    return active[-1] if active else next((each.name for each in shown), None)


def stop(name: str) -> None:
    """Stop a training of this server, which keeps its progress.

    Raises:
        RequestError: if it does not run here.
    """
    shown = find_training(name)
    if shown.progress is None or shown.progress.ended:
        raise RequestError.of(
            where=name,
            message="this training does not run here",
            expected="one that waits or runs on this server",
            got=shown.said,
            hint="Stop it where it was started.",
        )
    trainings().stop(shown.progress.job)


def resume(name: str) -> None:
    """Let a stopped training go on.

    Raises:
        RequestError: if it cannot go on, or is being trained right now.
    """
    shown = find_training(name)
    if shown.job is None or not shown.can_resume:
        raise RequestError(*(shown.faults or (_no_way_on(shown),)))
    trainings().add([replace(shown.job, resume=True)])


def discard(name: str) -> None:
    """Throw away a training that has ended early, or a request that never began.

    Raises:
        RequestError: if it is being trained right now, or there is nothing to throw away.
    """
    shown = find_training(name)
    folder, run = shown.run
    if shown.unfinished is not None or not shown.can_be_discarded:
        try:
            throw_away(Path("models") / folder, [run])
        except OSError as error:
            raise storage_error(error, _folder(shown)) from error
    if shown.progress is not None:
        trainings().forget(shown.progress.job)


def training_json(shown: Shown) -> dict[str, Any]:
    """Return what pages show of a training in a line, and what can be done with it."""
    progress, step = shown.progress, shown.progress and shown.progress.step
    failure = progress.failure if progress else None
    return {
        "name": shown.name,
        "said": shown.said,
        "active": shown.is_active,
        "stopping": progress is not None and progress.status == "stopping",
        "share": step.number / step.total if step and step.total else 0.0,
        "can_resume": shown.can_resume,
        "can_be_discarded": shown.can_be_discarded,
        "saved": shown.unfinished.step if shown.unfinished else 0,
        "complete": shown.is_complete,
        "predecessor": str(previous(_folder(shown))) if _has_predecessor(shown) else None,
        "failure": failure.error if failure and not failure.faults else None,
        **faults_document(shown.faults),
    }


def _of_server(name: str, progress: TrainingProgress) -> Shown:
    """Return a training that was started on this server."""
    faults = progress.failure.faults if progress.failure else ()
    unfinished = progress.job.unfinished if progress.job.unfinished.exists else None
    return Shown(name, in_words(progress), progress, progress.job, unfinished, faults=faults)


def _of_disk(name: str, unfinished: ResumeState) -> Shown | None:
    """Return a training of another process, at work or ended; None if nothing of it is left."""
    try:
        if not unfinished.is_begun_or_asked:
            return None
        begun, is_held = unfinished.exists, unfinished.is_held
    except OSError as error:
        return Shown(
            name, "cannot be read", unfinished=unfinished, faults=in_faults(error, unfinished.folder)
        )
    if not begun:
        said = "is being begun by another process" if is_held else "was asked for, but has not begun"
        return Shown(name, said, unfinished=unfinished, elsewhere=is_held)
    job, faults = _job_of(unfinished)
    step = f"step {unfinished.step:,}"
    if is_held:
        said = f"is being trained by another process, {step} is saved"
        return Shown(name, said, None, job, unfinished, elsewhere=True)
    said = f"stopped after {step}" if job else "was stopped and cannot go on"
    return Shown(name, said, None, job, unfinished, faults=faults)


def _job_of(unfinished: ResumeState) -> tuple[Job | None, tuple[Fault, ...]]:
    """Return the saved job of a training; what is wrong with its record if that cannot be read."""
    try:
        return Job.from_json(unfinished.job(), unfinished.run.parent), ()
    except RequestError as error:
        return None, error.faults


def _no_way_on(shown: Shown) -> Fault:
    return Fault(
        where=shown.name,
        message="this training cannot go on",
        expected="one that was stopped",
        got=shown.said,
        hint="Start a new one.",
    )


def _folder(shown: Shown) -> Path:
    return Path("models") / shown.name


def _has_predecessor(shown: Shown) -> bool:
    """Return whether a run is complete and the run that it replaced is still kept."""
    run = _folder(shown)
    with suppress(OSError):  # A folder that cannot be read is told of where its model is opened.
        return shown.is_complete and all(map(is_complete, (run, previous(run))))
    return False


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
    if progress.step is None:
        return progress.status
    return f"{progress.status}: {', '.join(_details(progress, progress.step))}"


def _details(progress: TrainingProgress, step: Step) -> Iterator[str]:
    """Yield how far a training is: steps, speed, and how many states are right."""
    yield f"step {step.number:,} of {step.total:,}"
    if progress.status == "runs":
        if step.loss is not None:
            yield f"loss {step.loss:.3f}"
        yield f"learning rate {step.learning_rate:.2g}"
        if progress.speed is not None:
            yield f"{progress.speed:.0f} steps/s"
        if progress.seconds_left is not None:
            yield f"{_time(progress.seconds_left)} to step {step.total:,}"
    if progress.board:
        for group, (right, total) in progress.board.tally.items():
            if total:
                yield f"{group.replace('_', '-')} {right} of {total}"


def _time(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes}:{rest:02}"
