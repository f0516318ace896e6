"""The trained models in models/: those that open, and what is wrong with the others."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Condition

from cachetools import LRUCache, cached

from playground.errors import Fault, RequestError
from playground.models import CHECKPOINT_FILES, check_checkpoint, find_run, list_runs, split_step

Run = tuple[str, str]
"""Name and run of a model, as in models/NAME/RUN, perhaps with a training step (`gpt2:400`)."""

ENOUGH = 0.5
"""Seconds to check files before a page is drawn; with many runs, the checks continue as later pages are drawn."""


@dataclass(frozen=True)
class Runs:
    """The runs found in models/.

    Args:
        sound: those that can be opened, as far as is known; the user's own first.
        damaged: those that cannot be opened, and why.
    """

    sound: Sequence[Run]
    damaged: Mapping[Run, tuple[Fault, ...]]


def of_run(run: Run) -> Run:
    """Return the same run, trained."""
    return run[0], split_step(run[1])[0]


def find() -> Runs:
    """Return the complete runs; only files that have changed are checked again."""
    end = time.monotonic() + ENOUGH
    sound, damaged = [], {}
    for run in list_runs():
        faults = faults_of(run, end)
        if faults:
            damaged[run] = faults
        else:
            sound.append(run)
    return Runs(sound, damaged)


def faults_of(run: Run, end: float | None = None) -> tuple[Fault, ...]:
    """Return what is wrong with the files of a run, as far as it is known.

    Args:
        run: a complete run.
        end: time after which no more files are checked; by default there is none.
    """
    known, folder = _known_of(run)
    if known.faults is None and (end is None or time.monotonic() < end):
        try:
            check_checkpoint(folder)
            known.faults = ()
        except (RequestError, OSError) as error:
            known.faults = in_faults(error, folder)
    return known.faults or ()


def note(run: Run, faults: tuple[Fault, ...]) -> None:
    """Record why a run could not be opened: some faults show only when its weights are read."""
    _known_of(run)[0].faults = faults


def in_faults(error: RequestError | OSError, folder: Path) -> tuple[Fault, ...]:
    """Return what is wrong with a run that could not be read."""
    if isinstance(error, RequestError):
        return error.faults
    return (
        Fault(
            where=str(folder),
            message="this run cannot be read",
            expected="files that can be read",
            got=error.strerror or str(error),
            hint="Give yourself permission to read them; if the run is being trained at this moment, reload the page.",
        ),
    )


@dataclass
class _Known:
    """What is known of the files of a run; None if they have not been checked."""

    faults: tuple[Fault, ...] | None = None


def _known_of(run: Run) -> tuple[_Known, Path]:
    """Return what is known of the files of a run, and their folder."""
    name, base = of_run(run)
    try:
        folder = find_run(name, base)
    except RequestError as error:
        # It has disappeared since it was listed.
        return _Known(error.faults), Path("models") / name / base
    return _known(str(folder.resolve()), _stamp(folder)), folder


@cached(LRUCache(4_096), condition=Condition())
def _known(folder: str, stamp: tuple[tuple[int, int], ...]) -> _Known:
    """Return the record of a run's files, to be filled; all tabs share it."""
    return _Known()


def _stamp(folder: Path) -> tuple[tuple[int, int], ...]:
    """Return the time and size of each file of a run; they differ if a file has changed."""
    found = []
    for name in CHECKPOINT_FILES:
        try:
            status = (folder / name).stat()
            found.append((status.st_mtime_ns ^ status.st_ctime_ns, status.st_size))
        except OSError as error:
            found.append((-1, error.errno or 0))
    return tuple(found)
