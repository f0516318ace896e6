"""Page Probe: ablate heads and layers, and see on all states what breaks."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from parts import components, library, session, views
from parts.brush import choose_ablation
from parts.views import View
from playground.inference import Model
from playground.plots import plot_attention

WIDTHS = (11, 10)
RANKING_DELAY = 0.4
"""Seconds until a ranking that is not known yet is looked for."""


def main(model: Model) -> None:
    """Show the page; all that a click changes is computed before the first of it is drawn."""
    view = views.look(model, session.current())
    strip, board, mosaic = views.strip_data(view), views.board_data(view), views.mosaic_data(view)
    components.strip(key="strip", data=strip)
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        components.board(
            key="board",
            data=board,
            on_sort_change=lambda: session.change(sort=st.session_state.board.sort),
            on_margins_change=lambda: session.change(margins=st.session_state.board.margins),
            on_state_change=lambda: session.change(
                state=model.world.parse_state(st.session_state.board.state)
            ),
        )
    with right:
        choose_ablation(model, view.condition)
        components.mosaic(
            key="mosaic", data=mosaic, on_site_change=lambda: _click(model, st.session_state.mosaic.site)
        )
        ranking = st.container()
    enlarged = st.container()
    session.afterwards(lambda: _rank(ranking, view))
    session.afterwards(lambda: _enlarge(enlarged, view))


def _click(model: Model, site: str) -> None:
    """Ablate the clicked part, or let it be again; a head is drawn large as well."""
    clicked = next(known for known in model.network.sites if str(known) == site)
    condition = session.current()
    head = clicked if clicked.head is not None else condition.head
    session.change(interventions=condition.toggled(clicked), head=head)


def _enlarge(place: DeltaGenerator, view: View) -> None:
    """Show one head's attention large, baseline beside edited."""
    head = view.condition.head
    titles = ["baseline", "edited"] if view.condition.interventions else ["baseline"]
    figure = plot_attention(
        [pattern[head.layer, head.head or 0] for pattern in view.patterns[: len(titles)]],
        [f"{head} {title}" for title in titles],
        view.labels[1],
        rows=view.writing,
    )
    heads = list(view.model.network.head_sites)
    st.session_state.head = head
    with place:
        st.selectbox(
            "Head drawn large",
            heads,
            key="head",
            width=240,
            on_change=lambda: session.change(head=st.session_state.head),
        )
        st.plotly_chart(figure, key="enlarged", config={"displaylogo": False})


def _rank(place: DeltaGenerator, view: View) -> None:
    """Show the heads by what their ablation alone does, as soon as that is known."""
    condition = view.condition
    effects = library.known_ranking(view.model, condition.kind, condition.positions)
    with place:
        st.markdown(f"**Heads by how far the margins move when each alone is set to {condition.kind.kind}**")
        if effects is None:
            st.session_state.ranking_is_due = False
            st.fragment(_find_ranking, run_every=RANKING_DELAY)(view)
            return
        components.ranking(
            key="ranking",
            data=views.ranking_data(effects, view.edited),
            on_site_change=lambda: _click(view.model, st.session_state.ranking.site),
        )


def _find_ranking(view: View) -> None:
    """Say that the ranking is coming; at the next call, find it and have the page show it."""
    place = st.empty()
    place.caption("Ablating each head in turn, on all states …")
    if st.session_state.ranking_is_due:
        condition = view.condition
        for effect in library.measure_effects(view.model, condition.kind, condition.positions):
            # Between two heads a click comes first.
            place.caption(f"Ablating each head in turn, on all states: {effect.intervention.site} …")
        st.rerun()
    st.session_state.ranking_is_due = True


main(st.session_state.model)
