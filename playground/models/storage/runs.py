"""Trained models by name: `models/NAME/RUN`."""

from __future__ import annotations

import re
from pathlib import Path

from playground.errors import Fault, RequestError, nearest
from playground.files import PREVIOUS, SHIPPED, folders_to_read, names_in_use, previous
from playground.models.registry import ARCHITECTURES
from playground.seeds import LARGEST_SEED


def at_step(run: str, step: int | None) -> str:
    """Return what a run's model is called as it was after some steps of its training (`gpt2:400`); None: trained."""
    return run if step is None else f"{run}:{step}"


def split_step(model: str) -> tuple[str, int | None]:
    """Return the run, and the step of its training after which it is meant; None: trained.

    What has no such form is taken for a run's name as a whole.
    """
    run, colon, step = model.partition(":")
    return (run, int(step)) if colon and is_step(step) else (model, None)


def is_step(text: str) -> bool:
    """Return whether a text is the number of a step, as `at_step` and snapshots have it."""
    return re.fullmatch(r"0|[1-9][0-9]{0,11}", text) is not None


def architecture_of(run: str) -> str | None:
    """Return the architecture that a run's name begins with, or None if `run_name` never gives that name."""
    architecture, at, seed = split_step(run)[0].partition("@")
    if architecture not in ARCHITECTURES or (at and not _is_seed(seed)):
        return None
    return architecture


def _is_seed(text: str) -> bool:
    return bool(re.fullmatch("[1-9][0-9]{0,18}", text)) and int(text) <= LARGEST_SEED


def is_run_name(name: str) -> bool:
    """Return whether `run_name` gives that name for some architecture and seed."""
    return architecture_of(name) is not None


def find_run(name: str, run: str) -> Path:
    """Return the folder of the complete run `run` of `name`, or of its predecessor if it is not complete.

    After which step it is meant does not matter.

    Raises:
        RequestError: if there is none.
    """
    run, _ = split_step(run)
    tried = [folder / run for folder in folders_to_read("models", name)]
    for folder in tried:
        for candidate in (folder, previous(folder)):
            if _is_complete(candidate):
                return candidate
    own = nearest(name, names_in_use("models"))
    raise RequestError(
        Fault(
            message="there is no such run",
            expected=f"run.json in {' or '.join(str(folder) for folder in tried)}",
            got=f"none there (names in models/: {own.removeprefix('one of ')})",
            hint=f"Train one: the-experiment train {run.replace('@', ' --seed ')} --name {name}.",
        )
    )


def runs_of(name: str) -> list[str]:
    """Return the complete runs that are found under a name, by architecture."""
    found = {
        run.name.removesuffix(PREVIOUS)
        for folder in folders_to_read("models", name)
        for run in folder.glob("*")
        if is_run_name(run.name.removesuffix(PREVIOUS)) and _is_complete(run)
    }
    return sorted(found, key=_order)


def _is_complete(folder: Path) -> bool:
    """Return whether a run is complete; what one may not look into counts as such, so that it is told and not passed over."""
    try:
        return (folder / "run.json").is_file()
    except PermissionError:
        return True


def list_runs() -> list[tuple[str, str]]:
    """Return name and run of every complete run that can be read, those of one's own first.

    What a name of one's own lacks is found under `shipped`, and listed there.
    """
    own = [
        (name, run)
        for name in names_in_use("models")
        if name != SHIPPED
        for run in runs_of(name)
        if find_run(name, run).parent == Path("models") / name
    ]
    return own + [(SHIPPED, run) for run in runs_of(SHIPPED)]


def _order(run: str) -> tuple[int, int]:
    """Return the place of a run among those of one name: by architecture, then by seed."""
    architecture, _, seed = run.partition("@")
    return list(ARCHITECTURES).index(architecture), int(seed or 0)
