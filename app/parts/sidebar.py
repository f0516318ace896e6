"""The sidebar, which every page has: model, state, and the tray of active interventions."""

from __future__ import annotations

import streamlit as st

from parts import session
from parts.condition import Condition
from playground.inference import Model
from playground.interventions import Intervention
from playground.worlds import state_text


def choose_model(runs: list[session.Run], run: session.Run) -> None:
    """Show which trained model is open."""
    st.session_state.chosen_run = run
    st.sidebar.markdown("### the-experiment")
    st.sidebar.selectbox(
        "Model",
        runs,
        key="chosen_run",
        format_func="/".join,
        on_change=lambda: session.open_run(st.session_state.chosen_run),
    )


def show(model: Model, condition: Condition) -> None:
    """Show all of the sidebar but the choice of model."""
    with st.sidebar:
        choose_state(model, condition)
        show_tray(model, condition)


def choose_state(model: Model, condition: Condition) -> None:
    """Show one toggle per input, and the way to the next held-out state."""
    inputs = model.world.inputs
    for name, bit in zip(inputs, condition.state, strict=True):
        st.session_state[_toggle(name)] = bool(bit)
    st.markdown("**State**")
    with st.container(horizontal=True, gap="small", key="state"):
        for name in inputs:
            st.toggle(name, key=_toggle(name), on_change=_read_toggles, args=(inputs,))
    held_out = condition.state in model.dataset.held_out
    where = ":violet[**◆ held out**]" if held_out else "seen in training"
    st.markdown(f"`{state_text(condition.state)}` {where}")
    st.button(
        "Next held-out state",
        key="next_held_out",
        on_click=_next_held_out,
        args=(model,),
        disabled=not model.dataset.held_out,
        help="Step through the states that training never had.",
    )


def show_tray(model: Model, condition: Condition) -> None:
    """Show the active interventions, each with its remove button; undo, redo, reset; add one by text."""
    st.markdown("**Interventions**")
    if not condition.interventions:
        st.caption("None. Click a head to ablate it.")
    for index, intervention in enumerate(condition.interventions):
        with st.container(key=f"tray_{index}"):
            text, remove = st.columns([5, 3], gap="small", vertical_alignment="center")
            text.markdown(f"`{intervention}`")
            remove.button(
                "Remove",
                key=f"remove_{index}",
                type="tertiary",
                help=f"Remove {intervention}",
                on_click=_remove,
                args=(intervention,),
            )
    with st.container(horizontal=True, gap="small", key="history"):
        st.button("Undo", key="undo", on_click=session.undo, disabled=not session.can_undo())
        st.button("Redo", key="redo", on_click=session.redo, disabled=not session.can_redo())
        st.button("Reset", key="reset", on_click=_reset, disabled=not condition.interventions)
    st.text_input(
        "Add by text",
        key="by_text",
        placeholder="zero:L1H2@>newB..",
        help="KIND:SITE[@POSITIONS]; several joined by ';'.",
        on_change=_add_by_text,
        args=(model,),
    )
    for kind in dict.fromkeys(type(intervention) for intervention in condition.interventions):
        _caution(kind)


def _caution(kind: type[Intervention]) -> None:
    st.caption(f":material/info: **{kind.kind}** — {kind.effect}. {kind.caution}")


def _toggle(name: str) -> str:
    return f"input_{name}"


def _read_toggles(inputs: tuple[str, ...]) -> None:
    session.change(state=tuple(int(st.session_state[_toggle(name)]) for name in inputs))


def _next_held_out(model: Model) -> None:
    states, held_out = model.world.states, set(model.dataset.held_out)
    here = states.index(session.current().state)
    following = (*states[here + 1 :], *states[: here + 1])
    session.change(state=next(state for state in following if state in held_out))


def _remove(intervention: Intervention) -> None:
    """Remove by value: the tray may be drawn anew a moment after what the last click changed."""
    active = list(session.current().interventions)
    if intervention in active:
        active.remove(intervention)
    session.change(interventions=tuple(active))


def _reset() -> None:
    session.change(interventions=())


def _add_by_text(model: Model) -> None:
    text = st.session_state["by_text"].strip()
    if text and session.add(text, model):
        st.session_state["by_text"] = ""
