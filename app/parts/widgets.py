"""Streamlit's widgets whose values change elsewhere, too: by other clicks, or since what they held was taken."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import streamlit as st


def show(
    draw: Callable[..., Any], *args: Any, key: str, value: Any, take: Callable[[Any], None], **options: Any
) -> None:
    """Show a widget that has a value, and take over another one that somebody chooses in it.

    With every click, and with every tick of a fragment's timer, a browser tells what all its widgets hold.
    Where it does not show yet what the page says since, Streamlit takes what it held before for a choice,
    which would undo the change. So a widget that comes to show another value than the browser has told is a
    new one, with a key of its own; of the old one, only what differs from what it held is a choice.

    Args:
        draw: the widget, such as `st.selectbox`.
        args: its label and, where it has any, its options.
        key: its name on the page.
        value: what it shows.
        take: is called with what somebody has chosen.
        options: all else that the widget takes.
    """
    memory = st.session_state
    # What the browser is known to have told last, by the number of the widget: of the one before, too, since
    # somebody may choose in it until the browser shows the new one.
    told: dict[int, Any] = memory.setdefault("widgets", {}).setdefault(key, {})
    number = max(told, default=0)
    if f"{key}.{number}" not in memory or told[number] != value:
        number += 1
        memory[f"{key}.{number}"] = told[number] = value
        told.pop(number - 2, None)
    held = f"{key}.{number}"

    def choose() -> None:
        if number in told and held in memory and memory[held] != told[number]:
            told[number] = memory[held]
            take(told[number])

    draw(*args, key=held, on_change=choose, **options)


def emptied(key: str) -> str:
    """Return the key of a widget that is a new one, and so empty, each time that it was emptied.

    Emptied by its value, it would be filled again by what a browser tells that does not show that yet.
    """
    return f"{key}.{st.session_state.get(f'emptied_{key}', 0)}"


def empty(*keys: str) -> None:
    """Empty widgets, since what they held has been taken."""
    for key in keys:
        st.session_state[f"emptied_{key}"] = st.session_state.get(f"emptied_{key}", 0) + 1
