"""What the panels of page Mechanism have in common: grids of numbers, and lists of the cases behind one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import streamlit as st
from jaxtyping import Float

from app_pages.mechanism import components
from app_pages.mechanism.mechanisms import Side
from playground.analysis import chained_answers
from playground.inference import token_names
from playground.worlds import World, state_text
from state import session
from state.condition import Condition
from ui.wording import as_text

_DIGITS = 4
STATE = {"name": "state", "state": True}
"""The column of a list that names a state, which a click shows."""


@dataclass(frozen=True)
class Shown:
    """What one panel shows of one model.

    Args:
        side: the model.
        method: the name of the method.
        result: what has been measured by it so far.
        condition: of the page.
    """

    side: Side
    method: str
    result: Any
    condition: Condition

    @property
    def world(self) -> World:
        """The model's world."""
        return self.side.model.world

    @property
    def answer(self) -> str:
        """The answer that the page is about."""
        return answer_of(self.world, self.condition)

    @property
    def state(self) -> int:
        """The index of the state that is chosen on the left."""
        return self.world.states.index(self.condition.state)

    def key(self, what: str) -> str:
        """Return a component's name on the page."""
        return f"{what}_{self.method}_{self.side.title}"

    def state_text(self, index: int) -> str:
        """Return a state of the world by its index."""
        return state_text(self.world.states[index])


def answer_of(world: World, condition: Condition) -> str:
    """Return the answer that is chosen; at first the first that reads others, which can come about in two ways."""
    if condition.answer in world.answers:
        return condition.answer
    reading = (
        name for name in world.answers if any(each in world.outputs for each in world.dependencies[name])
    )
    return next(reading, chained_answers(world)[0])


def show_grid(
    shown: Shown,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Float[np.ndarray, "row column"],
    *,
    label: str,
    corner: str,
    legend: str,
    take: Callable[[int, int], None],
    chosen: tuple[int, int] | None = None,
    notes: Sequence[Sequence[str]] | None = None,
    unit: str = "share",
    marked: Sequence[int] = (),
    largest: float | None = None,
) -> None:
    """Show numbers as a grid of buttons.

    Args:
        shown: by which panel.
        rows: their names.
        columns: their names.
        values: NaN where nothing is known.
        label: what it is, for who does not see it, and for files.
        corner: what rows and columns are.
        legend: in words, what a number says.
        take: is called with row and column of what is clicked.
        chosen: which number is.
        notes: what stands small below each number.
        unit: `share` from 0 to 1, or `logits`.
        marked: rows that are set off.
        largest: the number with the strongest colour; that of the values unless said.
    """
    key = shown.key("grid")
    known = values[np.isfinite(values)]
    components.grid(
        key=key,
        data={
            "rows": list(rows),
            "columns": list(columns),
            "values": [
                [None if not np.isfinite(value) else round(float(value), _DIGITS) for value in row]
                for row in values
            ],
            "label": label,
            "what": f"{shown.method} {shown.side.title} {label}",
            "corner": corner,
            "legend": legend,
            "chosen": chosen,
            "notes": notes,
            "unit": unit,
            "marked": list(marked),
            "largest": largest or (float(np.abs(known).max()) if known.size else 1.0),
        },
        on_cell=lambda cell: take(*cell),
    )


def show_list(
    shown: Shown,
    columns: Sequence[str | dict[str, Any]],
    rows: Sequence[tuple[Sequence[Any], bool | None]],
    *,
    label: str,
    summary: str,
    what: str = "list",
    take_row: Callable[[int], None] | None = None,
) -> None:
    """Show cases one below the other.

    Args:
        shown: by which panel.
        columns: names, or what `case_table.js` knows of a column.
        rows: cells of each case, and whether it is as it should be.
        label: what it is, for who does not see it, and for files.
        summary: what stands above it.
        what: tells lists of one panel apart.
        take_row: is called with the number of the row whose part is clicked.
    """
    world, key = shown.world, shown.key(what)
    components.case_table(
        key=key,
        data={
            "columns": [{"name": each} if isinstance(each, str) else each for each in columns],
            "rows": [{"cells": [str(cell) for cell in cells], "ok": ok} for cells, ok in rows],
            "label": f"{label}: {shown.method} of {shown.side.title}",
            "what": f"{label} {summary}",
            "summary": summary,
            "held_out": [state_text(state) for state in shown.side.model.dataset.held_out],
        },
        on_state=lambda state: session.change(state=world.parse_state(state)),
        on_row=lambda row: take_row(row) if take_row else None,
    )


def choose_cell(site: str, token: str, **more: Any) -> None:
    """Choose a part and a token; what lies behind its numbers is listed in every panel that has them."""
    session.change(cell=(site, token), **more)


def cell_in(shown: Shown, sites: Sequence[str], tokens: Sequence[str]) -> tuple[int, int] | None:
    """Return where the chosen part and token stand in a panel; None if they do not."""
    cell = shown.condition.cell
    if cell is None or cell[0] not in sites or cell[1] not in tokens:
        return None
    return list(sites).index(cell[0]), list(tokens).index(cell[1])


def writing_of(shown: Shown, answer: str) -> str:
    """Return the name of the token from which an answer is written."""
    template = shown.side.model.template
    return token_names(template)[int(template.positions[answer]) - 1]


def say(text: str) -> None:
    """Say something in small print that is dark enough to be read."""
    st.markdown(f":small[{as_text(text)}]")


def signed(value: float) -> str:
    """Return a number with its sign."""
    return f"{value:+.2f}".replace("-", "−")


def percent(value: float | None) -> str:
    """Return a share in percent; a dash for none."""
    if value is None or not np.isfinite(value):
        return "–"
    return f"{round(100 * value) or 0}%".replace("-", "−")
