"""Page World: an editor for rules, checked at every key; what depends on what, and the truth table."""

from __future__ import annotations

import streamlit as st

from api import state_table
from app_pages.world import components, rules_toolbar, world_data
from playground.datasets import DatasetSpec, default_hold_out
from playground.worlds import World
from state import rules_editor
from ui import components as shared
from ui.predictors import predictor_panel

WIDTHS = (10, 12)


def main() -> None:
    """Show the page; a key press runs no other part of the app."""
    st.fragment(_show)()


def _show() -> None:
    rules_editor.carry_out()
    draft = rules_editor.current()
    address = rules_editor.address()
    rules_toolbar.show(draft)
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        components.rules_editor(
            key="rules_editor",
            data=world_data.editor_data(draft, address),
            on_text=rules_editor.on_text,
        )
    world, stale = draft.world, bool(draft.faults)
    if world is None:
        right.caption("The diagram of dependencies appears here once the rules have no faults.")
        return
    with left:
        if not stale:
            predictor_panel.show(DatasetSpec(world=world, held_out=default_hold_out(world)))
    with right:
        components.structure(key="structure", data=world_data.structure_data(world, stale=stale))
    _show_states(world, stale=stale)


def _show_states(world: World, *, stale: bool) -> None:
    caption = "The truth table" + (f" {world_data.EARLIER}" if stale else "")
    data = state_table.state_data(world, (), board=None, editable=False, caption=caption)
    shared.state_table(key="truth_table", data=data | {"plain": True, "stale": stale})


main()
