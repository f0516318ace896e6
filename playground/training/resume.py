"""An unfinished training: its job, its state, its snapshots.

models/NAME/.RUN.unfinished/job.json                       its recipe and sizes
models/NAME/.RUN.unfinished/state.safetensors              all that determines the next steps
models/NAME/.RUN.unfinished/snapshots/200.safetensors   the model after 200 steps

The state is one file that is replaced atomically, so it is complete whenever the process ends.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, suppress
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from playground.begun import JOB, REQUEST, STATE, forget, held, is_held, resume_folder, resume_folders
from playground.errors import RequestError
from playground.files import dump_json, read_json, write_bytes, write_json
from playground.models import SNAPSHOTS, snapshot_name
from playground.schema import read_document
from playground.training.documents import BEGIN_ANEW, JobDocument, StateDocument


class ResumeState:
    """The folder of an unfinished training.

    Args:
        folder: of the run it will become.
    """

    def __init__(self, folder: Path) -> None:
        self.run = folder
        self.folder = resume_folder(folder)

    @property
    def exists(self) -> bool:
        """Whether there is a state to resume from."""
        return (self.folder / STATE).is_file()

    def held(self) -> AbstractContextManager[None]:
        """Lock the training.

        Raises:
            RequestError: if another process trains this run, or if its folder cannot be written.
        """
        return held(self.run)

    @property
    def is_planned(self) -> bool:
        """Whether its job is saved, though there may be no state yet."""
        return (self.folder / JOB).is_file() and not self.is_asked

    @property
    def is_asked(self) -> bool:
        """Whether it was requested but has not begun."""
        return (self.folder / REQUEST).is_file()

    @property
    def is_begun_or_asked(self) -> bool:
        """Whether it can be resumed, or begun as it was requested."""
        return self.exists or self.is_asked or self.is_planned

    @property
    def is_held(self) -> bool:
        """Whether a process is training this run."""
        return is_held(self.run)

    def begin(self, job: dict[str, Any]) -> None:
        """Remove the files of an earlier training, and save the job."""
        # If the process is killed in between, only the last request is still known.
        for name in (STATE, JOB):
            (self.folder / name).unlink(missing_ok=True)
        shutil.rmtree(self.folder / SNAPSHOTS, ignore_errors=True)
        self.clear()
        write_json(self.folder / JOB, job)
        (self.folder / REQUEST).unlink(missing_ok=True)

    def clear(self) -> None:
        """Remove partly written files of a killed process."""
        for path in (*self.folder.glob(".*.safetensors.*"), *self.folder.glob(f"{SNAPSHOTS}/.*")):
            path.unlink(missing_ok=True)

    def job(self) -> dict[str, Any]:
        """Return the saved job, checked.

        Raises:
            RequestError: if that cannot be read.
        """
        document = read_json(self.folder / JOB)
        read_document(JobDocument, document, str(self.folder / JOB), BEGIN_ANEW)
        return document

    def save(self, tensors: Mapping[str, Tensor], document: dict[str, Any]) -> None:
        """Save the state, replacing the last one."""
        content = save(
            {name: tensor.cpu().contiguous() for name, tensor in tensors.items()},
            {"document": dump_json(document)},
        )
        write_bytes(self.folder / STATE, content)

    @property
    def step(self) -> int:
        """The step of the saved state; 0 if it cannot be read."""
        with suppress(OSError, SafetensorError, ValueError), safe_open(self.folder / STATE, "pt") as file:
            return int(file.get_tensor("number"))
        return 0

    def evaluations(self) -> list[dict[str, Any]]:
        """Return the evaluations of the first model, as in `run.json`.

        Raises:
            RequestError: if the state cannot be read.
        """
        with self._opened() as file:
            return _document_of(file)["records"][0]["evaluations"]

    def load(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Return the saved state.

        Raises:
            RequestError: if that cannot be read.
        """
        with self._opened() as file:
            document = _document_of(file)
            return {name: file.get_tensor(name) for name in file.keys()}, document  # noqa: SIM118  No mapping.

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        path = self.folder / STATE
        try:
            with safe_open(path, "pt") as file:
                yield file
        except (OSError, SafetensorError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise RequestError.of(
                where=str(self.run),
                message="the saved state of this training is damaged",
                expected=f"a whole file {path.name}",
                got=f"{path} ({error})",
                hint=BEGIN_ANEW,
            ) from error

    def snapshot(self, step: int, tensors: Mapping[str, Tensor]) -> None:
        """Save the model after that many steps."""
        folder = self.folder / SNAPSHOTS
        folder.mkdir(exist_ok=True)
        write_bytes(folder / snapshot_name(step), save({name: each.cpu() for name, each in tensors.items()}))

    def give_snapshots(self, building: Path) -> None:
        """Link the snapshots into the folder of a run that is being built."""
        if (self.folder / SNAPSHOTS).is_dir():
            shutil.copytree(self.folder / SNAPSHOTS, building / SNAPSHOTS, copy_function=_link)

    def remove(self) -> None:
        """Remove all of it, see `forget`."""
        forget(self.run)


def _document_of(file: Any) -> dict[str, Any]:
    """Return the JSON part of a state, checked."""
    document = json.loads(file.metadata()["document"])
    read_document(StateDocument, document, STATE, BEGIN_ANEW)
    return document


def _link(source: str, target: str) -> None:
    """Link a file, or copy it if linking fails."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copyfile(source, target)


def known_runs(folder: Path) -> list[ResumeState]:
    """Return the trainings in `models/NAME` that can be resumed, or begun as they were requested."""
    found = [ResumeState(folder / name) for name, _ in resume_folders(folder)]
    return [each for each in found if each.is_begun_or_asked]


def unfinished_runs(folder: Path) -> list[ResumeState]:
    """Return the trainings in `models/NAME` that can be resumed."""
    return [each for each in known_runs(folder) if each.exists]
