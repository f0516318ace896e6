"""From the form of a training to its start: jobs, what is wrong with them, and what they would replace."""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

from api.training.form import TrainingForm
from playground.datasets import DatasetSpec, explain_undetermined, generate, load_dataset
from playground.errors import Fault, RequestError
from playground.files import folder_to_write
from playground.places import storage_error
from playground.training import Job, TrainingManager, TrainingOverrides, plan_training, replaced_by
from playground.worlds import state_text

MOST_WARNINGS = 2
"""How many undetermined answers are explained; further ones are only named."""
_starting = Lock()


@cache
def trainings() -> TrainingManager:
    """Return the trainings of this server, which all tabs share."""
    return TrainingManager()


def warnings(spec: DatasetSpec) -> list[str]:
    """Return warnings about a hold-out before a training starts: answers that the seen states do not determine."""
    found = explain_undetermined(spec.world, spec.held_out)
    said = [f"{each} {why}" for each, why in found[:MOST_WARNINGS]]
    if len(found) > MOST_WARNINGS:
        rest = ", ".join(each.answer for each, _ in found[MOST_WARNINGS:])
        said.append(f"Nor do the seen states determine {rest}.")
    return said


def plan(form: TrainingForm) -> list[Job]:
    """Return the jobs that a form asks for; nothing is written.

    Raises:
        RequestError: with everything that is wrong with the choices.
    """
    faults = list(form.faults)
    jobs: list[Job] = []
    folder, data = Path("models") / form.name, Path("data") / form.name
    overrides = TrainingOverrides(**form.numbers, until_learned=form.until_learned or None)
    try:
        jobs = plan_training(
            form.models, (form.seed,), overrides, form.spec.template, dataset=data, folder=folder
        )
    except RequestError as error:
        faults += error.faults
    try:
        folder_to_write("models", form.name, replace_shipped=False)
        _check_writable(folder, data)
        if form.held_out_known:
            _check_data(data, form.spec)
    except RequestError as error:
        faults += error.faults
    if faults:
        raise RequestError(*faults)
    return jobs


def start(form: TrainingForm, *, replace: bool) -> dict[str, Any]:
    """Start the trainings that a form asks for; the dataset is generated if it does not exist yet.

    Args:
        form: the choices.
        replace: whether complete runs may be replaced; otherwise nothing starts if there are any.

    Returns:
        The names of the trainings that were started, or what would be replaced.

    Raises:
        RequestError: with everything that is wrong with the choices, or if one of the trainings runs already.
    """
    with _starting:
        jobs = plan(form)
        replaced = [f"{each}." for each in replaced_by(jobs)]
        if replaced and not replace:
            return {"started": [], "replaces": replaced}
        data = jobs[0].dataset
        try:
            if not data.exists():
                generate(form.spec, data)
        except OSError as error:
            raise storage_error(error, data) from error
        trainings().add(jobs)
    return {"started": [f"{job.folder.name}/{job.name}" for job in jobs], "replaces": replaced}


def check(form: TrainingForm) -> tuple[list[str], tuple[Fault, ...]]:
    """Return the runs that a form's trainings would replace, and everything that is wrong with its choices."""
    try:
        return [f"{each}." for each in replaced_by(plan(form))], ()
    except RequestError as error:
        return [], error.faults


def _check_writable(*folders: Path) -> None:
    """Check that folders can be created or written to.

    Raises:
        RequestError: with the folders for which that is not allowed.
    """
    there = [
        next(each for each in (folder.absolute(), *folder.absolute().parents) if each.exists())
        for folder in folders
    ]
    closed = [each for each in dict.fromkeys(there) if not _may_write(each)]
    if closed:
        raise RequestError(
            *(
                Fault(
                    where=str(folder),
                    message="this folder is read-only",
                    expected="permission to write there: data and models are kept in the folder in which the app was started",
                    got="none",
                    hint="Start the app in a folder of your own, or allow writing there: chmod u+w.",
                )
                for folder in closed
            )
        )


def _may_write(folder: Path) -> bool:
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def _check_data(folder: Path, spec: DatasetSpec) -> None:
    """Check that a folder is free or holds the dataset of this world and hold-out.

    Raises:
        RequestError: if it holds another dataset.
    """
    if not folder.exists():
        return
    there = load_dataset(folder).spec
    if there.world == spec.world and set(there.held_out) == set(spec.held_out):
        return
    raise RequestError.of(
        where=str(folder),
        message="models of one name must share their world and hold-out",
        expected=f"another name, or the hold-out of the existing data: {len(there.held_out)} of {len(there.world.states)} states held out"
        + ("" if there.world == spec.world else ", of another world"),
        got=f"{len(spec.held_out)} held out"
        + (f" ({', '.join(map(state_text, spec.held_out[:3]))} …)" if spec.held_out else ""),
        hint="Choose another name.",
    )
