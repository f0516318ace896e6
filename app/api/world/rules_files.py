"""Files of rules: which there are, opening and saving them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from api.world.world_data import faults_of
from playground.errors import Fault, RequestError, quote
from playground.files import default_rules
from playground.worlds import (
    decode_rules,
    describe_rules,
    list_worlds,
    path_of_rules,
    read_rules,
    save_rules,
)

_LONGEST_LINE = 70


def files_data(text: str) -> dict[str, Any]:
    """Return the files of rules that can be opened, and the names of those that contain `text`."""
    files, same = [], []
    for path in list_worlds():
        try:
            content = read_rules(path)
        except RequestError:
            said = "cannot be read"
        else:
            said = describe_rules(content)
            if content == text:
                same.append(path.stem)
        files.append({"name": path.stem, "said": _shorten(said), "saved_as": name_for(path)})
    return {"files": files, "same": same}


def _shorten(said: str) -> str:
    return said if len(said) <= _LONGEST_LINE else f"{said[: _LONGEST_LINE - 1]}…"


def name_for(path: Path) -> str:
    """Return the name under which rules from a file are saved; never the name of the default world."""
    return "" if path == default_rules() else path.stem


def open_file(name: str) -> dict[str, str]:
    """Return the text of a listed file, and the name under which it will be saved.

    Raises:
        RequestError: if there is no such file, or if it cannot be read.
    """
    path = next((path for path in list_worlds() if path.stem == name), None)
    if path is None:
        raise RequestError.of(
            message="there is no such world",
            expected=f"one of {', '.join(path.stem for path in list_worlds())}",
            got=quote(name),
            hint="It may have been removed meanwhile.",
        )
    return {"text": read_rules(path), "name": name_for(path)}


def read_upload(content: bytes, name: str) -> dict[str, str]:
    """Return the rules in an uploaded file, and the name under which they will be saved.

    Args:
        content: of the file.
        name: of the file.

    Raises:
        RequestError: if it contains neither rules nor a Boolean network that is a world.
    """
    return {"text": decode_rules(content, name), "name": Path(name).stem}


def duplicate(name: str, text: str) -> Path:
    """Save rules under an unused name; return the file.

    Args:
        name: of the rules that are copied; may be empty.
        text: the rules.

    Raises:
        RequestError: if they have faults, or cannot be saved.
    """
    base = re.sub(r"-\d+$", "", name or "world")
    taken = {path.stem for path in list_worlds()}
    free = next(copy for number in range(2, len(taken) + 3) if (copy := f"{base}-{number}") not in taken)
    return save(free, text, replace=False)


def save(name: str, text: str, *, replace: bool) -> Path:
    """Save rules; return the file.

    Args:
        name: the name to save them under.
        text: the rules.
        replace: whether other rules under that name may be replaced.

    Raises:
        RequestError: if the rules have faults, or cannot be saved under that name.
    """
    faults = faults_of(text)
    if faults:
        raise RequestError(_unfinished(faults))
    return save_rules(name, text, replace=replace)


def is_taken(name: str, text: str) -> bool:
    """Return whether rules could be saved under a name if they may replace the other rules that it has."""
    if faults_of(text):
        return False
    try:
        path = path_of_rules(name)
        return path.exists() and read_rules(path) != text
    except RequestError:
        return False


def _unfinished(faults: tuple[Fault, ...]) -> Fault:
    return Fault(
        message="these rules still have errors",
        expected="rules without faults",
        got=f"{len(faults)} of them",
        hint="Fix the marked faults, or download the text as it is.",
    )
