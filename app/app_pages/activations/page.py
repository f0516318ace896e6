"""Page Activations: what a part of one model computes, in one state and in all, and how edits change it."""

from __future__ import annotations

from functools import partial

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from api import activations, views
from api.activations import SORTS, Part
from api.condition import named_positions
from api.views import View
from app_pages.activations import activation_data, components, measured
from playground.inference import FORMATS, Model
from playground.interventions import parse_site
from playground.models import Site
from playground.worlds import State, state_text
from state import deferred, session, widgets
from ui.board import boards
from ui.click_action import choose_on_activations
from ui.strip import strips

WIDTHS = (11, 10)
UNEDITED = "the unedited model"
ALL_TOKENS = "all tokens"
THIS_STATE, ALL_STATES = "this state", "all states"
BASELINE, EDITED = "unedited", "edited"


def main(model: Model) -> None:
    """Show the page; the board, which a click changes first, is drawn before slower parts."""
    view = views.build_view(model, session.current())
    strip, board = views.strip_data(view), views.board_data(view)
    part = activations.chosen(model, view.condition.activation)
    strips.show(view, strip)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        _choose(view, part)
        _offer_files(view, part)
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        boards.show(view, board)
        ranking = st.container()
    with right:
        choose_on_activations(model, view.condition)
        picture = st.container()
    deferred.afterwards(lambda: _draw(picture, ranking, view, part))


def _choose(view: View, part: Part) -> None:
    """Show the choices: the activation, what it is compared with, the token, and the order of its units."""
    condition, model = view.condition, view.model
    words = {each.site: each.words for each in activations.choosable(model)}
    widgets.show(
        st.selectbox,
        "Activation",
        list(words),
        key="activation",
        value=part.site,
        on_choice=lambda site: session.change(activation=site),
        format_func=words.__getitem__,
        width=300,
    )
    widgets.show(
        st.selectbox,
        "Compared with",
        [UNEDITED, *model.world.states],
        key="versus",
        value=condition.versus or UNEDITED,
        on_choice=lambda state: session.change(versus=_unless(UNEDITED, state)),
        format_func=_state_or_text,
        width=180,
        help="The unedited model in the same state, or the same model with its edits in another state.",
    )
    widgets.show(
        st.selectbox,
        "At token",
        [ALL_TOKENS, *named_positions(model)],
        key="activation_token",
        value=condition.token or ALL_TOKENS,
        on_choice=lambda token: session.change(token=_unless(ALL_TOKENS, token)),
        format_func=str,
        width=140,
        help="The token at which units are sorted and listed, and at which a chosen unit is shown in all states.",
    )
    widgets.show(
        st.selectbox,
        "Sort by",
        list(SORTS),
        key="units",
        value=condition.units,
        on_choice=lambda units: session.change(units=units),
        format_func=SORTS.__getitem__,
        width=200,
        help="Units are sorted by the values of the first picture; over all tokens, by the largest one.",
    )


def _draw(picture: DeltaGenerator, ranking: DeltaGenerator, view: View, part: Part) -> None:
    """Show the activation, the chosen unit in all states, and the top units with their numbers."""
    model = view.model
    values = measured.measure(view, part)
    data, strongest = (
        activation_data.activations_data(view, values),
        activation_data.strongest_data(view, values),
    )
    with picture:
        components.activations(
            key="activations",
            data=data,
            on_acted=lambda acted: _act(acted, model),
            on_picked=_pick,
            on_token=lambda token: _choose_token(token, model),
            on_grouped=lambda grouped: session.change(grouped=grouped or None),
        )
    with ranking:
        components.strongest(
            key="strongest",
            data=strongest,
            on_acted=lambda acted: _act(acted, model),
            on_picked=_pick,
        )


def _pick(text: str) -> None:
    """Show a unit in all states, or no unit."""
    session.change(activation=parse_site(text))


def _act(text: str, model: Model) -> None:
    """Edit the clicked unit, or undo its edit, and show it in all states."""
    clicked, condition = parse_site(text), session.current()
    made = condition.click_action.on_activation(clicked, model.world.states)
    session.click(made, model, activation=clicked if clicked.index else condition.activation)


def _choose_token(position: int, model: Model) -> None:
    """Choose the token at a position; if it has no name, choose all tokens."""
    at = {anchor.index(model.template): anchor for anchor in named_positions(model)}
    session.change(token=at.get(position))


def _offer_files(view: View, part: Part) -> None:
    """Offer the activation as files of numbers with named axes."""
    model, condition = view.model, view.condition
    with st.popover("Export numbers", icon=":material/download:"):
        states = st.segmented_control(
            "Of", [THIS_STATE, ALL_STATES], default=ALL_STATES, required=True, key="export_states"
        )
        run = EDITED if view.applied else BASELINE
        if view.applied:
            run = st.segmented_control(
                "Model", [BASELINE, EDITED], default=EDITED, required=True, key="export_run"
            )
        state: State | None = condition.state if states == THIS_STATE else None
        interventions = view.applied if run == EDITED else ()
        for ending in FORMATS:
            name = _file_name(model, part.site, state, run) + ending
            st.download_button(
                name,
                data=partial(measured.export, model, part, interventions, state, ending),
                file_name=name,
                mime="application/octet-stream",
                key=f"export{ending}",
                on_click="ignore",
            )
        st.caption("The file names its axes and their entries: states, tokens, units.")


def _file_name(model: Model, site: Site, state: State | None, run: str) -> str:
    where = "all" if state is None else "".join(map(str, state))
    return f"{model.name}-{site}-{where}-{run}"


def _state_or_text(choice: State | str) -> str:
    return choice if isinstance(choice, str) else state_text(choice)


def _unless(none: str, choice: object) -> object | None:
    return None if choice == none else choice


main(session.models()[0])
