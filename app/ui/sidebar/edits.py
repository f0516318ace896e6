"""The list of edits on every page: the interventions on the model, and what removing each would fix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import streamlit as st

from api import library
from api.condition import Condition
from playground.inference import Model
from playground.interventions import Intervention, Span, TokenIntervention
from state import session
from ui import components, later


def show(model: Model, models: Sequence[Model], condition: Condition) -> None:
    """Show the edits and, if it is known, how many wrong states removing each alone would fix.

    Args:
        model: the open model; the counts are for it.
        models: those that the page shows.
        condition: of the page.
    """
    st.markdown("**Interventions**")
    left_out = {} if not condition.edits else _left_out(models, condition)
    counts = library.known_counts(model, condition.interventions)
    components.edits(
        key="edits",
        data={
            "entries": _entries(model, condition, left_out, counts),
            "can_undo": session.can_undo(),
            "can_redo": session.can_redo(),
        },
        on_switched=_on_switched,
        on_removed=_on_removed,
        on_history=_on_history,
    )


def count(model: Model, condition: Condition) -> None:
    """Count what removing each intervention would fix, unless that is known; this starts after all else is drawn."""
    active = condition.interventions
    if active and library.known_counts(model, active) is None:
        later.find(
            "counts",
            "",
            lambda: (f"{index} of {len(active)} …" for index in library.measure_counts(model, active)),
        )


def _left_out(models: Sequence[Model], condition: Condition) -> dict[Intervention, dict[str, str]]:
    """Return the active interventions that some models do not carry out, with the reason for each such model."""
    reasons: dict[Intervention, dict[str, str]] = {}
    for model in models:
        found = model.fit(condition.interventions)
        for each in found.left_out:
            fault = next(fault for fault in found.faults if fault.where == str(each))
            reasons.setdefault(each, {})[model.name] = f"{model.name}: expected {fault.expected}"
    return {
        each: {"models": ", ".join(by_model), "why": "\n".join(by_model.values())}
        for each, by_model in reasons.items()
    }


def _entries(
    model: Model, condition: Condition, left_out: dict[Intervention, dict[str, str]], counts: list[int] | None
) -> list[dict[str, Any]]:
    known = iter(counts or ())
    applied = model.fit(condition.interventions).applied
    # If the counts are known, so is the board: this does not wait for it.
    broken = len(model.world.states) - int(library.board(model, applied).correct.sum()) if counts else 0
    entries = []
    for index, each in enumerate(condition.edits):
        on = index not in condition.off
        entries.append(
            {
                "text": str(each),
                "tokens": _tokens(each),
                "on": on,
                "unfit": left_out.get(each) if on else None,
                "fixes": next(known, None) if on else None,
                "broken": broken,
            }
        )
    return entries


def _tokens(intervention: Intervention) -> str:
    """Return in words the tokens at which an intervention acts."""
    if isinstance(intervention, TokenIntervention):
        return f"where {intervention.output} is written"
    span: Span = intervention.positions
    if span.start == span.stop:
        return f"at {span.start}" if span.start else "at all tokens"
    if span.stop is None:
        return f"from {span.start} to the end"
    return f"from {span.start or 'the first token'} to {span.stop}"


def _on_switched(payload: dict[str, Any]) -> None:
    here = session.current()
    session.set_condition(here.switched(payload["index"]) if _is_there(payload) else here)


def _on_removed(payload: dict[str, Any]) -> None:
    here = session.current()
    session.set_condition(here.without({payload["index"]}) if _is_there(payload) else here)


def _is_there(payload: dict[str, Any]) -> bool:
    """Return whether the clicked edit still exists: the browser may show an old list for a moment."""
    here = session.current().edits
    return payload["index"] < len(here) and str(here[payload["index"]]) == payload["text"]


def _reset() -> None:
    session.change(edits=(), off=frozenset())


def _on_history(act: str) -> None:
    {"undo": session.undo, "redo": session.redo, "reset": _reset}[act]()
