"""What the next click does: which change, how much of it, from which state, at which tokens."""

from __future__ import annotations

from collections.abc import Mapping

import streamlit as st

from parts import session
from parts.address import LARGEST, LARGEST_SEED
from parts.condition import Condition, named_positions
from playground.errors import RequestError
from playground.inference import Model
from playground.interventions import ON_ACTIVATIONS, ON_WEIGHTS, Intervention, Noise, Span
from playground.worlds import state_text

FIRST, LAST = "the first", "the last"


def choose_on_activations(model: Model, condition: Condition) -> None:
    """Show what the next click on a part of the model does, and at which tokens."""
    brush = condition.brush
    needs = brush.kind.needs
    _choose_kind("brush_kind", "kind", ON_ACTIVATIONS, brush.kind)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if "amount" in needs:
            _choose_amount("brush_amount", "times", "amount", brush.amount, -LARGEST)
        if "source" in needs:
            _choose_state("brush_from", "of state", "source", model, brush.source or model.world.states[-1])
        if "minus" in needs:
            _choose_state("brush_minus", "minus state", "minus", model, brush.minus or model.world.states[0])
        _choose_positions(model, condition)


def choose_on_weights(model: Model, condition: Condition) -> None:
    """Show what the next click on a weight does, and while which tokens are read."""
    brush = condition.brush
    _choose_kind("brush_weights", "weight_kind", ON_WEIGHTS, brush.weight_kind)
    with st.container(horizontal=True, gap="small", vertical_alignment="bottom"):
        if brush.weight_kind is Noise:
            _choose_amount("brush_noise", "standard deviations", "noise", brush.noise, 1 / LARGEST)
            st.session_state.brush_seed = brush.seed
            st.number_input(
                "seed",
                min_value=0,
                max_value=LARGEST_SEED,
                key="brush_seed",
                width=110,
                on_change=lambda: session.brush(seed=st.session_state.brush_seed),
            )
        _choose_positions(model, condition)


def _choose_kind(
    key: str, field: str, kinds: Mapping[str, type[Intervention]], chosen: type[Intervention]
) -> None:
    st.session_state[key] = chosen.kind
    st.segmented_control(
        "A click",
        list(kinds),
        required=True,
        key=key,
        on_change=lambda: session.brush(**{field: kinds[st.session_state[key]]}),
        help="\n\n".join(f"**{kind.kind}**: {kind.effect}. {kind.caution}" for kind in kinds.values()),
    )


def _choose_amount(key: str, label: str, field: str, value: float, lowest: float) -> None:
    st.session_state[key] = value
    st.number_input(
        label,
        min_value=lowest,
        max_value=LARGEST,
        step=0.5,
        key=key,
        width=130,
        on_change=lambda: session.brush(**{field: st.session_state[key]}),
    )


def _choose_state(key: str, label: str, field: str, model: Model, value: tuple[int, ...]) -> None:
    st.session_state[key] = value
    st.selectbox(
        label,
        model.world.states,
        key=key,
        format_func=state_text,
        width=140,
        on_change=lambda: session.brush(**{field: st.session_state[key]}),
    )


def _choose_positions(model: Model, condition: Condition) -> None:
    anchors = named_positions(model)
    positions = condition.brush.positions
    st.session_state.brush_start = positions.start or FIRST
    st.session_state.brush_stop = positions.stop or LAST
    st.selectbox(
        "from token",
        [FIRST, *anchors],
        key="brush_start",
        format_func=str,
        width=130,
        on_change=_read_positions,
        args=(model, "start"),
        help="Name: where its token is read. >Name: where it is written, one position earlier.",
    )
    st.selectbox(
        "to token",
        [*anchors, LAST],
        key="brush_stop",
        format_func=str,
        width=130,
        on_change=_read_positions,
        args=(model, "stop"),
    )


def _read_positions(model: Model, moved: str) -> None:
    """Take over both ends; if they are crossed now, the end that was not moved becomes open."""
    start, stop = st.session_state.brush_start, st.session_state.brush_stop
    span = Span(None if start == FIRST else start, None if stop == LAST else stop)
    try:
        span.mask(model.template)
    except RequestError:
        span = Span(span.start, None) if moved == "start" else Span(None, span.stop)
    session.brush(positions=span)
