"""Trained models by name: `models/NAME/RUN`."""

from __future__ import annotations

import re
from pathlib import Path

from playground.errors import RequestError, nearest
from playground.files import PREVIOUS, SHIPPED, folders_to_read, names_in_use, previous
from playground.models.registry import ARCHITECTURES
from playground.seeds import LARGEST_SEED


def at_step(run: str, step: int | None) -> str:
    """Return the name of a run's snapshot (`gpt2:400`), or of its trained model if step is None."""
    return run if step is None else f"{run}:{step}"


def split_step(model: str) -> tuple[str, int | None]:
    """Return the run that a name refers to, and the step of the snapshot; None for the trained model.

    A text of any other form is taken as the name of a run.
    """
    run, colon, step = model.partition(":")
    return (run, int(step)) if colon and is_step(step) else (model, None)


def is_step(text: str) -> bool:
    """Return whether a text is the number of a step, as in `at_step` and in names of snapshots."""
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

    A step in the name is ignored.

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
    raise RequestError.of(
        message="there is no such run",
        expected=f"run.json in {' or '.join(str(folder) for folder in tried)}",
        got=f"none there (names in models/: {own.removeprefix('one of ')})",
        # The run may have no name at all, or only a seed.
        hint=f"Train one: {' '.join(['the-experiment train', *run.replace('@', ' --seed ').split(), '--name', name])}.",
    )


def runs_of(name: str) -> list[str]:
    """Return the complete runs under a name, in the order of architectures."""
    found = {
        run.name.removesuffix(PREVIOUS)
        for folder in folders_to_read("models", name)
        for run in folder.glob("*")
        if is_run_name(run.name.removesuffix(PREVIOUS)) and _is_complete(run)
    }
    return sorted(found, key=_order)


def _is_complete(folder: Path) -> bool:
    """Return whether a run is complete. An unreadable folder counts as complete, so that it is reported, not skipped."""
    try:
        return (folder / "run.json").is_file()
    except PermissionError:
        return True


def list_runs() -> list[tuple[str, str]]:
    """Return name and run of every complete run, the user's own first.

    Shipped runs that are found under a user's name as well are listed under `shipped` only.
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
    """Return the sort key of a run among those of one name: architecture, then seed."""
    architecture, _, seed = run.partition("@")
    return list(ARCHITECTURES).index(architecture), int(seed or 0)
