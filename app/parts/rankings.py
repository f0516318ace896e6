"""The elements of a model, ranked by what the ablation of each alone does on all states."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from parts import components, drawings, library, session
from parts.condition import Condition
from parts.views import View
from playground.errors import count_of
from playground.interventions import ActivationIntervention, Zero

RANKING_DELAY = 0.4
"""Seconds until a ranking that is not known yet is looked for."""
MOST_UNASKED = 40
"""More elements than that are ranked only when somebody asks for it: it takes seconds."""


def show(place: DeltaGenerator, view: View, click: Callable[[str], None]) -> None:
    """Show the elements by what their ablation alone does, as soon as that is known.

    Args:
        place: where.
        view: what is shown.
        click: does something to the element of that text.
    """
    condition, network = view.condition, view.model.network
    kind, positions = _ranked_by(condition), condition.brush.positions
    effects = library.known_ranking(view.model, kind, positions)
    noun = network.element_noun
    with place:
        st.markdown(
            f"**{noun.capitalize()}s by how far the margins move when each alone is set to {kind.kind}**"
        )
        if effects is not None:
            components.ranking(
                key="ranking",
                data=drawings.ranking_data(effects, view),
                on_site_change=lambda: click(st.session_state.ranking.site),
            )
        elif len(network.elements) <= MOST_UNASKED or st.button(
            f"Rank {count_of(len(network.elements), noun)}", key="rank", help="Takes some seconds."
        ):
            st.session_state.ranking_is_due = False
            st.fragment(_find_ranking, run_every=RANKING_DELAY)(view)


def _ranked_by(condition: Condition) -> type[ActivationIntervention]:
    """Return the ablation by which parts are ranked: the brush's, if it is one that needs nothing else."""
    return Zero if condition.brush.kind.needs else condition.brush.kind


def _find_ranking(view: View) -> None:
    """Say that the ranking is coming; at the next call, find it and have the page show it."""
    place = st.empty()
    noun = view.model.network.element_noun
    place.caption(f"Ablating each {noun} in turn, on all states …")
    if st.session_state.ranking_is_due:
        kind, positions = _ranked_by(view.condition), view.condition.brush.positions
        for effect in library.measure_effects(view.model, kind, positions):
            # Between two of them a click comes first.
            place.caption(f"Ablating each {noun} in turn, on all states: {effect.intervention.site} …")
        session.again()
    st.session_state.ranking_is_due = True
