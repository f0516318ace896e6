"""Page World: rules to type, checked at every key; what depends on what, and the truth table."""

from __future__ import annotations

import streamlit as st

from parts import components, courses, drafts, guessing, lessons, shelf, worlds
from playground.datasets import DatasetSpec
from playground.worlds import World

WIDTHS = (10, 12)


def main() -> None:
    """Show the page; a key runs nothing else of the app."""
    st.fragment(_show)()


def _show() -> None:
    drafts.carry_out()
    draft = drafts.current()
    address = drafts.address()
    shelf.show(draft)
    left, right = st.columns(WIDTHS, gap="medium")
    with left:
        components.rules(
            key="rules",
            data=worlds.editor_data(draft, address),
            on_text=drafts.take,
        )
    world, stale = draft.world, bool(draft.faults)
    if world is None:
        right.caption("What depends on what is shown here as soon as nothing is wrong with the rules.")
        return
    with left:
        if not stale:
            guessing.show(DatasetSpec(world=world, held_out=lessons.hold_out_of(world)))
    with right:
        components.structure(key="structure", data=worlds.structure_data(world, stale=stale))
    _show_states(world, stale=stale)


def _show_states(world: World, *, stale: bool) -> None:
    caption = "The truth table" + (f" {worlds.EARLIER}" if stale else "")
    data = courses.lesson_data(world, (), board=None, editable=False, caption=caption)
    components.lesson(key="truth_table", data=data | {"plain": True, "stale": stale})


main()
