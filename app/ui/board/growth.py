"""Boards of worlds with many states: what a click needs first is computed first."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from api import library
from api.condition import Condition
from playground.inference import Model
from playground.interventions import ActivationIntervention, Intervention


def anticipate(model: Model, condition: Condition) -> None:
    """Compute what a click needs first: the board of a world of one block, else the part that is shown first."""
    applied = model.fit(condition.interventions).applied
    if not _has_to_wait(model, applied):
        library.begin(model, applied, condition.state)


def wait(models: Sequence[Model], condition: Condition) -> None:
    """Compute what the first row depends on, and show the progress.

    A mean is over all states of the unedited model; nothing can be shown until it is known.
    """
    for model in models:
        if _has_to_wait(model, model.fit(condition.interventions).applied):
            place, of = st.empty(), len(model.world.states)
            for block in library.growing(model, ()).blocks:
                place.caption(
                    f"Computing the means of {model.name} over all states: {block.start:,} of {of:,} …"
                )
                model.texts.average(block)
            place.empty()


def prepare(models: Sequence[Model]) -> None:
    """Compute the means that a later click may need, once for all tabs; a click may interrupt between two blocks."""
    for model in models:
        place = st.empty()
        for block in library.growing(model, ()).blocks:
            if not model.texts.averaged:
                model.texts.average(block)
                place.empty()


def _has_to_wait(model: Model, applied: Sequence[Intervention]) -> bool:
    reads_all = any(isinstance(each, ActivationIntervention) and each.reads_all_states for each in applied)
    return reads_all and not model.texts.averaged
