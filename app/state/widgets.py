"""Named values that a browser tab remembers, and widgets whose value can also change elsewhere."""

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
        name: of the value; unique in the app.
        default: the value until it is set.
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
    """A widget in the browser.

    Args:
        page: where it was made; on another page, Streamlit does not know its value.
        limits: what can be chosen in it.
        first: the value that it shows until the user chooses.
        reported: the last value that the browser is known to have reported.
    """

    page: str | None
    limits: tuple[Any, ...]
    first: Any
    reported: Any

    def still_shows(self, now: _Widget) -> bool:
        """Return whether this widget equals the one that would be made now."""
        return (self.page, self.limits, self.reported) == (now.page, now.limits, now.reported)


def show(
    draw: Callable[..., Any],
    *args: Any,
    key: str,
    value: Any,
    on_choice: Callable[[Any], None],
    **options: Any,
) -> Any:
    """Show a widget with a given value, and call `on_choice` when the user chooses another one.

    With every click, and with every tick of a fragment's timer, a browser reports the values of all its widgets.
    If the browser does not show the page's latest value yet, Streamlit takes the old value for a choice, which would
    undo the change. So whenever the value differs from the one that the browser has reported, the widget gets a new
    key. A report from the old widget counts as a choice only if it differs from the old value.

    Every run passes the first value again. Streamlit sends a value from its session state only once, so a browser
    that draws the widget after hearing of the next run might show it empty.

    Args:
        draw: the widget, such as `st.selectbox`.
        args: its label and, if it has any, its options.
        key: its name on the page.
        value: the value that it shows.
        on_choice: called with the value that the user has chosen.
        options: further arguments of the widget.

    Returns:
        The return value of `draw`.
    """
    memory = st.session_state
    # By number. The previous widget is kept, too: the user may choose in it until the browser shows the new one.
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
    """Return the argument that sets the first value of a widget."""
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
    """Return the value of a widget.

    Args:
        key: of the widget.
        default: returned if the widget is not on the page.
    """
    return st.session_state.get(key, default)


def emptied(key: str) -> str:
    """Return the key of a widget; it changes whenever the widget is emptied, which makes a new, empty one.

    If only its value were cleared, a browser that does not show that yet would report the old value and refill it.
    """
    return f"{key}.{st.session_state.get(f'emptied_{key}', 0)}"


def empty(*keys: str) -> None:
    """Empty widgets after their values have been used."""
    for key in keys:
        st.session_state[f"emptied_{key}"] = st.session_state.get(f"emptied_{key}", 0) + 1
