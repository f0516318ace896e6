"""What the next click does: which ablation, at which tokens."""

from __future__ import annotations

import streamlit as st

from parts import session
from parts.condition import Condition, named_positions
from playground.errors import RequestError
from playground.inference import Model
from playground.interventions import KINDS, Span

FIRST, LAST = "the first", "the last"


def choose_ablation(model: Model, condition: Condition) -> None:
    """Show the kind and the positions of the ablation that the next click adds."""
    anchors = named_positions(model)
    st.session_state.brush_kind = condition.kind.kind
    st.session_state.brush_start = condition.positions.start or FIRST
    st.session_state.brush_stop = condition.positions.stop or LAST
    kind, start, stop = st.columns([5, 4, 4], vertical_alignment="bottom", gap="small")
    with kind:
        st.segmented_control(
            "A click sets to",
            list(KINDS),
            required=True,
            key="brush_kind",
            on_change=lambda: session.change(kind=KINDS[st.session_state.brush_kind]),
            help="\n\n".join(f"**{kind.kind}**: {kind.effect}. {kind.caution}" for kind in KINDS.values()),
        )
    with start:
        st.selectbox(
            "from token",
            [FIRST, *anchors],
            key="brush_start",
            format_func=str,
            on_change=_read_positions,
            args=(model, "start"),
            help="Name: where its token is read. >Name: where it is written, one position earlier.",
        )
    with stop:
        st.selectbox(
            "to token",
            [*anchors, LAST],
            key="brush_stop",
            format_func=str,
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
    session.change(positions=span)
