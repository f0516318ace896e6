"""Named edits: saved in a file in the working directory, loaded, compared side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from time import monotonic
from typing import Any

from api import library, predictors
from api.condition import Condition
from api.views import tag
from playground.errors import Fault, RequestError, count_of, quote
from playground.inference import Compared, Model
from playground.interventions import (
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
from state import session, url
from state.widgets import TabValue

UNEDITED, CURRENT = "unedited", "the edits"
ENOUGH = 0.25
"""Seconds of computing before the page is drawn; later results follow."""


@dataclass(frozen=True)
class Notice:
    """The result of the last action on the file.

    Args:
        said: the result in words.
        faults: what was wrong.
        offer: the label of a button for what can be done now.
        act: does it.
    """

    said: str = ""
    faults: tuple[Fault, ...] = ()
    offer: str = ""
    act: Callable[[], object] | None = None


NOTICE: TabValue[Notice | None] = TabValue("notice", None)
"""The result of this tab's last action on the file."""


def notice() -> Notice | None:
    """Return the result of the last action; None if there is nothing to show."""
    return NOTICE.get()


def accept_offer() -> None:
    """Do what the notice offers."""
    said = notice()
    if said and said.act:
        said.act()


def forget_notice() -> None:
    """Remove the notice about the last action."""
    NOTICE.set(None)


def save(name: str, note: str) -> bool:
    """Save the active edits under a name; ask first if the name is taken. Return whether they were saved."""
    try:
        condition = NamedCondition(
            name.strip(), tuple(map(str, session.current().interventions)), note.strip()
        )
        old = load_conditions().get(condition.name)
    except RequestError as error:
        _report(Notice(faults=error.faults))
        return False
    if old is None or old == condition:
        return _keep(condition, f"Saved {quote(condition.name)}.")
    _report(
        Notice(
            said=f"A condition named {quote(condition.name)} already exists.",
            offer="Replace it",
            act=lambda: _keep(condition, f"Replaced {quote(condition.name)}.", old),
        )
    )
    return False


def _keep(condition: NamedCondition, said: str, old: NamedCondition | None = None) -> bool:
    def put_back() -> None:
        if old is not None:
            _keep(old, f"{quote(old.name)} is as before.")

    return _do(
        lambda: save_condition(condition, replace_old=True),
        Notice(said) if old is None else Notice(said, offer="Undo", act=put_back),
    )


def on_act(payload: Mapping[str, str]) -> None:
    """Handle a click in the table: load, add, rename or delete a condition."""
    name = payload["name"]
    try:
        condition = find_conditions([name])[0]
    except RequestError as error:
        _report(Notice(faults=error.faults))
        return
    match payload["what"]:
        case "load":
            forget_notice()
            session.set_condition(replace(session.current(), edits=condition.values, off=frozenset()))
        case "add":
            forget_notice()
            session.add(";".join(condition.interventions), [session.model()])
        case "rename":
            new = payload["to"].strip()
            _do(lambda: rename_condition(name, new), Notice(f"Renamed {quote(name)} to {quote(new)}."))
        case "delete":
            back = Notice(
                f"Deleted {quote(name)}.",
                offer="Undo",
                act=lambda: _keep(condition, f"Restored {quote(name)}."),
            )
            _do(lambda: delete_condition(name), back)


def take_file(content: bytes, where: str) -> None:
    """Add the conditions of a file; ask first if they would replace others."""
    try:
        found, known = read_conditions(content, where), load_conditions()
    except RequestError as error:
        _report(Notice(faults=error.faults))
        return
    taken = [name for name, each in found.items() if name in known and known[name] != each]

    def add() -> None:
        said = Notice(f"Added {count_of(len(found), 'condition')} from {where}.")
        _do(lambda: import_conditions(content, where=where, replace_old=True), said)

    if taken:
        names = ", ".join(map(quote, taken))
        _report(Notice(said=f"{where} has others of the same name: {names}.", offer="Replace mine", act=add))
    else:
        add()


def _do(change: Callable[[], object], said: Notice) -> bool:
    """Change the file, and report the result; return whether the change succeeded."""
    try:
        change()
    except RequestError as error:
        _report(Notice(faults=error.faults))
        return False
    _report(said)
    return True


def _report(said: Notice) -> None:
    url.mark_changed()
    session.set_faults()
    NOTICE.set(said)


def measure(model: Model, saved: Sequence[NamedCondition], seconds: float) -> dict[str, Compared]:
    """Return the measured conditions by name, computing for a limited time.

    Args:
        model: the open model.
        saved: the conditions.
        seconds: time after which no further condition is begun.
    """
    end = monotonic() + seconds
    known = {}
    for condition in saved:
        if library.is_compared(model, condition) or monotonic() < end:
            known[condition.name] = library.compared(model, condition)
    return known


def measure_all(model: Model, saved: Sequence[NamedCondition]) -> Iterator[int]:
    """Measure all conditions one by one; yield how many are done."""
    for index, condition in enumerate(saved):
        library.compared(model, condition)
        yield index + 1


def table_data(
    model: Model, condition: Condition, saved: Sequence[NamedCondition], known: Mapping[str, Compared]
) -> dict[str, Any]:
    """Return the table: unedited, the current edits, every saved condition.

    Args:
        model: the open one.
        condition: of the page.
        saved: the conditions, in the order of the file.
        known: the measured ones, by name.
    """
    fit = model.fit(condition.interventions)
    now = Compared(None, library.board(model, fit.applied) if fit.applied else None, fit.left_out, fit.faults)
    entries = [
        {
            "name": UNEDITED,
            "fixed": True,
            "interventions": [],
            "note": "",
            **_scores(Compared(None, model.baseline)),
        },
    ]
    if condition.interventions:
        texts = list(map(str, condition.interventions))
        entries.append({"name": CURRENT, "fixed": True, "interventions": texts, "note": "", **_scores(now)})
    entries += [
        {
            "name": each.name,
            "fixed": False,
            "interventions": list(each.interventions),
            "note": each.note,
            "file": export_conditions([each]),
            **_scores(known.get(each.name)),
        }
        for each in saved
    ]
    return {
        "names": list(model.world.answers),
        "entries": entries,
        "predictor": predictors.tally(model.dataset),
        "never_seen": list(model.baseline.never_seen),
        "condition": tag(condition),
    }


def _scores(compared: Compared | None) -> dict[str, Any]:
    board = None if compared is None else compared.board
    return {
        "pending": compared is None,
        "whole": None if board is None else board.tally,
        "whole_do": None if board is None else board.tally_do,
        "answers": {} if board is None else board.tally_by_answer,
        "answers_as_written": {} if board is None else board.tally_by_answer_as_written,
        "unfit": [
            {"text": fault.where, "why": f"expected {fault.expected}"}
            for fault in (() if compared is None else compared.faults)
        ],
    }
