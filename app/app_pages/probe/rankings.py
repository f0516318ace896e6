"""The elements of a model, ranked by the effect of ablating each alone, over all states."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api import drawings, library
from api.condition import Condition
from api.views import View
from app_pages.probe import components
from playground.errors import count_of
from playground.inference import blocks_of
from playground.interventions import ActivationIntervention, Zero
from ui import later

MOST_UNASKED = 40
"""More blocks of states than this are run only on request: it takes seconds."""


def show(place: DeltaGenerator, view: View, click: Callable[[str], None]) -> None:
    """Show the elements ranked by the effect of ablating each alone, as soon as it is known.

    Args:
        place: where to show them.
        view: what is shown.
        click: edits the element that the text names.
    """
    condition, network = view.condition, view.model.network
    kind, positions = _ranked_by(condition), condition.click_action.positions
    effects = library.known_ranking(view.model, kind, positions)
    noun = network.element_noun
    with place:
        st.markdown(
            f"**Which {noun}s matter?** Mean change of the margins when each alone is set to {kind.kind}"
        )
        if effects is not None:
            components.ranking(
                key="ranking",
                data=drawings.ranking_data(effects, view),
                on_site=click,
            )
        elif len(network.elements) * len(
            blocks_of(len(view.model.world.states))
        ) <= MOST_UNASKED or st.button(
            f"Rank {count_of(len(network.elements), noun)}", key="rank", help="Takes a few seconds."
        ):
            announced = f"Ablating each {noun} in turn, on all states"
            measured = (view.model, kind, positions)
            later.find(
                "ranking",
                f"{announced} …",
                lambda: (f"{announced}: {site} …" for site in library.measure_effects(*measured)),
            )


def _ranked_by(condition: Condition) -> type[ActivationIntervention]:
    """Return the ablation by which parts are ranked: that of the next click, if its kind needs no further input."""
    return Zero if condition.click_action.kind.needs else condition.click_action.kind
