"""Slow computations: they start when the rest of the page is drawn, and a click interrupts them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st

from state import deferred, session
from ui import components
from ui.wording import as_text


def find(key: str, announced: str, work: Callable[[], Iterable[str]]) -> None:
    """Compute something a moment later, then run the page again to show it.

    A fragment with a timer does not work: while this is being computed, the request of the next tick would replace
    a navigation to another page that the user has just clicked.

    Args:
        key: its name on the page.
        announced: the text shown until the work begins.
        work: computes it, and yields its progress as text; a click may interrupt at each yield.
    """
    st.fragment(_find)(key, announced, work, deferred.take_number())


def _find(key: str, announced: str, work: Callable[[], Iterable[str]], number: int) -> None:
    place, name = st.empty(), f"later_{key}"
    if not deferred.is_asked_for(name, number):
        if announced:
            place.caption(as_text(announced))
        components.later(key=name, data={"number": number}, on_due=partial(deferred.note_asked_for, name))
        return
    for said in work():
        place.caption(as_text(said))
    session.rerun()
