"""What is known about a training without importing PyTorch: its folder, its process, and what was requested.

models/NAME/.RUN.unfinished/lock                           locked by the process that trains RUN
models/NAME/.RUN.unfinished/holder.json                    that process, and since when it has been training
models/NAME/.RUN.unfinished/request.json                   the request, written before any slow work

RUN may also name several runs, see `job_name`, or the runs of all architectures (`all`).
"""

from __future__ import annotations

import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from playground.errors import Fault, RequestError
from playground.files import read_json, write_json
from playground.places import fault_of, is_refusal, status_of

ALL = "all"
"""Stands for every architecture in a request."""
RUN_FILE = "run.json"
"""Written last: a run is complete once this file exists."""
STATE, JOB, REQUEST = "state.safetensors", "job.json", "request.json"
_SUFFIX, _LOCK, _HOLDER = ".unfinished", "lock", "holder.json"


def run_name(architecture: str, seed: int) -> str:
    """Return RUN in `models/NAME/RUN`: the architecture, and the seed if it is not 0 (`gpt2`, `gpt2@5`)."""
    return architecture if seed == 0 else f"{architecture}@{seed}"


def job_name(architecture: str, seeds: Sequence[int]) -> str:
    """Return the name of one run or several: the first and last seed, and a digest if the seeds have gaps."""
    name = run_name(architecture, seeds[0])
    if len(seeds) == 1:
        return name
    name = f"{name}-{seeds[-1]}"
    in_a_row = tuple(seeds) == tuple(range(seeds[0], seeds[-1] + 1))
    return name if in_a_row else f"{name}-{zlib.crc32(repr(tuple(seeds)).encode()):08x}"


def is_complete(run: Path) -> bool:
    """Return whether a run is complete."""
    return (run / RUN_FILE).is_file()


def resume_folder(run: Path) -> Path:
    """Return the folder from which the training of a run can be resumed."""
    return run.with_name(f".{run.name}{_SUFFIX}")


def resume_folders(folder: Path) -> list[tuple[str, Path]]:
    """Return the names of the unfinished trainings in `models/NAME`, with the folder of each."""
    return [(path.name[1 : -len(_SUFFIX)], path) for path in sorted(folder.glob(f".*{_SUFFIX}"))]


@contextmanager
def held(run: Path) -> Iterator[None]:
    """Lock the training of a run, and record beside the lock which process holds it.

    Raises:
        RequestError: if another process trains this run, or if its folder cannot be written.
    """
    folder = resume_folder(run)
    lock = FileLock(folder / _LOCK)
    try:
        status_of(run)  # Fail now rather than at the end.
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
        holder = {"process": os.getpid(), "since": datetime.now().astimezone().isoformat(timespec="seconds")}
        write_json(folder / _HOLDER, holder)
    except Timeout as error:
        raise RequestError(_held_fault(run)) from error
    except OSError as error:
        lock.release()
        if not is_refusal(error):
            raise
        raise RequestError(fault_of(error)) from error
    try:
        yield
    finally:
        (folder / _HOLDER).unlink(missing_ok=True)
        # While the lock still keeps other processes out.
        if not any((folder / name).exists() for name in (STATE, REQUEST)):
            forget(run)
        lock.release()


def is_held(run: Path) -> bool:
    """Return whether a process is training a run; creates nothing."""
    path = resume_folder(run) / _LOCK
    if not path.exists():
        return False
    try:
        with FileLock(path, timeout=0):
            return False
    except Timeout:
        return True
    except OSError:
        return False


def forget(run: Path) -> None:
    """Remove an unfinished training. The state goes first: without it the rest is ignored."""
    folder = resume_folder(run)
    for name in (STATE, REQUEST):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _held_fault(run: Path) -> Fault:
    """Return the fault that names the process training a run, and since when."""
    who = "another process"
    with suppress(RequestError, KeyError, ValueError):
        holder = read_json(resume_folder(run) / _HOLDER)
        since = datetime.fromisoformat(holder["since"])
        who = f"process {int(holder['process'])}, which has been training it since {since:%Y-%m-%d %H:%M:%S}"
        if not (resume_folder(run) / REQUEST).exists():  # Otherwise job.json is from an earlier training.
            who += f" ({read_json(resume_folder(run) / JOB)['command']})"
    return Fault(
        where=str(run),
        message="this run is being trained right now",
        expected="a run that no process trains",
        got=who,
        hint="Wait until it is done or stop it, or train with another --seed or --name.",
    )


@dataclass(frozen=True)
class TrainingRequest:
    """A request for one or more trainings.

    Args:
        architecture: the architecture of the models, or `all`.
        seeds: one for each model.
        options: the other settings, by their names in `TrainingOverrides`.
    """

    architecture: str
    seeds: tuple[int, ...]
    options: Mapping[str, Any]

    def run(self, folder: Path) -> Path:
        """Return the folder of the run in `models/NAME`, or the one folder for several runs."""
        return folder / job_name(self.architecture, self.seeds)

    def keep(self, folder: Path) -> None:
        """Save the request."""
        path = resume_folder(self.run(folder))
        path.mkdir(parents=True, exist_ok=True)
        write_json(
            path / REQUEST,
            {"architecture": self.architecture, "seeds": list(self.seeds), "options": dict(self.options)},
        )

    def withdraw(self, folder: Path) -> None:
        """Remove the saved request."""
        (resume_folder(self.run(folder)) / REQUEST).unlink(missing_ok=True)

    def covers(self, architecture: str, seed: int) -> bool:
        """Return whether the request includes a run."""
        return self.architecture in (ALL, architecture) and seed in self.seeds

    def meets(self, other: TrainingRequest) -> bool:
        """Return whether two requests have a run in common."""
        alike = self.architecture == other.architecture or ALL in (self.architecture, other.architecture)
        return alike and not set(self.seeds).isdisjoint(other.seeds)


def all_requests(folder: Path) -> list[TrainingRequest]:
    """Return the requests in `models/NAME` whose trainings have not begun, those with the fewest runs first."""
    found = [_read(path / REQUEST) for _, path in resume_folders(folder)]
    known = [asked for asked in found if asked]
    return sorted(known, key=lambda asked: (asked.architecture == ALL, len(asked.seeds)))


def check_free(folder: Path, asked: TrainingRequest) -> None:
    """Check that no process is training any of the requested runs.

    Raises:
        RequestError: naming each run that is being trained, and the process.
    """
    faults = []
    for name, path in resume_folders(folder):
        known = _read(path / REQUEST) or _read(path / JOB)
        # A process that has only just begun has not written its request yet.
        if (known.meets(asked) if known else folder / name == asked.run(folder)) and is_held(folder / name):
            faults.append(_held_fault(folder / name))
    if faults:
        raise RequestError(*faults)


def _read(path: Path) -> TrainingRequest | None:
    with suppress(RequestError, KeyError, TypeError, ValueError):
        document = read_json(path)
        seeds = tuple(int(seed) for seed in document["seeds"])
        return TrainingRequest(str(document["architecture"]), seeds, dict(document.get("options", {})))
    return None
