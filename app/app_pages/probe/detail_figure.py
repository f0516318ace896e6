"""One part of a model drawn large: baseline, edited and their difference."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api import drawings
from api.condition import drawable, named_positions
from api.drawings import FIGURE_FORMATS, figure_files
from api.views import View
from playground.interventions import Anchor
from playground.models import Site
from playground.plots import plot_attention, plot_units
from state import session, widgets


def seen_from(view: View) -> Anchor:
    """Return the token whose receptive field is drawn."""
    return view.condition.token or Anchor(view.model.world.answers[-1], writing=True)


def show(place: DeltaGenerator, view: View) -> None:
    """Show one part large, baseline beside edited."""
    large, network = _large(view), view.model.network
    groups = ["baseline", "edited", "edited minus baseline"] if view.applied else ["baseline"]
    runs = view.runs if view.applied else view.runs[:1]
    with place:
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        widgets.show(
            row.selectbox,
            "Drawn large",
            drawable(view.model),
            key="large",
            value=large,
            on_choice=lambda site: session.change(large=site),
            format_func=str,
            width=240,
        )
        if large.head is not None:
            attention = [drawings.patterns(view, run)[large.layer or 0, large.head] for run in runs]
            figure = plot_attention(
                attention,
                [f"{large} {group}" for group in groups],
                view.labels[1],
                rows=view.writing,
                difference=drawings.difference(attention),
            )
        else:
            drawn = next(each for each in network.maps if each.site == large)
            reach = drawings.receptive_field(view, drawn, seen_from(view))
            shown = [drawings.values(run, drawn) for run in runs]
            if reach is not None:
                _choose_token(row, view)
            figure = plot_units(
                shown,
                [f"{large}, {group}" for group in groups],
                view.labels[1],
                limits=drawings.limits(drawn, *shown),
                unit=drawn.noun,
                seen=reach or (),
                difference=drawings.difference(shown),
            )
        form = row.segmented_control(
            "The camera saves", FIGURE_FORMATS, default=FIGURE_FORMATS[0], required=True, key="figure_format"
        )
        st.plotly_chart(figure, key="detail_figure", config=figure_files(str(large), form))


def _large(view: View) -> Site:
    """Return the part that is drawn large."""
    return view.condition.large or drawable(view.model)[0]


def _choose_token(place: DeltaGenerator, view: View) -> None:
    """Show the choice of the token whose receptive field is drawn."""
    widgets.show(
        place.selectbox,
        "Receptive field of",
        named_positions(view.model),
        key="token",
        value=seen_from(view),
        on_choice=lambda token: session.change(token=token),
        format_func=str,
        width=240,
        help="Highlighted: the receptive field of this position.",
    )
