"""What a browser tab remembers by name: single values, and those of widgets that change elsewhere, too."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import streamlit as st

Value = TypeVar("Value")


@dataclass(frozen=True)
class TabValue(Generic[Value]):
    """A value that a tab remembers from one run to the next.

    Args:
        name: of the value; no other in the app has it.
        default: what it is until somebody sets it.
    """

    name: str
    default: Value

    def get(self) -> Value:
        """Return the value."""
        return st.session_state.get(self.name, self.default)

    def set(self, value: Value) -> None:
        """Remember another value."""
        st.session_state[self.name] = value

    def take(self) -> Value:
        """Return the value, and forget it."""
        return st.session_state.pop(self.name, self.default)


@dataclass
class _Widget:
    """A widget of a browser.

    Args:
        page: on which it was made; on another one, Streamlit does not know what it held.
        limits: what can be chosen in it.
        first: what it shows until somebody chooses.
        reported: what the browser is known to have reported last.
    """

    page: str | None
    limits: tuple[Any, ...]
    first: Any
    reported: Any

    def still_shows(self, now: _Widget) -> bool:
        """Return whether this one is what would be made now."""
        return (self.page, self.limits, self.reported) == (now.page, now.limits, now.reported)


def show(
    draw: Callable[..., Any],
    *args: Any,
    key: str,
    value: Any,
    on_choice: Callable[[Any], None],
    **options: Any,
) -> Any:
    """Show a widget that has a value, and take over another one that somebody chooses in it.

    With every click, and with every tick of a fragment's timer, a browser reports what all its widgets hold.
    Where it does not show yet what the page says since, Streamlit takes what it held before for a choice,
    which would undo the change. So a widget that comes to show another value than the browser has reported is a
    new one, with a key of its own; of the old one, only what differs from what it held is a choice.

    What a widget shows first is said anew in every run: Streamlit would say a value of its session state only
    once, and a browser that draws the widget when it has heard of the next run, too, may show an empty one.

    Args:
        draw: the widget, such as `st.selectbox`.
        args: its label and, where it has any, its options.
        key: its name on the page.
        value: what it shows.
        on_choice: is called with what somebody has chosen.
        options: all else that the widget takes.

    Returns:
        What drawing it returns.
    """
    memory = st.session_state
    # By number; the one before, too, since somebody may choose in it until the browser shows the new one.
    known: dict[int, _Widget] = memory.setdefault("widgets", {}).setdefault(key, {})
    number = max(known, default=0)
    now = _Widget(
        memory.get("page"), (*args, options.get("min_value"), options.get("max_value")), value, value
    )
    if f"{key}.{number}" not in memory or not known[number].still_shows(now):
        number += 1
        known[number] = now
        known.pop(number - 2, None)
    held, widget = f"{key}.{number}", known[number]

    def choose() -> None:
        if known.get(number) is widget and held in memory and memory[held] != widget.reported:
            widget.reported = memory[held]
            on_choice(widget.reported)

    return draw(*args, key=held, on_change=choose, **_as_first(draw, widget.first, args), **options)


def _as_first(draw: Callable[..., Any], value: Any, args: tuple[Any, ...]) -> dict[str, Any]:
    """Return the argument that has a widget show a value at first."""
    match draw.__name__:
        case "selectbox":
            return {"index": list(args[1]).index(value)}
        case "pills" | "segmented_control":
            return {"default": value}
        case "expander":
            return {"expanded": value}
        case _:
            return {"value": value}


def value_of(key: str, default: Any = None) -> Any:
    """Return what a widget holds.

    Args:
        key: of the widget.
        default: what is returned if it is not on the page.
    """
    return st.session_state.get(key, default)


def emptied(key: str) -> str:
    """Return the key of a widget that is a new one, and so empty, each time that it was emptied.

    Emptied by its value, it would be filled again by what a browser reports that does not show that yet.
    """
    return f"{key}.{st.session_state.get(f'emptied_{key}', 0)}"


def empty(*keys: str) -> None:
    """Empty widgets, since what they held has been taken."""
    for key in keys:
        st.session_state[f"emptied_{key}"] = st.session_state.get(f"emptied_{key}", 0) + 1
