"""Addresses and typed edits, checked: what in them can be followed, and what is wrong with the rest."""

from __future__ import annotations

from itertools import chain
from typing import Any

from api.answers import faults_document
from api.asked.address import read_interventions, read_query, write_query
from api.asked.query import Asked, open_model
from api.models import library, runs
from playground.errors import Fault, RequestError, count_of, quote
from playground.inference import Model, as_command, as_python
from playground.interventions import format_all
from playground.limits import MOST_INTERVENTIONS, too_many
from playground.models import at_step, check_step, find_run, snapshots_of, split_step


def runs_data() -> dict[str, Any]:
    """Return the trained models: those that open with their steps, and what is wrong with the others."""
    found = runs.find()
    return {
        "runs": [{"name": name, "run": run, "steps": _steps(name, run)} for name, run in found.sound],
        "damaged": [
            {"name": name, "run": run, "text": str(faults[0])}
            for (name, run), faults in found.damaged.items()
        ],
    }


def _steps(name: str, run: str) -> list[int]:
    """Return the training steps at which a run has snapshots."""
    try:
        return list(snapshots_of(find_run(name, run)))
    except (RequestError, OSError):
        # It has disappeared since it was listed.
        return []


def read_address(query: dict[str, str], *, rivals: bool = False) -> dict[str, Any]:
    """Return the parameters of an address as they can be followed, and what is wrong with the others.

    Args:
        query: the parameters.
        rivals: whether an intervention may be one of another model that can be compared with the open one.

    Raises:
        RequestError: if no model can be opened.
    """
    run, model, faults = _open(query)
    shown = library.open_rivals(model, run)[0] if rivals else [model]
    condition, more = read_query(query | {"name": run[0]}, model, shown)
    followed = {"name": run[0], "model": run[1]} | write_query(condition)
    return {"query": followed} | faults_document([*faults, *more])


def follow_address(query: dict[str, str]) -> Asked:
    """Return what an address is about, as far as it can be followed.

    Raises:
        RequestError: if no model can be opened.
    """
    followed = read_address(query)["query"]
    model = open_model(followed["name"], followed["model"])
    condition, _ = read_query(followed, model, ())
    return Asked((followed["name"], followed["model"]), model, condition)


def _open(query: dict[str, str]) -> tuple[tuple[str, str], Model, list[Fault]]:
    """Return the run that an address names, or the first one that opens, the shipped ones before damaged ones."""
    found = runs.find()
    name, (base, step) = query.get("name", ""), split_step(query.get("model", ""))
    fitting = [run for run in found.sound if name in ("", run[0]) and base in ("", run[1])]
    faults = [] if fitting else list(_not_opened(name, base, found))
    for run in dict.fromkeys([*fitting, *found.sound]):
        try:
            folder = find_run(*run)
            chosen = step if run in fitting else None
            try:
                check_step(folder, chosen)
            except RequestError as error:
                # It may have been retrained meanwhile.
                faults += error.faults
                chosen = None
            return (run[0], at_step(run[1], chosen)), library.open_run(folder, chosen), faults
        except RequestError as error:
            # Some faults show only when the weights are read.
            runs.note(run, error.faults)
            if run in fitting:
                faults += error.faults
    raise RequestError(*(faults or [_no_model()]))


def _not_opened(name: str, base: str, found: runs.Runs) -> tuple[Fault, ...]:
    """Return why a run is not open: all that could be meant are damaged, or no run has that name."""
    meant = [faults for run, faults in found.damaged.items() if name in ("", run[0]) and base in ("", run[1])]
    if meant or not found.sound:
        return tuple(chain.from_iterable(meant))
    return (
        Fault(
            where="name and model in the address",
            message="there is no such model",
            expected=" or ".join("/".join(run) for run in found.sound),
            got=quote(f"{name}/{base}"),
            hint="The first one is open now.",
        ),
    )


def _no_model() -> Fault:
    return Fault(
        message="there is no trained model yet",
        expected="a complete run in models/",
        got="none",
        hint="Train one on page Train, or with: the-experiment train gpt2.",
    )


def read_edits(asked: Asked, text: str, *, rivals: bool = False) -> dict[str, Any]:
    """Return the interventions in a typed text that can be carried out, and what is wrong with the rest.

    Args:
        asked: the model, and the edits that there are already.
        text: interventions joined by ';'.
        rivals: whether they may be those of another model that can be compared with the open one.
    """
    here = asked.condition
    shown = library.open_rivals(asked.model, asked.run)[0] if rivals else [asked.model]
    added, faults = read_interventions(text, shown, here.interventions)
    count = len(here.edits) + len(added)
    if count > MOST_INTERVENTIONS:
        added, faults = (), [*faults, too_many(count, "Remove one first.")]
    return {"added": [str(each) for each in added]} | faults_document(faults)


def code_data(asked: Asked) -> dict[str, Any]:
    """Return the board under the active edits as a Python script and as a command."""
    fit = asked.model.fit(asked.condition.interventions)
    left_out = f"{count_of(len(fit.left_out), 'intervention')} left out: cannot be applied to {asked.run[1]}."
    return {
        "python": as_python(*asked.run, fit.applied),
        "command": as_command(*asked.run, fit.applied),
        "note": left_out if fit.left_out else None,
        "edits": format_all(fit.applied),
    }
