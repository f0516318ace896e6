"""What the next click does: which change, how much of it, from which state, at which tokens."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import streamlit as st

from playground.errors import RequestError
from playground.inference import Model
from playground.interventions import ON_ACTIVATIONS, ON_WEIGHTS, Anchor, Intervention, Noise, Span
from playground.seeds import LARGEST_SEED
from playground.worlds import state_text
from state import session, widgets
from state.address import LARGEST
from state.condition import Condition, named_positions

FIRST, LAST = "the first", "the last"


def choose_on_activations(model: Model, condition: Condition) -> None:
    """Show what the next click on a part of the model does, and at which tokens."""
    action = condition.click_action
    needs = action.kind.needs
    _choose_kind("action_kind", "kind", ON_ACTIVATIONS, action.kind)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if "amount" in needs:
            _choose_amount("action_amount", "times", "amount", action.amount, -LARGEST)
        if "source" in needs:
            _choose_state("action_from", "of state", "source", model, action.source or model.world.states[-1])
        if "minus" in needs:
            _choose_state(
                "action_minus", "minus state", "minus", model, action.minus or model.world.states[0]
            )
        _choose_positions(model, condition)


def choose_on_weights(model: Model, condition: Condition) -> None:
    """Show what the next click on a weight does, and while which tokens are read."""
    action = condition.click_action
    _choose_kind("action_weights", "weight_kind", ON_WEIGHTS, action.weight_kind)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if action.weight_kind is Noise:
            _choose_amount("action_noise", "standard deviations", "noise", action.noise, 1 / LARGEST)
            widgets.show(
                st.number_input,
                "seed",
                key="action_seed",
                value=action.seed,
                on_choice=lambda seed: session.change_click_action(seed=seed),
                min_value=0,
                max_value=LARGEST_SEED,
                width=110,
            )
        _choose_positions(model, condition)


def _choose_kind(
    key: str, field: str, kinds: Mapping[str, type[Intervention]], chosen: type[Intervention]
) -> None:
    widgets.show(
        st.segmented_control,
        "Clicking a part will",
        list(kinds),
        key=key,
        value=chosen.kind,
        on_choice=lambda kind: session.change_click_action(**{field: kinds[kind]}),
        required=True,
        help="\n\n".join(f"**{kind.kind}**: {kind.effect}. {kind.caution}" for kind in kinds.values()),
    )


def _choose_amount(key: str, label: str, field: str, value: float, lowest: float) -> None:
    widgets.show(
        st.number_input,
        label,
        key=key,
        value=value,
        on_choice=lambda amount: session.change_click_action(**{field: amount}),
        min_value=lowest,
        max_value=LARGEST,
        step=0.5,
        width=130,
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
        help="Name: where its token is read. >Name: where it is written, one position earlier.",
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
    """Take over one end; if both are crossed now, the other becomes open."""
    span = replace(session.current().click_action.positions, **end)
    try:
        span.mask(model.template)
    except RequestError:
        span = Span(**end)
    session.change_click_action(positions=span)
