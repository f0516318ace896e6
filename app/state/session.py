"""What one browser tab has open: its model, its condition, and the history of its edits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import streamlit as st

from api.address import read_interventions, read_query, write_query
from api.condition import Condition, first_condition
from api.runs import Run, Runs, of_run
from playground.errors import Fault, RequestError, quote
from playground.inference import Model
from playground.interventions import Intervention
from playground.limits import MOST_INTERVENTIONS, too_many
from playground.models import at_step, check_step, find_run, split_step
from state import url


def choose_run(found: Runs) -> Run:
    """Return the run that this tab has open; read it from the URL unless the tab wrote the URL itself.

    Args:
        found: all runs. At least one can be opened; the first of these is opened if the URL names none.
    """
    memory, runs = st.session_state, found.sound
    if url.is_news() or "run" not in memory:
        query = url.browser_query()
        memory.faults = ()
        wanted = tuple(query.get(name, "") for name in url.RUN_PARAMETERS)
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
        # It may have been retrained meanwhile.
        memory.faults += error.faults
        memory.run = (name, base)
    return memory.run


def _not_opened(wanted: Run, found: Runs) -> tuple[Fault, ...]:
    """Return why a run is not open: it is damaged, or no run has that name."""
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
            hint="The first one is open now.",
        ),
    )


def open_run(run: Run) -> None:
    """Open another model, and keep the parts of the condition that apply to it."""
    st.session_state.run = run
    st.session_state.faults = ()
    url.mark_changed()


def restore(model: Model, models: Sequence[Model]) -> None:
    """Set the condition of this tab; read it from the URL unless the tab wrote the URL itself.

    Args:
        model: the open one.
        models: those that the page shows.
    """
    memory = st.session_state
    known: Model | None = memory.get("model")
    if url.is_news():
        query = url.browser_query() | {"name": memory.run[0]}
        memory.condition, faults = read_query(query, model, models)
        memory.faults += faults
    elif known is None or "condition" not in memory or known.world != model.world:
        memory.condition = first_condition(model)
    elif known.checkpoint.digest != model.checkpoint.digest:
        # Another model of the same world, or the same run retrained: keep what still fits.
        kept = memory.condition
        query = write_query(replace(kept, edits=(), off=frozenset())) | {"name": memory.run[0]}
        memory.condition, _ = read_query(query, model, models)
        memory.condition = replace(memory.condition, edits=kept.edits, off=kept.off)
    if url.is_news() or known is None or known.world != model.world:
        memory.past, memory.future = (), ()
    memory.model = model


def rerun() -> None:
    """Run the page again, to show what was found meanwhile.

    The trigger, such as a fragment's timer, sends the address that the browser shows, just as a click does: it may
    be some clicks old.
    """
    url.mark_changed()
    st.rerun()


def has_run() -> bool:
    """Return whether a run is open."""
    return "run" in st.session_state


def run() -> Run:
    """Return the run that is open."""
    return st.session_state.run


def model() -> Model:
    """Return the open model."""
    return st.session_state.model


def show_models(models: Sequence[Model], left_out: Sequence[str] = ()) -> None:
    """Set the models that the page shows.

    Args:
        models: the open one among them.
        left_out: why others are not shown.
    """
    st.session_state.models, st.session_state.left_out = models, left_out


def models() -> Sequence[Model]:
    """Return the models that the page shows."""
    return st.session_state.models


def left_out() -> Sequence[str]:
    """Return why other models are not shown."""
    return st.session_state.left_out


def forget_model() -> None:
    """Forget model and condition, since no model can be opened."""
    for name in ("condition", "model", "run"):
        st.session_state.pop(name, None)


def has_condition() -> bool:
    """Return whether the tab has a condition yet."""
    return "condition" in st.session_state


def current() -> Condition:
    """Return the condition of this tab."""
    return st.session_state.condition


def faults() -> tuple[Fault, ...]:
    """Return what was wrong with the last URL or text that was given."""
    return st.session_state.faults


def set_faults(*faults: Fault) -> None:
    """Set what was wrong with the last URL or text that was given."""
    st.session_state.faults = faults


def change(**values: Any) -> None:
    """Change fields of the condition; a change of the edits can be undone."""
    set_condition(replace(current(), **values))


def change_click_action(**values: Any) -> None:
    """Change what the next click does."""
    change(click_action=replace(current().click_action, **values))


def set_condition(after: Condition) -> None:
    """Set another condition; a change of the edits can be undone."""
    memory = st.session_state
    before = current()
    memory.faults = ()
    url.mark_changed()
    if len(after.edits) > MOST_INTERVENTIONS:
        memory.faults = (too_many(len(after.edits), "Remove one first."),)
        return
    if _edits_of(after) != _edits_of(before):
        memory.past = (*memory.past, _edits_of(before))
        memory.future = ()
    memory.condition = after


def click(made: Intervention, model: Model, **values: Any) -> None:
    """Edit a part of a model, or remove its edit; faults are kept to be shown.

    Args:
        made: the edit to make if the part has none yet.
        model: the model that was clicked.
        values: other fields of the condition to change.
    """
    after = replace(current().toggled(made), **values)
    found = model.fit(after.interventions).faults if made in after.edits else ()
    mine = tuple(fault for fault in found if fault.where == str(made))
    if mine:
        url.mark_changed()
        st.session_state.faults = mine
    else:
        set_condition(after)


def add(text: str, models: Sequence[Model]) -> bool:
    """Add the interventions in `text`; return whether all could be added, and keep the faults to be shown."""
    here = current()
    together, found = read_interventions(text, models, here.interventions)
    if together:
        set_condition(replace(here, edits=(*here.edits, *together)))
    st.session_state.faults = (*(st.session_state.faults if together else ()), *found)
    url.mark_changed()
    return not st.session_state.faults


Edits = tuple[tuple[Intervention, ...], frozenset[int]]


def _edits_of(condition: Condition) -> Edits:
    return condition.edits, condition.off


def can_undo() -> bool:
    """Return whether there is a change of the edits to undo."""
    return bool(st.session_state.past)


def can_redo() -> bool:
    """Return whether there is an undone change."""
    return bool(st.session_state.future)


def undo() -> None:
    """Go back to the edits before their last change."""
    _go("past", "future")


def redo() -> None:
    """Redo the change that was undone last."""
    _go("future", "past")


def _go(there: str, back: str) -> None:
    memory = st.session_state
    url.mark_changed()
    if not memory[there]:
        return
    memory.faults = ()
    *memory[there], (edits, off) = memory[there]
    memory[back] = (*memory[back], _edits_of(current()))
    memory.condition = replace(current(), edits=edits, off=off)


def choose_cell(of: str, cell: tuple[int, int]) -> None:
    """Choose a cell of a heatmap that names no part of the model; the choice is not part of the condition.

    Args:
        of: identifies the heatmap.
        cell: its row and column.
    """
    st.session_state.setdefault("cells", {})[of] = cell


def chosen_cell(of: str) -> tuple[int, int] | None:
    """Return the chosen cell of a heatmap that names no part of the model; None if no cell is chosen."""
    return st.session_state.get("cells", {}).get(of)
