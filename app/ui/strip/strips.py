"""The written text above a page, with the player; a click on an output forces it."""

from __future__ import annotations

from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api import library
from api.views import View
from playground.inference import Model, not_learnt
from playground.interventions import OPPOSITE, Force
from state import deferred, session
from ui import components
from ui.strip import playback
from ui.wording import show_note


def show(view: View, data: dict[str, Any]) -> None:
    """Show what the model writes in the chosen state, token by token, and warn if it has not learnt the seen states.

    Args:
        view: what is shown.
        data: of `views.strip_data`.
    """
    model = view.model
    components.strip(
        key="strip",
        data=data,
        on_step=lambda step: playback.pause(model, step),
        on_force=lambda force: session.click(Force(force, OPPOSITE), model),
    )
    place = st.empty()
    if library.growing(model, ()).complete:
        _warn(place, model)
    else:
        deferred.at_last(lambda: _warn(place, model))


def _warn(place: DeltaGenerator, model: Model) -> None:
    unlearnt = not_learnt(model.baseline)
    if unlearnt:
        show_note(unlearnt, "warning", place)
