"""Blocks in the browser: clickable grids, lists of the cases behind a number, curves and bars."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import assert_never

import numpy as np
import streamlit as st

from api.condition import Condition
from app_pages.mechanism import components
from app_pages.mechanism.mechanisms import Side
from playground.analysis import (
    Bars,
    Block,
    Curve,
    Graph,
    Heatmap,
    Method,
    Selection,
    Sentence,
    Table,
    View,
    cell_text,
    default_answer,
)
from playground.models import at_step, split_step
from playground.report import figure_of, graph_svg
from playground.worlds import World, state_text
from state import session
from ui.figures import FIGURE_FORMATS, figure_files
from ui.wording import as_text

_DIGITS = 4
_IN_PERCENT = ("share", "weight")


@dataclass(frozen=True)
class Shown:
    """What one panel shows of one model.

    Args:
        side: the model.
        method: of the panel.
        condition: of the page.
    """

    side: Side
    method: Method
    condition: Condition

    @cached_property
    def view(self) -> View:
        """What the blocks are about, with those of the chosen options that the method offers here."""
        world = self.side.model.world
        view = View(
            self.side.model,
            self.side.applied,
            answer_of(world, self.condition),
            world.states.index(self.condition.state),
        )
        chosen = dict(self.condition.options)
        offered = {option.name: dict(option.choices) for option in self.method.options(view)}
        return replace(
            view,
            options={name: chosen[name] for name in offered if chosen.get(name) in offered[name]},
        )

    def key(self, what: str) -> str:
        """Return a component's name on the page."""
        return f"{what}_{self.method.name}_{self.side.title}"


def answer_of(world: World, condition: Condition) -> str:
    """Return the chosen answer; by default, one that can be derived in two ways."""
    return condition.answer if condition.answer in world.answers else default_answer(world)


def say(text: str) -> None:
    """Show a text in small print that is dark enough to read."""
    st.markdown(f":small[{as_text(text)}]")


def show(shown: Shown, blocks: Iterable[Block]) -> None:
    """Show the blocks of a panel, one below the other.

    Args:
        shown: the panel.
        blocks: of its method; each heatmap is followed by the cases behind its chosen cell.
    """
    numbered = list(enumerate(blocks))
    for number, block in numbered:
        if not block.folded:
            _show_block(shown, block, number)
    folded = [each for each in numbered if each[1].folded]
    if folded and st.toggle("More", key=shown.key("more"), help="Show the rest of this panel."):
        for number, block in folded:
            _show_block(shown, block, number)


def _show_block(shown: Shown, block: Block, number: int) -> None:
    match block:
        case Sentence():
            say(f"But: {block.text}" if block.is_caution else block.text)
        case Table():
            _show_table(shown, block, f"list{number}")
            _show_cases_of_row(shown, block, number)
        case Heatmap():
            _show_heatmap(shown, block, number)
        case Curve() | Bars():
            say(block.caption)
            st.plotly_chart(
                figure_of(block),
                key=shown.key(f"figure{number}"),
                config=figure_files(f"{shown.method.name}-{number}", FIGURE_FORMATS[0]),
            )
        case Graph():
            say(block.caption)
            st.html(graph_svg(block))
        case _:
            assert_never(block)


def _show_heatmap(shown: Shown, block: Heatmap, number: int) -> None:
    known = block.values[np.isfinite(block.values)]
    chosen = _chosen(shown, block)
    components.grid(
        key=shown.key(f"grid{number}"),
        data={
            "rows": list(block.rows),
            "columns": list(block.columns),
            "values": [
                [round(float(value), _DIGITS) if np.isfinite(value) else None for value in row]
                for row in block.values
            ],
            "label": _headline(block.title),
            "what": f"{shown.method.name} {shown.side.title} {block.title}",
            "corner": f"{block.row_axis} \\ {block.column_axis}",
            "legend": block.caption + (" Click a cell to list its cases." if block.cases else ""),
            "chosen": chosen,
            "notes": block.notes,
            "unit": "share" if block.unit in _IN_PERCENT else block.unit,
            "marked": list(block.marked),
            "groups": list(block.groups or ()),
            "framed": [list(cell) for cell in block.framed],
            "largest": block.largest or float(np.abs(known).max(initial=0.0)) or 1.0,
        },
        on_cell=lambda cell: _select_cell(shown, block, *cell),
    )
    if chosen and block.cases and np.isfinite(block.values[chosen]):
        cases = block.cases(*chosen)
        if cases is not None:
            _show_table(shown, cases, f"cases{number}")


