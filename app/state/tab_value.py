"""One value that a browser tab remembers, by name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

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
