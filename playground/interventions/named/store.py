"""The file of named conditions in the working directory: read, changed, never half-written.

A file that cannot be read in full is never overwritten.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from playground.errors import Fault, RequestError, nearest, quote
from playground.files import write_text
from playground.interventions.named.sets import (
    MOST_CONDITIONS,
    NamedCondition,
    export_conditions,
    file_fault,
    normal,
    read_conditions,
    too_many,
)
from playground.limits import CONDITIONS_FILE
from playground.places import behind_links, storage_error

CONDITIONS = CONDITIONS_FILE
"""The file that the program and the app use, in the working directory."""

_PATIENCE = 10.0
"""Seconds to wait for another program that is writing the file."""


def load_conditions(path: Path = CONDITIONS) -> dict[str, NamedCondition]:
    """Return the conditions in a file by name, in its order; none if there is no such file.

    Raises:
        RequestError: if the file is damaged; it stays as it is.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise RequestError(file_fault(str(path), str(error))) from error
    return read_conditions(content, str(path))


def find_conditions(names: Iterable[str], path: Path = CONDITIONS) -> list[NamedCondition]:
    """Return the conditions of these names.

    Raises:
        RequestError: listing every name that the file does not have, or if it is damaged.
    """
    known = load_conditions(path)
    wanted = [normal(name) for name in names]
    faults = [_unknown(name, known, path) for name in wanted if name not in known]
    if faults:
        raise RequestError(*faults)
    return [known[name] for name in wanted]


def save_condition(condition: NamedCondition, path: Path = CONDITIONS, *, replace_old: bool = False) -> None:
    """Add a condition to a file, after the others or in place of the one with its name.

    Args:
        condition: the condition to save.
        path: the file; created if it does not exist.
        replace_old: whether it may replace another condition of that name.

    Raises:
        RequestError: if the name is taken, if there are too many, or if the file is damaged.
    """

    def add(known: dict[str, NamedCondition]) -> dict[str, NamedCondition]:
        if not replace_old:
            _refuse_clashes([condition], known, path)
        return {**known, condition.name: condition}

    _change(path, add)


def rename_condition(old: str, new: str, path: Path = CONDITIONS) -> None:
    """Give a condition another name; it keeps its place.

    Raises:
        RequestError: if no condition has the old name, if the new name is taken or invalid, or if the file
            is damaged.
    """
    old = normal(old)

    def rename(known: dict[str, NamedCondition]) -> dict[str, NamedCondition]:
        if old not in known:
            raise RequestError(_unknown(old, known, path))
        renamed = replace(known[old], name=new)
        others = {name: each for name, each in known.items() if name != old}
        if renamed.name in others:
            raise RequestError(_taken([renamed.name], path))
        return {
            renamed.name if name == old else name: each for name, each in (known | {old: renamed}).items()
        }

    _change(path, rename)


def delete_condition(name: str, path: Path = CONDITIONS) -> None:
    """Remove a condition from a file.

    Raises:
        RequestError: if there is none of that name, or if the file is damaged.
    """
    name = normal(name)

    def delete(known: dict[str, NamedCondition]) -> dict[str, NamedCondition]:
        if name not in known:
            raise RequestError(_unknown(name, known, path))
        return {other: each for other, each in known.items() if other != name}

    _change(path, delete)


def import_conditions(
    content: str | bytes,
    path: Path = CONDITIONS,
    *,
    where: str = "the imported file",
    replace_old: bool = False,
) -> tuple[str, ...]:
    """Add all conditions of another file's content, or none of them; an identical one is no conflict.

    Args:
        content: of the other file.
        path: the file to which they are added.
        where: what the other file is called in messages.
        replace_old: whether they may replace conditions of the same names.

    Returns:
        The names of all conditions in the other file.

    Raises:
        RequestError: if either file is damaged, if there would be too many, or listing every name that is taken.
    """
    found = read_conditions(content, where)

    def add(known: dict[str, NamedCondition]) -> dict[str, NamedCondition]:
        if not replace_old:
            _refuse_clashes(found.values(), known, path)
        return {**known, **found}

    if found:
        _change(path, add)
    return tuple(found)


def _change(path: Path, change: Callable[[dict[str, NamedCondition]], dict[str, NamedCondition]]) -> None:
    """Change the conditions in a file, while other threads and processes wait."""
    try:
        target = behind_links(path)  # So that other links to the file use the same lock.
        with FileLock(target.with_name(f".{target.name}.lock"), timeout=_PATIENCE):
            changed = change(load_conditions(path))
            if len(changed) > MOST_CONDITIONS:
                raise RequestError(too_many(len(changed), str(path)))
            write_text(path, export_conditions(changed.values()))
    except Timeout as error:
        raise RequestError.of(
            where=str(path),
            message="another program is writing this file",
            expected=f"that it is free within {_PATIENCE:g} s",
            got="another one that keeps it",
            hint="Nothing is changed: try again once the other one is done.",
        ) from error
    except OSError as error:
        raise storage_error(error, path, "Nothing is changed.") from error


def _refuse_clashes(new: Iterable[NamedCondition], known: Mapping[str, NamedCondition], path: Path) -> None:
    taken = [each.name for each in new if each.name in known and known[each.name] != each]
    if taken:
        raise RequestError(_taken(taken, path))


def _taken(names: list[str], path: Path) -> Fault:
    return Fault(
        where=str(path),
        message="these conditions exist already",
        expected="names that are not taken",
        got=", ".join(map(quote, names)),
        hint="Choose other names, or allow the old ones to be replaced (--replace).",
    )


def _unknown(name: str, known: Mapping[str, NamedCondition], path: Path) -> Fault:
    return Fault(
        where=str(path),
        message="there is no such condition",
        expected=nearest(name, known) if known else "one that was saved; there is none yet",
        got=quote(name),
        hint="See the-experiment conditions list.",
    )
