"""What is drawn or computed once everything that a click changes first is on the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import streamlit as st

from playground.inference import Model


def start(models: Sequence[Model]) -> None:
    """Begin a page on which nothing is deferred yet.

    Args:
        models: the models whose boards the next click will ask for.
    """
    memory = st.session_state
    memory.awaited, memory.afterwards, memory.at_last = models, [], []


def awaited() -> Sequence[Model]:
    """Return the models whose boards the next click will ask for."""
    return st.session_state.get("awaited", ())


def afterwards(draw: Callable[[], None]) -> None:
    """Defer a drawing until everything that a click changes first is on the page."""
    st.session_state.afterwards.append(draw)


def at_last(draw: Callable[[], None]) -> None:
    """Defer a drawing, with the computing it needs, until after all else; a click may interrupt it."""
    st.session_state.at_last.append(draw)


def draw_all() -> None:
    """Draw what was deferred."""
    for draw in st.session_state.afterwards:
        draw()
    # The first may have deferred more.
    for draw in st.session_state.at_last:
        draw()


def take_number() -> int:
    """Return a fresh number for something that the browser is to ask for."""
    number = st.session_state.get("put_off", 0) + 1
    st.session_state.put_off = number
    return number


def is_asked_for(name: str, number: int) -> bool:
    """Return whether the browser has asked for something, by its number."""
    return st.session_state.get(f"asked_{name}") == number


def note_asked_for(name: str, number: int) -> None:
    """Note that the browser asks for something."""
    st.session_state[f"asked_{name}"] = number
