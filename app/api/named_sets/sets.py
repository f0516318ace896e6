"""Changes of the file of named sets. An answer says which names are taken, or holds what the change took away."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from playground.interventions import (
    CONDITIONS,
    NamedCondition,
    delete_condition,
    export_conditions,
    find_conditions,
    import_conditions,
    load_conditions,
    read_conditions,
    rename_condition,
    save_condition,
)


def list_sets() -> dict[str, Any]:
    """Return all named sets in the order of the file, and the file's name and content.

    Raises:
        RequestError: if the file is damaged.
    """
    saved = list(load_conditions().values())
    return {
        "sets": [
            {"name": each.name, "interventions": list(each.interventions), "note": each.note}
            for each in saved
        ],
        "file": export_conditions(saved),
        "file_name": CONDITIONS.name,
    }


def save(new: NamedCondition, *, replace: bool) -> dict[str, Any]:
    """Save a set under its name; if another one has that name and `replace` does not allow it, change nothing.

    Raises:
        RequestError: as `save_condition` does.
    """
    return _put([new], lambda: save_condition(new, replace_old=replace), replace=replace)


def add_file(content: bytes, where: str, *, replace: bool) -> dict[str, Any]:
    """Add all sets of a file's content; if names are taken and `replace` does not allow it, change nothing.

    Args:
        content: of the file.
        where: what it is called in messages.
        replace: whether its sets may replace others of the same names.

    Raises:
        RequestError: as `import_conditions` does.
    """
    found = read_conditions(content, where).values()
    return _put(
        found, lambda: import_conditions(content, where=where, replace_old=replace), replace=replace
    ) | {"count": len(found)}


def _put(new: Iterable[NamedCondition], change: Callable[[], object], *, replace: bool) -> dict[str, Any]:
    known = load_conditions()
    old = [known[each.name] for each in new if each.name in known and known[each.name] != each]
    if old and not replace:
        return {"taken": [each.name for each in old], "before": None}
    change()
    return {"taken": [], "before": export_conditions(old) if old else None}


def rename(name: str, to: str) -> dict[str, Any]:
    """Give a set another name.

    Raises:
        RequestError: as `rename_condition` does.
    """
    rename_condition(name, to)
    return {"taken": [], "before": None}


def delete(name: str) -> dict[str, Any]:
    """Delete a set.

    Raises:
        RequestError: as `delete_condition` does.
    """
    before = export_conditions(find_conditions([name]))
    delete_condition(name)
    return {"taken": [], "before": before}
