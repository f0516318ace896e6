"""Page Probe: ablate heads and layers, and see on all states what breaks."""

from __future__ import annotations

import numpy as np
import streamlit as st

from parts import components, library, session, views
from parts.brush import choose_ablation
from parts.condition import Condition
from playground.inference import Board, Model
from playground.plots import plot_attention

RANKING_DELAY = 0.4
"""Seconds between what a click changes and the search for a new ranking."""


def main(model: Model) -> None:
    """Show the page; what a click changes first is drawn first."""
    condition = session.current()
    state = model.world.states.index(condition.state)
    run = model.run(condition.interventions)
    baseline, edited = model.board(), model.board(condition.interventions)
    labels = views.token_labels(baseline, state), views.token_labels(edited, state)
    patterns = views.patterns_of(model, model.clean, state), views.patterns_of(model, run, state)
    acted_on = np.any([i.positions.mask(model.template) for i in condition.interventions] or False, axis=0)

    components.strip(
        key="strip", data=views.strip_data(baseline, edited, state, np.broadcast_to(acted_on, len(labels[0])))
    )
    left, right = st.columns([11, 10], gap="medium")
    with left:
        st.session_state.margins = condition.margins
        st.toggle(
            "Margins",
            key="margins",
            on_change=lambda: session.change(margins=st.session_state.margins),
            help="Logit of the right token minus that of the best wrong one, for every answer.",
        )
        components.board(
            key="board",
            data=views.board_data(baseline, edited, condition),
            on_sort_change=lambda: session.change(sort=st.session_state.board.sort),
            on_state_change=lambda: session.change(
                state=model.world.parse_state(st.session_state.board.state)
            ),
        )
    with right:
        choose_ablation(model, condition)
        components.mosaic(
            key="mosaic",
            data=views.mosaic_data(model.template, patterns, labels, edited, state),
            on_site_change=lambda: _click(model, st.session_state.mosaic.site),
        )
        _rank(model, edited)
    _enlarge(model, patterns, labels)


def _click(model: Model, site: str) -> None:
    """Ablate the clicked part, or let it be again; a head is drawn large as well."""
    clicked = next(known for known in model.network.sites if str(known) == site)
    head = clicked if clicked.head is not None else session.current().head
    session.change(interventions=session.current().toggled(clicked), head=head)


def _enlarge(
    model: Model, patterns: tuple[views.Patterns, views.Patterns], labels: tuple[list[str], list[str]]
) -> None:
    """Show one head's attention large, baseline beside edited."""
    condition = session.current()
    heads = [site for site in model.network.sites if site.head is not None]
    st.session_state.head = condition.head
    st.selectbox("Head", heads, key="head", on_change=lambda: session.change(head=st.session_state.head))
    layer, head = condition.head.layer, condition.head.head or 0
    writing = [int(position) - 1 for position in model.template.answer_positions]
    shown = [(patterns[0], "baseline")] + ([(patterns[1], "edited")] if condition.interventions else [])
    figure = plot_attention(
        [pattern[layer, head] for pattern, _ in shown],
        [f"{condition.head} {title}" for _, title in shown],
        labels[1],
        rows=writing,
    )
    st.plotly_chart(figure, key="enlarged", config={"displaylogo": False})


def _rank(model: Model, edited: Board) -> None:
    """Show the heads by what their ablation alone does.

    Where that is not known yet it is found out a moment later, so that what a click changes is painted
    first.
    """
    condition = session.current()
    st.markdown(f"**Heads by how far the margins move when each alone is set to {condition.kind.kind}**")
    effects = library.known_ranking(model, condition.kind, condition.positions)
    if effects is None:
        st.session_state.ranking_is_due = False
        st.fragment(_find_ranking, run_every=RANKING_DELAY)(model, condition)
        return
    components.ranking(
        key="ranking",
        data=views.ranking_data(effects, edited),
        on_site_change=lambda: _click(model, st.session_state.ranking.site),
    )


def _find_ranking(model: Model, condition: Condition) -> None:
    """Say that the ranking is coming; at the next call, find it and have the page show it."""
    st.caption("Ablating each head in turn, on all states …")
    if not st.session_state.ranking_is_due:
        st.session_state.ranking_is_due = True
        return
    library.rank(model, condition.kind, condition.positions)
    st.rerun()


main(st.session_state.model)
