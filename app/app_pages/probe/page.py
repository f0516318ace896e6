"""Page Probe: ablate parts of one model, and see which of all states break."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api import drawings, views
from api.condition import drawable
from api.views import View
from app_pages.probe import components, detail_figure, rankings
from playground.inference import Model
from playground.interventions import parse_site
from state import deferred, session
from ui.board import boards
from ui.click_action import choose_on_activations
from ui.strip import strips

WIDTHS = (11, 10)


def main(model: Model) -> None:
    """Show the page; the board, which a click changes first, is drawn before slower parts."""
    view = views.build_view(model, session.current())
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
    deferred.afterwards(lambda: _draw(picture, view, has_attention=has_attention))
    deferred.afterwards(lambda: rankings.show(ranking, view, lambda site: _click(site, model)))
    deferred.afterwards(lambda: detail_figure.show(large, view))


def _draw(place: DeltaGenerator, view: View, *, has_attention: bool) -> None:
    """Show the clickable parts of the model."""
    key = "mosaic" if has_attention else "maps"
    component = components.mosaic if has_attention else components.maps
    data = (
        drawings.mosaic_data(view)
        if has_attention
        else drawings.maps_data(view, detail_figure.seen_from(view))
    )
    with place:
        component(key=key, data=data, on_site=lambda site: _click(site, view.model))


def _click(text: str, model: Model) -> None:
    """Edit the clicked part, or undo its edit; also draw it large if it can be drawn."""
    clicked = parse_site(text)
    condition = session.current()
    large = clicked.whole if clicked.whole in drawable(model) else condition.large
    session.click(condition.click_action.on_activation(clicked, model.world.states), model, large=large)


main(session.models()[0])
