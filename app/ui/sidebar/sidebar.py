"""The sidebar, which every page has: model, state, and edits."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import streamlit as st

from api.condition import Condition
from api.runs import Run, Runs, of_run
from playground.errors import count_of
from playground.inference import Model
from playground.interventions import ALL_KINDS, example_of
from playground.models import at_step, find_run, snapshots_of, split_step
from playground.worlds import state_text
from state import session, widgets
from state.widgets import TabValue
from ui import components
from ui.sidebar import edits, sharing
from ui.wording import show_note

_TRAINED = "trained"
ADDED_TEXT: TabValue[dict[str, Any] | None] = TabValue("added_text", None)
"""The number of the last text that was added, and whether all of it could be added."""


def choose_model(found: Runs) -> None:
    """Show which trained model is open, and why some others cannot be opened."""
    st.sidebar.markdown("### the-experiment")
    if found.sound:
        run = session.run()
        widgets.show(
            st.sidebar.selectbox,
            "Model",
            found.sound,
            key="chosen_run",
            value=of_run(run),
            on_choice=session.open_run,
            format_func="/".join,
        )
        _choose_step(run)
    if found.damaged:
        with st.sidebar.expander(f"{count_of(len(found.damaged), 'model')} cannot be opened"):
            for run, faults in found.damaged.items():
                show_note(f"{'/'.join(run)}: {faults[0]}", "broken_image")


def _choose_step(run: Run) -> None:
    """Show which training step of the model is open, if its run has snapshots."""
    name, (base, step) = run[0], split_step(run[1])
    kept = snapshots_of(find_run(name, base))
    if not kept:
        return
    widgets.show(
        st.sidebar.select_slider,
        "Training step",
        [*kept, _TRAINED],
        key="training_step",
        value=_TRAINED if step is None else step,
        on_choice=lambda chosen: session.open_run(
            (name, at_step(base, None if chosen == _TRAINED else chosen))
        ),
        format_func=lambda chosen: chosen if chosen == _TRAINED else f"{chosen:,}",
        help="The same model at an earlier step of its training: its board, attention and interventions at that step.",
    )


def show(model: Model, models: Sequence[Model], condition: Condition) -> None:
    """Show the sidebar except for the choice of model.

    Args:
        model: the open model.
        models: those that the page shows.
        condition: of the page.
    """
    with st.sidebar:
        choose_state(model, condition)
        show_edits(model, models, condition)
        sharing.show(model, condition)
        show_cautions(condition)


def choose_state(model: Model, condition: Condition) -> None:
    """Show one toggle per input, and a button for the next held-out state."""
    inputs = model.world.inputs
    st.markdown("**State**")
    with st.container(horizontal=True, gap="small", key="state"):
        for index, (name, bit) in enumerate(zip(inputs, condition.state, strict=True)):
            widgets.show(
                st.toggle, name, key=f"input_{name}", value=bool(bit), on_choice=partial(_set_input, index)
            )
    held_out = condition.state in model.dataset.held_out
    where = ":violet[**◆ held out**]" if held_out else "seen in training"
    st.markdown(f"`{state_text(condition.state)}` {where}")
    st.button(
        "Next held-out state",
        key="next_held_out",
        on_click=_next_held_out,
        args=(model,),
        disabled=not model.dataset.held_out,
        help="Step through the states held out of training.",
    )


def show_edits(model: Model, models: Sequence[Model], condition: Condition) -> None:
    """Show the active interventions, and a box to add some by text."""
    edits.show(model, models, condition)
    st.markdown(":small[Add by text]", help=_sites_in_words(models))
    components.entry(
        key="by_text",
        data={
            "label": "Add by text",
            "placeholder": f"zero:{model.network.elements[-1]}",
            "taken": ADDED_TEXT.get(),
        },
        on_text=lambda payload: _on_text(payload, models),
    )


def show_cautions(condition: Condition) -> None:
    """Show for every kind of active intervention what it does, and when its result may mislead."""
    for kind in dict.fromkeys(type(intervention) for intervention in condition.interventions):
        st.caption(f":material/info: **{kind.kind}** — {kind.effect}. {kind.caution}")


def _sites_in_words(models: Sequence[Model]) -> str:
    """Return examples of what can be typed into the box, and the sites of each model."""
    sites = [
        f"**{model.name}**: "
        + ", ".join(f"`{site}{'[…]' if units else ''}`" for site, units in model.network.sites.items())
        for model in models
    ]
    examples = ", ".join(f"`{example_of(kind, models[0].world)}`" for kind in ALL_KINDS.values())
    return "\n\n".join([f"{examples}. Join several with ';'. Activations:", *sites])


def _set_input(index: int, bit: int) -> None:
    state = session.current().state
    session.change(state=(*state[:index], int(bit), *state[index + 1 :]))


def _next_held_out(model: Model) -> None:
    states, held_out = model.world.states, set(model.dataset.held_out)
    here = states.index(session.current().state)
    following = (*states[here + 1 :], *states[: here + 1])
    session.change(state=next(state for state in following if state in held_out))


def _on_text(payload: dict[str, Any], models: Sequence[Model]) -> None:
    ADDED_TEXT.set({"number": payload["number"], "added": session.add(payload["text"], models)})
