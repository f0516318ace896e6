"""What one browser tab has open: its model, its condition and how it came to it, as its URL says it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

from parts.address import read_interventions, read_query, too_many, write_query
from parts.condition import Condition, first_condition
from parts.runs import Run, Runs, of_run
from playground.errors import Fault, RequestError, quote
from playground.inference import Model
from playground.interventions import Intervention
from playground.limits import MOST_INTERVENTIONS
from playground.models import at_step, check_step, find_run, split_step

_SHOWN = 20
"""Addresses that are remembered, the last ones: the browser of a slow server is some clicks behind."""
_RUN_PARAMETERS: tuple[str, ...] = ("name", "model")
_OF_EMBEDDING = ("embed", "embed_options")
"""Parameters of Streamlit's own, which it keeps by itself."""


def arrive(page: str) -> None:
    """Take notice of the page that is shown, and of whether its address says what the tab did not write itself.

    Args:
        page: its title.
    """
    memory = st.session_state
    query = browser_query()
    if "page" in memory and not query:
        # The way to another page loses the query, there and back: the condition is kept all the same.
        memory.url = query
    memory.page = page
    # A click brings along the address that the browser shows, which may be some clicks old: what the tab itself
    # has changed since is newer. An address that it never showed is news all the same, and one that it is led back to.
    context = get_script_run_ctx()
    led = context is not None and context.is_history_navigation
    late = memory.get("acted", False) and query in memory.get("shown", ()) and not led
    memory.url_is_news = query != memory.get("url") and not late
    note(query)
    memory.acted = False


def browser_query() -> dict[str, str]:
    """Return the parameters of the address that the browser sent with this run.

    `st.query_params` would not do: all runs of a tab share it, and one that is about to be stopped for a newer one may
    begin late and put its own, older address there. A link that came with the newer run was then ignored.
    """
    context = get_script_run_ctx()
    sent = parse_qs(context.query_string if context else "", keep_blank_values=True)
    query = {name: values[-1] for name, values in sent.items() if name.lower() not in _OF_EMBEDDING}
    return query | ({"on": ";".join(sent["on"])} if "on" in sent else {})


def note(query: dict[str, str]) -> None:
    """Remember the parameters of an address that the browser shows, or will show."""
    shown = st.session_state.get("shown", ())
    if query not in shown[-1:]:
        st.session_state.shown = (*shown, query)[-_SHOWN:]


def choose_run(found: Runs) -> Run:
    """Return the run that this tab has open; read it from the URL if the tab did not write that itself.

    Args:
        found: those that there are; at least one can be opened, and the first of these is if the URL names none.
    """
    memory, runs = st.session_state, found.sound
    if memory.url_is_news or "run" not in memory:
        query = browser_query()
        memory.faults = ()
        wanted = tuple(query.get(name, "") for name in _RUN_PARAMETERS)
        name, (base, step) = wanted[0], split_step(wanted[1])
        fitting = [run for run in runs if name in ("", run[0]) and base in ("", run[1])]
        memory.run = (fitting or runs)[0]
        if fitting:
            memory.run = (memory.run[0], at_step(memory.run[1], step))
        if not fitting:
            memory.faults = _not_opened((name, base), found)
    elif of_run(memory.run) not in runs:
        memory.faults = _not_opened(of_run(memory.run), found)
        memory.run = runs[0]
    name, (base, step) = memory.run[0], split_step(memory.run[1])
    try:
        check_step(find_run(name, base), step)
    except RequestError as error:
        # It may have been trained anew meanwhile.
        memory.faults += error.faults
        memory.run = (name, base)
    return memory.run


def _not_opened(wanted: Run, found: Runs) -> tuple[Fault, ...]:
    """Return why a run is not open: it is damaged, or there is none of that name."""
    damaged = [
        faults
        for run, faults in found.damaged.items()
        if wanted[0] in ("", run[0]) and wanted[1] in ("", run[1])
    ]
    if damaged:
        return damaged[0]
    return (
        Fault(
            where="name and model in the address",
            message="there is no such model",
            expected=" or ".join("/".join(run) for run in found.sound),
            got=quote("/".join(wanted)),
            hint="The first of them is open now.",
        ),
    )


def open_run(run: Run) -> None:
    """Open another model; of the condition, what means something to it stays."""
    st.session_state.run = run
    st.session_state.faults = ()
    st.session_state.acted = True


