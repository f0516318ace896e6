"""Replacing complete runs and discarding stopped trainings: neither happens unasked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from playground.begun import is_complete
from playground.errors import Fault, RequestError
from playground.files import previous
from playground.training.job import Job
from playground.training.resume import ResumeState, known_runs


@dataclass(frozen=True)
class Replacement:
    """A complete run that a training replaces when it is done.

    Args:
        run: its folder.
        drops: whether that removes the run's own predecessor.
        number: inode of the folder, by which it is recognised.
    """

    run: Path
    drops: bool
    number: int

    @property
    def kept(self) -> Path:
        """Where the run will be kept."""
        return previous(self.run)

    @property
    def is_done(self) -> bool:
        """Whether it has been replaced."""
        return self.kept.exists() and self.kept.stat().st_ino == self.number

    def __str__(self) -> str:
        """Say what happens to the run."""
        drops = ", in place of the one that is kept there now" if self.drops else ""
        return f"{self.run} is a complete run: when the new one is done, the old one is kept as {self.kept}{drops}"


def replaced_by(jobs: Sequence[Job]) -> list[Replacement]:
    """Return the complete runs that jobs replace; resuming a complete run replaces nothing."""
    return [
        Replacement(run, previous(run).exists(), run.stat().st_ino)
        for job in jobs
        if not job.resume or job.unfinished.exists
        for run in (job.folder / name for name in job.names)
        if is_complete(run)
    ]


def check_replaced(found: Sequence[Replacement]) -> None:
    """Check that no complete run is replaced.

    Raises:
        RequestError: naming every run that would be replaced.
    """
    if found:
        raise RequestError(
            *(
                Fault(
                    where=str(each.run),
                    message="this run is complete already",
                    expected="--replace, or another --seed or --name",
                    got="none of them",
                    hint=f"With --replace it is kept as {each.kept}"
                    + (
                        " when the new one is done; what is kept there now is removed." if each.drops else "."
                    ),
                )
                for each in found
            )
        )


def discard(folder: Path, names: Sequence[str]) -> list[tuple[Path, int | None]]:
    """Discard stopped trainings, and requests of trainings that never began.

    Complete runs of the same names stay.

    Args:
        folder: `models/NAME`.
        names: of the trainings, as `Job.name`.

    Returns:
        The runs they would have become, and the step each had reached; None for those that never began.

    Raises:
        RequestError: naming those that do not exist or are being trained; nothing is discarded then.
    """
    stopped = {each.run.name: each for each in known_runs(folder)}
    faults = [
        _fault(folder / name, list(stopped), stopped.get(name))
        for name in names
        if name not in stopped or stopped[name].is_held
    ]
    if faults:
        raise RequestError(*faults)
    discarded = []
    for unfinished in map(stopped.__getitem__, dict.fromkeys(names)):
        step = unfinished.step if unfinished.exists else None
        with unfinished.held():
            unfinished.remove()
        discarded.append((unfinished.run, step))
    return discarded


def _fault(run: Path, stopped: list[str], unfinished: ResumeState | None) -> Fault:
    if unfinished is not None:
        return Fault(
            where=str(run),
            message="this run is being trained right now",
            expected="a training that was stopped",
            got="one that a process is at work on",
            hint="Stop it first.",
        )
    return Fault(
        where=str(run),
        message="there is no stopped training of that name",
        expected=f"one of {', '.join(stopped)}" if stopped else "one that was stopped; here none was",
        got=run.name,
        hint="Complete runs are folders of their own; remove those yourself.",
    )
