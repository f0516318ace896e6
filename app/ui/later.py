"""What takes long to find: put off until all else stands on the page, and given up where a click comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import streamlit as st

from state import deferred, session
from ui import components
from ui.wording import as_text


def find(key: str, announced: str, work: Callable[[], Iterable[str]]) -> None:
    """Have something found a moment later; the page is shown anew with it.

    A fragment with a timer would not do: what its next tick asks for while this is being found takes the
    place of a way to another page that somebody has just clicked.

    Args:
        key: its name on the page.
        announced: what is said until then.
        work: finds it, and says how far it has come; between two of what it says, a click comes first.
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
