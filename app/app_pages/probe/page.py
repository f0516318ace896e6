"""Page Probe: ablate parts of one model, and see on all states what breaks."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from parts import boards, components, drawings, enlarged, rankings, session, strips, views
from parts.brush import choose_on_activations
from parts.condition import drawable
from parts.views import View
from playground.inference import Model
from playground.interventions import parse_site

WIDTHS = (11, 10)


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
    large = st.container()
    session.afterwards(lambda: _draw(picture, view, has_attention=has_attention))
    session.afterwards(lambda: rankings.show(ranking, view, lambda site: _click(site, model)))
    session.afterwards(lambda: enlarged.show(large, view))


def _draw(place: DeltaGenerator, view: View, *, has_attention: bool) -> None:
    """Show the parts of the model, to be clicked."""
    key = "mosaic" if has_attention else "maps"
    component = components.mosaic if has_attention else components.maps
    data = drawings.mosaic_data(view) if has_attention else drawings.maps_data(view, enlarged.seen_from(view))
    with place:
        component(key=key, data=data, on_site=lambda site: _click(site, view.model))


def _click(text: str, model: Model) -> None:
    """Do something to the clicked part, or let it be again; what can be drawn of it is drawn large as well."""
    clicked = parse_site(text)
    condition = session.current()
    large = clicked.whole if clicked.whole in drawable(model) else condition.large
    session.click(condition.brush.on_activation(clicked, model.world.states), model, large=large)


main(st.session_state.models[0])
