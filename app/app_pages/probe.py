"""Page Probe: ablate parts of one model, and see on all states what breaks."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from parts import boards, components, drawings, library, session, strips, views
from parts.brush import choose_on_activations
from parts.condition import Condition, drawable, named_positions
from parts.drawings import FIGURE_FORMATS, figure_files
from parts.views import View
from playground.errors import count_of
from playground.inference import Model
from playground.interventions import ActivationIntervention, Anchor, Zero, parse_site
from playground.models import Site
from playground.plots import plot_attention, plot_units

WIDTHS = (11, 10)
RANKING_DELAY = 0.4
"""Seconds until a ranking that is not known yet is looked for."""
MOST_UNASKED = 40
"""More elements than that are ranked only when somebody asks for it: it takes seconds."""


def main(model: Model) -> None:
    """Show the page; the board, which a click changes first, is drawn before all that takes longer."""
    view = views.look(model, session.current())
    strip, board = views.strip_data(view), views.board_data(view)
    has_attention = bool(model.network.pattern_hooks)
    strips.show(view, strip)
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        boards.show(view, board)
    with right:
        choose_on_activations(model, view.condition)
        picture = st.container()
        ranking = st.container()
    enlarged = st.container()
    session.afterwards(lambda: _draw(picture, view, has_attention=has_attention))
    session.afterwards(lambda: _rank(ranking, view))
    session.afterwards(lambda: _enlarge(enlarged, view))


def _draw(place: DeltaGenerator, view: View, *, has_attention: bool) -> None:
    """Show the parts of the model, to be clicked."""
    key = "mosaic" if has_attention else "maps"
    component = components.mosaic if has_attention else components.maps
    data = drawings.mosaic_data(view) if has_attention else drawings.maps_data(view, _token(view))
    with place:
        component(key=key, data=data, on_site_change=lambda: _click(st.session_state[key].site, view.model))


def _click(text: str, model: Model) -> None:
    """Do something to the clicked part, or let it be again; what can be drawn of it is drawn large as well."""
    clicked = parse_site(text)
    condition = session.current()
    large = clicked.whole if clicked.whole in drawable(model) else condition.large
    session.click(condition.brush.on_activation(clicked, model.world.states), model, large=large)


def _token(view: View) -> Anchor:
    """Return the token whose receptive field is drawn."""
    return view.condition.token or Anchor(view.model.world.answers[-1], writing=True)


def _large(view: View) -> Site:
    """Return the part that is drawn large."""
    return view.condition.large or drawable(view.model)[0]


def _enlarge(place: DeltaGenerator, view: View) -> None:
    """Show one part large, baseline beside edited."""
    large, network = _large(view), view.model.network
    groups = ["baseline", "edited", "edited minus baseline"] if view.applied else ["baseline"]
    runs = [view.model.clean, view.run] if view.applied else [view.model.clean]
    with place:
        row = st.container(horizontal=True, vertical_alignment="bottom", gap="small")
        st.session_state.large = large
        row.selectbox(
            "Drawn large",
            drawable(view.model),
            key="large",
            format_func=str,
            width=240,
            on_change=lambda: session.change(large=st.session_state.large),
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
            reach = drawings.receptive_field(view, drawn, _token(view))
            shown = [drawings.values(view, run, drawn) for run in runs]
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
        st.plotly_chart(figure, key="enlarged", config=figure_files(str(large), form))


def _choose_token(place: DeltaGenerator, view: View) -> None:
    """Show whose receptive field is drawn."""
    st.session_state.token = _token(view)
    place.selectbox(
        "Receptive field of",
        named_positions(view.model),
        key="token",
        format_func=str,
        width=240,
        on_change=lambda: session.change(token=st.session_state.token),
        help="The framed tokens, and those that are not faded above, are what the scores at this position see.",
    )


def _rank(place: DeltaGenerator, view: View) -> None:
    """Show the elements by what their ablation alone does, as soon as that is known."""
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
                on_site_change=lambda: _click(st.session_state.ranking.site, view.model),
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
        st.rerun()
    st.session_state.ranking_is_due = True


main(st.session_state.models[0])
