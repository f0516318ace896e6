"""Page Compare: all models of one name under one condition, side by side."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api.condition import Condition
from app_pages.compare import comparison, components
from app_pages.compare.comparison import Side
from playground.inference import Model
from state import deferred, session
from ui import components as shared
from ui.wording import show_info, show_note


def main(models: Sequence[Model]) -> None:
    """Show the page; everything that a click changes is computed before any of it is drawn."""
    condition = session.current()
    world = models[0].world
    sides = comparison.compare(models, condition)
    answers = comparison.answers_data(sides, condition)
    boards = comparison.comparison_data(sides, condition)
    shared.strip(key="answers", data=answers)
    at_once = all(model.texts.single for model in models)
    if at_once:
        _score(st.empty(), sides, condition)
    components.comparison(
        key="comparison",
        data=boards,
        on_sort=lambda sort: session.change(sort=sort),
        on_state=lambda state: session.change(state=world.parse_state(state)),
    )
    comparison.send(sides, condition)
    if not at_once:
        # Below the boards, which keep their height: late scores move nothing.
        _score_later(models, sides, condition)
    for reason in session.left_out():
        show_note(reason)
    if len(models) == 1:
        show_info("There is only one model to show. Train the others with: the-experiment train all.")


def _score_later(models: Sequence[Model], sides: Sequence[Side], condition: Condition) -> None:
    """Score boards when all states are known."""
    place = st.empty()
    if comparison.is_complete(sides):
        _score(place, sides, condition)
        return
    place.caption("Scores appear once all states are computed.")
    deferred.at_last(lambda: _score(place, comparison.compare(models, condition), condition))


def _score(place: DeltaGenerator, sides: Sequence[Side], condition: Condition) -> None:
    with place:
        components.scores(key="scores", data=comparison.scores_data(sides, condition))


main(session.models())
