"""What takes long to find: put off until all else stands on the page, and given up where a click comes first."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import streamlit as st

from parts import components, session
from parts.wording import as_text


def find(key: str, announced: str, work: Callable[[], Iterable[str]]) -> None:
    """Have something found a moment later; the page is shown anew with it.

    A fragment with a timer would not do: what its next tick asks for while this is being found takes the
    place of a way to another page that somebody has just clicked.

    Args:
        key: its name on the page.
        announced: what is said until then.
        work: finds it, and says how far it has come; between two of what it says, a click comes first.
    """
    number = st.session_state.get("put_off", 0) + 1
    st.session_state.put_off = number
    st.fragment(_find)(key, announced, work, number)


def _find(key: str, announced: str, work: Callable[[], Iterable[str]], number: int) -> None:
    memory, place, name = st.session_state, st.empty(), f"later_{key}"
    if memory.get(f"asked_{name}") != number:
        if announced:
            place.caption(as_text(announced))
        components.later(
            key=name,
            data={"number": number},
            on_due=lambda due: memory.update({f"asked_{name}": due}),
        )
        return
    for said in work():
        place.caption(as_text(said))
    session.again()