def restore(model: Model, models: Sequence[Model]) -> None:
    """Set the condition of this tab; read it from the URL if the tab did not write that itself.

    Args:
        model: the open one.
        models: those that the page shows.
    """
    memory = st.session_state
    known: Model | None = memory.get("model")
    if memory.url_is_news:
        query = browser_query() | {"name": memory.run[0]}
        memory.condition, faults = read_query(query, model, models)
        memory.faults += faults
    elif known is None or "condition" not in memory or known.world != model.world:
        memory.condition = first_condition(model)
    elif known.checkpoint.digest != model.checkpoint.digest:
        # Another model of the same world, or the same run trained anew: what still fits is kept.
        kept = memory.condition
        query = write_query(replace(kept, tray=(), off=frozenset())) | {"name": memory.run[0]}
        memory.condition, _ = read_query(query, model, models)
        memory.condition = replace(memory.condition, tray=kept.tray, off=kept.off)
    if memory.url_is_news or known is None or known.world != model.world:
        memory.past, memory.future = (), ()
    memory.model = model


def publish(**more: str) -> None:
    """Make the URL say what the page shows; without a condition, which model could not be opened.

    Args:
        more: parameters that only this page has.
    """
    memory = st.session_state
    query = as_query() | more
    if query != browser_query():
        st.query_params.from_dict(query)
    note(query)
    memory.url = query


def as_query() -> dict[str, str]:
    """Return the parameters that say what every page shows."""
    memory = st.session_state
    query: dict[str, str] = dict(zip(_RUN_PARAMETERS, memory.run, strict=True)) if "run" in memory else {}
    if "condition" in memory:
        query |= write_query(memory.condition)
    return query


def published() -> dict[str, str]:
    """Return the parameters of the URL that says what the page shows."""
    return st.session_state.url


def afterwards(draw: Callable[[], None]) -> None:
    """Have something drawn after all that a click changes first stands on the page."""
    st.session_state.afterwards.append(draw)


def at_last(draw: Callable[[], None]) -> None:
    """Have something drawn, and found for that, after all else; a click may come before it is done."""
    st.session_state.at_last.append(draw)


def again() -> None:
    """Run the page anew, to show what was found meanwhile.

    What asks for it, such as a fragment's timer, brings along the address that the browser shows as a click
    does: it may be some clicks old.
    """
    st.session_state.acted = True
    st.rerun()


def current() -> Condition:
    """Return the condition of this tab."""
    return st.session_state.condition


def faults() -> tuple[Fault, ...]:
    """Return what was wrong with the last URL or text that was given."""
    return st.session_state.faults


def change(**values: Any) -> None:
    """Change fields of the condition; a change of the tray can be undone."""
    become(replace(current(), **values))


def brush(**values: Any) -> None:
    """Change what the next click does."""
    change(brush=replace(current().brush, **values))


def become(after: Condition) -> None:
    """Have another condition; a change of the tray can be undone."""
    memory = st.session_state
    before = current()
    memory.faults = ()
    memory.acted = True
    if len(after.tray) > MOST_INTERVENTIONS:
        memory.faults = (too_many(len(after.tray), "Remove one first."),)
        return
    if _tray_of(after) != _tray_of(before):
        memory.past = (*memory.past, _tray_of(before))
        memory.future = ()
    memory.condition = after


def click(made: Intervention, model: Model, **values: Any) -> None:
    """Do something to a part of a model, or undo what is done to it; what cannot be done is said.

    Args:
        made: what is done where nothing is done yet.
        model: the model that was clicked.
        values: fields of the condition that change as well.
    """
    after = replace(current().toggled(made), **values)
    found = model.fit(after.interventions).faults if made in after.tray else ()
    mine = tuple(fault for fault in found if fault.where == str(made))
    if mine:
        st.session_state.acted = True
        st.session_state.faults = mine
    else:
        become(after)


def add(text: str, models: Sequence[Model]) -> bool:
    """Add the interventions in `text`; return whether all of them could be, and keep what is wrong."""
    here = current()
    together, found = read_interventions(text, models, here.interventions)
    if together:
        become(replace(here, tray=(*here.tray, *together)))
    st.session_state.faults = (*(st.session_state.faults if together else ()), *found)
    st.session_state.acted = True
    return not st.session_state.faults


Tray = tuple[tuple[Intervention, ...], frozenset[int]]


def _tray_of(condition: Condition) -> Tray:
    return condition.tray, condition.off


def can_undo() -> bool:
    """Return whether there is a change of the tray to take back."""
    return bool(st.session_state.past)


def can_redo() -> bool:
    """Return whether there is an undone change."""
    return bool(st.session_state.future)


def undo() -> None:
    """Go back to the tray before the last change of it."""
    _go("past", "future")


def redo() -> None:
    """Make the change that was undone last once more."""
    _go("future", "past")


def _go(there: str, back: str) -> None:
    memory = st.session_state
    memory.acted = True
    if not memory[there]:
        return
    memory.faults = ()
    *memory[there], (tray, off) = memory[there]
    memory[back] = (*memory[back], _tray_of(current()))
    memory.condition = replace(current(), tray=tray, off=off)
