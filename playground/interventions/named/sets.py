"""Named conditions: sets of interventions with a name, and the format of a file with which they can be shared.

    {"version": 1, "conditions": {"NAME": {"interventions": ["zero:L1H2", ...], "note": "..."}}}

Interventions are kept as text and checked against a model when they are used, so a file serves all models and
worlds. `store` manages the file in the working directory.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from playground.errors import Fault, RequestError, quote
from playground.interventions.kinds.base.intervention import Intervention
from playground.interventions.syntax import parse_all
from playground.json_text import parse_json

VERSION = 1
LONGEST_NAME, LONGEST_NOTE = 60, 500
MOST_CONDITIONS = 200
LARGEST_FILE = 2_000_000
"""The largest file that is read, in bytes: far more than the maximum number of conditions needs."""
_DAMAGED = "It is left unchanged: repair it or move it away."


@dataclass(frozen=True)
class NamedCondition:
    """A set of interventions with a name.

    Args:
        name: 1 to 60 visible characters; spaces within it only.
        interventions: at least one, each in the text form; stored in the form of `str(intervention)`.
        note: what it is for, in at most 500 characters.

    Raises:
        RequestError: listing everything that is wrong with these.
    """

    name: str
    interventions: tuple[str, ...]
    note: str = ""
    values: tuple[Intervention, ...] = field(init=False, compare=False, repr=False)

    def __post_init__(self) -> None:
        name = normal(self.name)
        faults = [*_name_faults(name), *_note_faults(self.note)]
        values: tuple[Intervention, ...] = ()
        try:
            values = parse_all(";".join(self.interventions))
        except RequestError as error:
            faults += error.faults
        else:
            if not values:
                faults.append(
                    Fault(
                        message="this condition is empty",
                        expected="at least one intervention",
                        got=f"none for {quote(name)}",
                        hint="Add one, such as zero:L1H2.",
                    )
                )
        if faults:
            raise RequestError(*faults)
        for key, value in (("name", name), ("interventions", tuple(map(str, values))), ("values", values)):
            object.__setattr__(self, key, value)

    def to_json(self) -> dict[str, Any]:
        """Return its entry in a file."""
        return {"interventions": list(self.interventions), "note": self.note}


def normal(name: str) -> str:
    """Return a name in the Unicode form in which it is stored, so that names that look the same are equal."""
    return unicodedata.normalize("NFC", name)


def export_conditions(conditions: Iterable[NamedCondition]) -> str:
    """Return the content of a file with these conditions, for `import_conditions`."""
    document = {"version": VERSION, "conditions": {each.name: each.to_json() for each in conditions}}
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def read_conditions(content: str | bytes, where: str) -> dict[str, NamedCondition]:
    """Return the conditions in the content of a file, by name.

    Args:
        content: of the file, UTF-8.
        where: what the file is called in messages.

    Raises:
        RequestError: if it is not such a file, or listing everything that is wrong in it.
    """
    if len(content) > LARGEST_FILE:
        raise RequestError(file_fault(where, f"{len(content):,} bytes"))
    if isinstance(content, str):
        content = content.encode(errors="surrogatepass")  # `parse_json` refuses half a character.
    document = parse_json(content, where, _DAMAGED)
    if (
        not isinstance(document, dict)
        or set(document) != {"version", "conditions"}
        or type(document["version"]) is not int
        or document["version"] != VERSION
    ):
        raise RequestError(file_fault(where, "another JSON document, or one of another version"))
    entries = document["conditions"]
    if not isinstance(entries, dict) or not all(map(_is_entry, entries.values())):
        raise RequestError(file_fault(where, "conditions of another form"))
    conditions: dict[str, NamedCondition] = {}
    faults: list[Fault] = [too_many(len(entries), where)] if len(entries) > MOST_CONDITIONS else []
    for name, entry in entries.items():
        try:
            each = NamedCondition(name, tuple(entry["interventions"]), entry.get("note", ""))
        except RequestError as error:
            faults += [fault.within(quote(name)).within(where) for fault in error.faults]
        else:
            if each.name in conditions:
                faults.append(file_fault(where, f"{quote(each.name)} stands in it twice"))
            conditions[each.name] = each
    if faults:
        raise RequestError(*faults)
    return conditions


def _is_entry(entry: object) -> bool:
    return (
        isinstance(entry, dict)
        and {"interventions"} <= set(entry) <= {"interventions", "note"}
        and isinstance(entry["interventions"], list)
        and all(isinstance(each, str) for each in (*entry["interventions"], entry.get("note", "")))
    )


def _name_faults(name: str) -> list[Fault]:
    if 0 < len(name) <= LONGEST_NAME and name.isprintable() and name == name.strip():
        return []
    return [
        Fault(
            message="invalid name of a condition",
            expected=f"1 to {LONGEST_NAME} visible characters, without spaces at the ends",
            got=quote(name) if name else "nothing",
            hint="Choose another name.",
        )
    ]


def _note_faults(note: str) -> list[Fault]:
    if len(note) <= LONGEST_NOTE and all(line.isprintable() for line in note.split("\n")):
        return []
    return [
        Fault(
            message="invalid note",
            expected=f"at most {LONGEST_NOTE} visible characters",
            got=f"{len(note):,} characters, {quote(note)}",
            hint="Shorten it.",
        )
    ]


def file_fault(where: str, got: str) -> Fault:
    """Return the fault of a file that is damaged or holds no conditions; `got` says how."""
    return Fault(
        where=where,
        message="this file of conditions cannot be read",
        expected='{"version": 1, "conditions": {"NAME": {"interventions": [...], "note": "..."}}}',
        got=got,
        hint=_DAMAGED,
    )


def too_many(count: int, where: str) -> Fault:
    """Return the fault of a file with more conditions than it may have."""
    return Fault(
        where=where,
        message="too many conditions in one file",
        expected=f"at most {MOST_CONDITIONS}",
        got=f"{count:,}",
        hint="Delete some, or begin another file in another folder.",
    )
