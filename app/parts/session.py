"""What one browser tab has open: its model, its condition and how it came to it, as its URL says it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import streamlit as st

from parts.condition import Condition, first_condition, read_interventions, read_query
from playground.errors import Fault, quote
from playground.inference import Model

Run = tuple[str, str]
"""Name and architecture of a trained model, as in models/NAME/ARCHITECTURE."""

_RUN_PARAMETERS = ("name", "model")


def choose_run(runs: list[Run]) -> Run:
    """Return the run that this tab has open; read it from the URL if the tab did not write that itself.

    Args:
        runs: those that can be opened, at least one; the first is opened if the URL names none.
    """
    memory = st.session_state
    query = st.query_params.to_dict()
    memory.url_is_news = query != memory.get("url")
    if memory.url_is_news:
        memory.faults = ()
        wanted = tuple(query.get(name, "") for name in _RUN_PARAMETERS)
        memory.run = next((run for run in runs if run == wanted), runs[0])
        if any(wanted) and memory.run != wanted:
            memory.faults = (_unknown_run(wanted, runs),)
    elif memory.run not in runs:
        memory.run = runs[0]
    return memory.run


def _unknown_run(wanted: tuple[str, ...], runs: list[Run]) -> Fault:
    return Fault(
        where="name and model in the address",
        rule="the app opens a model that has been trained",
        expected=" or ".join("/".join(run) for run in runs),
        got=quote("/".join(wanted)),
        hint="The first of them is open now.",
    )


def open_run(run: Run) -> None:
    """Open another model; the condition begins anew."""
    st.session_state.run = run


def restore(model: Model) -> Condition:
    """Return the condition of this tab; read it from the URL if the tab did not write that itself."""
    memory = st.session_state
    changed = memory.get("digest") != model.checkpoint.digest
    if memory.url_is_news:
        memory.condition, faults = read_query(st.query_params.to_dict(), model)
        memory.faults += faults
    elif changed:
        memory.condition = first_condition(model)
    if memory.url_is_news or changed:
        memory.past, memory.future = (), ()
    memory.digest = model.checkpoint.digest
    return memory.condition


def publish() -> None:
    """Make the URL say what the page shows."""
    memory = st.session_state
    query = {**dict(zip(_RUN_PARAMETERS, memory.run, strict=True)), **memory.condition.query()}
    if query != st.query_params.to_dict():
        st.query_params.from_dict(query)
    memory.url = query


def afterwards(draw: Callable[[], None]) -> None:
    """Have something drawn after all that a click changes first stands on the page."""
    st.session_state.afterwards.append(draw)


def current() -> Condition:
    """Return the condition of this tab."""
    return st.session_state.condition


def faults() -> tuple[Fault, ...]:
    """Return what was wrong with the last URL or text that was given."""
    return st.session_state.faults


def change(**values: Any) -> None:
    """Change fields of the condition; a change of interventions can be undone."""
    memory = st.session_state
    before, after = current(), replace(current(), **values)
    memory.faults = ()
    if after.interventions != before.interventions:
        memory.past = (*memory.past, before.interventions)
        memory.future = ()
    memory.condition = after


def add(text: str, model: Model) -> bool:
    """Add the interventions in `text`; return whether all of them could be, and keep what is wrong."""
    interventions, found = read_interventions(text, model)
    if interventions:
        change(interventions=(*current().interventions, *interventions))
    st.session_state.faults = tuple(found)
    return not found


def can_undo() -> bool:
    """Return whether there is a change of interventions to take back."""
    return bool(st.session_state.past)


def can_redo() -> bool:
    """Return whether there is an undone change."""
    return bool(st.session_state.future)


def undo() -> None:
    """Go back to the interventions before the last change of them."""
    memory = st.session_state
    *memory.past, interventions = memory.past
    memory.future = (*memory.future, current().interventions)
    memory.condition = replace(current(), interventions=interventions)


def redo() -> None:
    """Make the change that was undone last once more."""
    memory = st.session_state
    *memory.future, interventions = memory.future
    memory.past = (*memory.past, current().interventions)
    memory.condition = replace(current(), interventions=interventions)
