"""Blocks of methods as the client draws them: typed JSON, figures of plotly, pictures as SVG."""

from __future__ import annotations

import json
from typing import Any, assert_never

import numpy as np

from playground.analysis import Bars, Block, Curve, Graph, Heatmap, Selection, Sentence, Table, cell_text
from playground.models import at_step, split_step
from playground.report import figure_of, graph_pictures

_IN_PERCENT = ("share", "weight")


def block_data(block: Block, run: str) -> dict[str, Any]:
    """Return a block; the cases behind its cells or rows are asked for apart.

    Args:
        block: of a method.
        run: of the model, which a step of a training belongs to.
    """
    about: dict[str, Any] = {"type": type(block).__name__.lower(), "folded": block.folded}
    match block:
        case Sentence():
            return about | {"text": block.text, "is_caution": block.is_caution}
        case Table():
            return about | table_data(block, run)
        case Heatmap():
            return about | _heatmap_data(block, run)
        case Curve() | Bars():
            figure = json.loads(str(figure_of(block).to_json()))
            return about | {"title": block.title, "caption": block.caption, "figure": figure}
        case Graph():
            pictures = graph_pictures(block)
            return about | {"title": block.title, "caption": block.caption, "pictures": pictures}
    assert_never(block)


def table_data(block: Table, run: str) -> dict[str, Any]:
    """Return a table; see `block_data`."""
    return {
        "title": _headline(block.title),
        "caption": block.caption,
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
            {
                "cells": [cell_text(cell) for cell in row.cells],
                "ok": row.as_expected,
                "selects": None if row.selects is None else _selection(row.selects, run),
                "cases": row.cases is not None,
            }
            for row in block.rows
        ],
        "judged": block.judged,
    }


def _heatmap_data(block: Heatmap, run: str) -> dict[str, Any]:
    known = block.values[np.isfinite(block.values)]
    selects = block.selects
    return {
        "title": _headline(block.title),
        "caption": block.caption,
        "rows": list(block.rows),
        "columns": list(block.columns),
        "corner": f"{block.row_axis} \\ {block.column_axis}",
        "values": block.values.astype(np.float32),
        "unit": "share" if block.unit in _IN_PERCENT else block.unit,
        "largest": block.largest or float(np.abs(known).max(initial=0.0)) or 1.0,
        "notes": block.notes and [list(row) for row in block.notes],
        "groups": list(block.groups or ()),
        "marked": list(block.marked),
        "framed": [list(cell) for cell in block.framed],
        "selects": selects
        and [
            [_selection(selects(row, column), run) for column in range(len(block.columns))]
            for row in range(len(block.rows))
        ],
        "cases": block.cases is not None,
    }


def _headline(title: str) -> str:
    return title[:1].upper() + title[1:]


def _selection(selection: Selection, run: str) -> dict[str, Any]:
    """Return what a click chooses, as parameters of an address; a step of the training as the model to compare with."""
    chosen: dict[str, Any] = {"answer": selection.answer, "options": dict(selection.options) or None}
    if selection.part is not None and selection.token is not None:
        chosen["cell"] = f"{selection.part}@{selection.token}"
    if selection.step is not None:
        chosen["beside"] = at_step(split_step(run)[0], selection.step)
    return {name: value for name, value in chosen.items() if value is not None}


def cases_of(block: Block, row: int, column: int | None) -> Table | None:
    """Return the cases behind a cell of a heatmap, or behind a row of a table; None if there are none."""
    match block:
        case Heatmap() if block.cases and column is not None:
            inside = 0 <= row < len(block.rows) and 0 <= column < len(block.columns)
            return block.cases(row, column) if inside and np.isfinite(block.values[row, column]) else None
        case Table() if 0 <= row < len(block.rows):
            cases = block.rows[row].cases
            return cases() if cases else None
    return None