def _headline(title: str) -> str:
    return title[:1].upper() + title[1:]


def _chosen(shown: Shown, block: Heatmap) -> tuple[int, int] | None:
    """Return the cell whose selection the page has chosen."""
    chosen = session.chosen_cell(shown.key(block.title))
    if chosen and chosen[0] < len(block.rows) and chosen[1] < len(block.columns):
        return chosen
    if block.selects is None or shown.condition.cell is None:
        return None
    for row in range(len(block.rows)):
        for column in range(len(block.columns)):
            if _is_chosen(shown, block.selects(row, column)):
                return row, column
    return None


def _is_chosen(shown: Shown, selection: Selection) -> bool:
    view = shown.view
    return (
        (selection.part, selection.token) == shown.condition.cell
        and selection.answer in (None, view.answer)
        and all(view.options.get(name, value) == value for name, value in selection.options)
    )


def _show_cases_of_row(shown: Shown, block: Table, number: int) -> None:
    """Show the cases behind the chosen row of a table, if it has any."""
    for row in block.rows:
        if row.cases and row.selects and _is_chosen(shown, row.selects):
            cases = row.cases()
            if cases is not None:
                _show_table(shown, cases, f"cases{number}")
            return


def _select_cell(shown: Shown, block: Heatmap, row: int, column: int) -> None:
    selection = block.selects(row, column) if block.selects else Selection()
    if selection.part is None or selection.token is None:
        # The cell is no place in the model, so the address cannot name it.
        session.choose_cell(shown.key(block.title), (row, column))
    _select(shown, selection)


def _show_table(shown: Shown, block: Table, what: str) -> None:
    world = shown.side.model.world

    def select_row(row: int) -> None:
        selection = block.rows[row].selects
        if selection is not None:
            _select(shown, selection)

    components.case_table(
        key=shown.key(what),
        data={
            "columns": [
                {
                    "name": column.name,
                    "title": column.help,
                    "state": column.kind == "state",
                    "part": column.kind == "part",
                }
                for column in block.columns
            ],
            "rows": [
                {"cells": [cell_text(cell) for cell in row.cells], "ok": row.as_expected}
                for row in block.rows
            ],
            "title": _headline(block.title),
            "label": f"{block.title}: {shown.method.name} of {shown.side.title}",
            "what": f"{block.title} {block.caption}",
            "summary": block.caption,
            "judged": block.judged,
            "held_out": [state_text(state) for state in shown.side.model.dataset.held_out],
        },
        on_state=lambda state: session.change(state=world.parse_state(state)),
        on_row=select_row,
    )


def _select(shown: Shown, selection: Selection) -> None:
    """Choose what a click selects: a part and token, an answer, options, or a step to compare with."""
    changed: dict[str, object] = {}
    if selection.part is not None and selection.token is not None:
        changed["cell"] = (selection.part, selection.token)
    if selection.answer is not None:
        changed["answer"] = selection.answer
    if selection.options:
        first = {option.name: option.choices[0][0] for option in shown.method.options(shown.view)}
        chosen = dict(session.current().options) | dict(selection.options)
        changed["options"] = tuple((name, each) for name, each in chosen.items() if each != first.get(name))
    if selection.step is not None:
        _, run = session.run()
        there = at_step(split_step(shown.side.run[1])[0], selection.step)
        if there != run:
            changed["beside"] = there
    if changed:
        session.change(**changed)
