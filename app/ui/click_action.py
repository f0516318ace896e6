"""What the next click does: the kind of edit, its amount, its source state, and its tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from api.condition import Condition, lowest_amount, named_positions
from playground.errors import RequestError
from playground.inference import Model
from playground.interventions import (
    LARGEST_AMOUNT,
    ActivationIntervention,
    Anchor,
    SiteIntervention,
    Span,
    WeightIntervention,
    activation_kinds,
    weight_kinds,
)
from playground.seeds import LARGEST_SEED
from playground.worlds import state_text
from state import session, widgets

FIRST, LAST = "the first", "the last"


def choose_on_activations(model: Model, condition: Condition) -> None:
    """Show the controls for the next click on a part of the model, and the tokens at which it acts."""
    action = condition.click_action
    _choose_kind("action_kind", activation_kinds(), action.kind)
    _choose_options(model, condition, action.kind, "amount", action.amount)


def choose_on_weights(model: Model, condition: Condition) -> None:
    """Show the controls for the next click on a weight, and the tokens during which it acts."""
    action = condition.click_action
    _choose_kind("action_weights", weight_kinds(), action.weight_kind)
    _choose_options(model, condition, action.weight_kind, "noise", action.noise)


def _choose_kind(
    key: str,
    kinds: Mapping[str, type[ActivationIntervention | WeightIntervention]],
    chosen: type[SiteIntervention],
) -> None:
    widgets.show(
        st.segmented_control,
        "Clicking a part will",
        list(kinds),
        key=key,
        value=chosen.kind,
        on_choice=lambda kind: session.change(
            click_action=session.current().click_action.with_kind(kinds[kind])
        ),
        required=True,
        help="\n\n".join(f"**{kind.kind}**: {kind.effect}. {kind.caution}" for kind in kinds.values()),
    )


def _choose_options(
    model: Model, condition: Condition, kind: type[SiteIntervention], field: str, amount: float
) -> None:
    """Show the options that a kind has, and the tokens at which it acts.

    Args:
        model: the open model.
        condition: of the page.
        kind: the kind of edit that a click makes.
        field: the field of the click action with the amount.
        amount: its present value.
    """
    action, options = condition.click_action, kind.clicked_options()
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if "amount" in options:
            _choose_amount(f"action_{field}", kind, field, amount)
        if "seed" in options:
            _choose_seed(action.seed)
        if "source" in options:
            _choose_state("action_from", "of state", "source", model, action.source or model.world.states[-1])
        if "minus" in options:
            _choose_state(
                "action_minus", "minus state", "minus", model, action.minus or model.world.states[0]
            )
        _choose_positions(model, condition)


def _choose_amount(key: str, kind: type[SiteIntervention], field: str, value: float) -> None:
    widgets.show(
        st.number_input,
        kind.amount_label,
        key=key,
        value=value,
        on_choice=lambda amount: session.change_click_action(**{field: amount}),
        min_value=lowest_amount(kind),
        max_value=LARGEST_AMOUNT,
        step=0.5,
        width=130,
    )


def _choose_seed(seed: int) -> None:
    widgets.show(
        st.number_input,
        "seed",
        key="action_seed",
        value=seed,
        on_choice=lambda seed: session.change_click_action(seed=seed),
        min_value=0,
        max_value=LARGEST_SEED,
        width=110,
    )


def _choose_state(key: str, label: str, field: str, model: Model, value: tuple[int, ...]) -> None:
    widgets.show(
        st.selectbox,
        label,
        model.world.states,
        key=key,
        value=value,
        on_choice=lambda state: session.change_click_action(**{field: state}),
        format_func=state_text,
        width=140,
    )


def _choose_positions(model: Model, condition: Condition) -> None:
    anchors = named_positions(model)
    positions = condition.click_action.positions
    widgets.show(
        st.selectbox,
        "act from",
        [FIRST, *anchors],
        key="action_start",
        value=positions.start or FIRST,
        on_choice=lambda start: _move(model, start=None if start == FIRST else start),
        format_func=str,
        width=130,
        help="NAME: the position where its token is read. >NAME: where it is written, one position earlier.",
    )
    widgets.show(
        st.selectbox,
        "until",
        [*anchors, LAST],
        key="action_stop",
        value=positions.stop or LAST,
        on_choice=lambda stop: _move(model, stop=None if stop == LAST else stop),
        format_func=str,
        width=130,
    )


def _move(model: Model, **end: Anchor | None) -> None:
    """Set one end of the positions; if the ends then cross, open the other."""
    span = replace(session.current().click_action.positions, **end)
    try:
        span.mask(model.template)
    except RequestError:
        span = Span(**end)
    session.change_click_action(positions=span)
