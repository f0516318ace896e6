"""Reads and saves files of rules for page World."""

from __future__ import annotations

import re
from pathlib import Path

from playground.errors import RequestError
from playground.worlds import decode_rules, list_worlds, path_of_rules, read_rules, save_rules
from state import rules_editor
from state.rules_editor import Draft


def open_file(path: Path) -> None:
    """Open the rules of a file.

    Raises:
        RequestError: if it cannot be read.
    """
    rules_editor.load(read_rules(path), rules_editor.name_for(path))


def take_file(content: bytes, name: str) -> None:
    """Open uploaded rules.

    Args:
        content: of the file.
        name: of the file.

    Raises:
        RequestError: if it contains neither rules nor a Boolean network that is a world.
    """
    rules_editor.load(decode_rules(content, name), Path(name).stem)


def duplicate() -> None:
    """Save the rules under an unused name, and continue with that copy.

    Raises:
        RequestError: if they cannot be saved.
    """
    here = rules_editor.current()
    name = re.sub(r"-\d+$", "", here.file.stem if here.file else here.name or "world")
    taken = {path.stem for path in list_worlds()}
    free = next(copy for number in range(2, len(taken) + 3) if (copy := f"{name}-{number}") not in taken)
    save(free, replaces=False)


def save(name: str, *, replaces: bool) -> Path:
    """Save the rules; return the file.

    Args:
        name: their name from now on.
        replaces: whether other rules under that name may be replaced.

    Raises:
        RequestError: if the rules have faults, or cannot be saved under that name.
    """
    here = rules_editor.current()
    if here.faults:
        raise RequestError.of(
            message="these rules still have errors",
            expected="rules without faults",
            got=f"{len(here.faults)} of them",
            hint="Fix the marked faults, or download the text as it is.",
        )
    path = save_rules(name, here.text, replace=replaces)
    rules_editor.rename(path.stem)
    rules_editor.say(said=f"Saved: {path}")
    return path


def save_or_ask() -> Path | None:
    """Save the rules under their name; if other rules have that name, ask and return None.

    Raises:
        RequestError: if they cannot be saved.
    """
    here = rules_editor.current()
    try:
        return save(here.name, replaces=False)
    except RequestError as error:
        if here.faults or not _is_taken(here):
            raise
        rules_editor.say(*error.faults, can_replace=True)
        return None


def replace() -> None:
    """Save the rules under their name, replacing others.

    Raises:
        RequestError: if they cannot be saved.
    """
    save(rules_editor.current().name, replaces=True)


def save_for_training() -> Path | None:
    """Return the file of the rules; save them if there is none, and show why if that fails."""
    here = rules_editor.current()
    return here.file if here.file and not here.faults else rules_editor.attempt(save_or_ask)


def _is_taken(draft: Draft) -> bool:
    """Return whether a file with other rules has the name of a draft."""
    try:
        path = path_of_rules(draft.name)
    except RequestError:
        return False
    return path.exists() and not rules_editor.is_text_of(path, draft.text)
