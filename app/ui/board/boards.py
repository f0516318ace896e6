"""The board next to a page: what the model writes in every state."""

from __future__ import annotations

from typing import Any

import streamlit as st

from api.views import View
from state import session
from ui import components
from ui.board import growth


def show(view: View, data: dict[str, Any]) -> None:
    """Show the board, and the cost of the model.

    Args:
        view: what is shown.
        data: of `views.board_data`.
    """
    world = view.model.world
    components.board(
        key="board",
        data=data,
        on_sort=lambda sort: session.change(sort=sort),
        on_margins=lambda margins: session.change(margins=margins),
        on_state=lambda state: session.change(state=world.parse_state(state)),
    )
    for applied in dict.fromkeys([(), view.applied]):
        growth.send(view.model, applied, view.condition)
    if view.model.checkpoint.step is not None:
        steps = view.model.checkpoint.run.steps
        of = "" if steps is None else f" of {steps:,}"
        st.caption(
            f":material/history: As it was after {view.model.checkpoint.step:,}{of} steps of its training."
        )
        return
    parameters, seconds, samples, operations = view.model.checkpoint.cost.words()
    st.caption(f"{parameters} parameters; trained {seconds} s on {samples} samples, {operations}")
