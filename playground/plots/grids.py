"""Grids: a number for every row and column, as a colour and in figures."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.plots.theme import two_digits

_ROW, _HEAD, _LOW_HEAD, _FOOT = 20, 66, 30, 14
_LETTERS = 90


def plot_grid(
    values: Float[np.ndarray, "row column"],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    unit: str,
    limits: tuple[float, float] = (0.0, 1.0),
    groups: Sequence[str] | None = None,
    notes: Sequence[Sequence[str]] | None = None,
    framed: Sequence[tuple[int, int]] = (),
    least: float = 0.05,
) -> go.Figure:
    """Return a grid, such as parts of a model x tokens; cells without a number are empty.

    Args:
        values: may exceed the limits; such cells have the limit's colour but show their own number.
        rows: names, from the top; duplicates are allowed.
        columns: names, above the grid; duplicates are allowed.
        unit: unit of the values, such as "recovered".
        limits: ends of the colour scale; it diverges from zero if the lower end is negative.
        groups: the group of each row, such as its layer; a line separates groups.
        notes: for each cell, text shown with its value on hover.
        framed: cells to frame, by row and column.
        least: numbers of smaller magnitude are not written; on a scale that starts at zero, a dot replaces them.
    """
    # Names that would not fit side by side are slanted.
    steep = len(columns) * max(map(len, columns), default=0) > _LETTERS
    head = _HEAD if steep else _LOW_HEAD
    small = "" if limits[0] < 0 else "·"
    shapes = [_frame(row, column) for row, column in framed]
    shapes += [_line_above(row) for row, (one, other) in enumerate(pairwise(groups or ()), 1) if one != other]
    return go.Figure(
        [_cells(values, rows, columns, unit=unit, notes=notes, least=least, small=small)],
        {
            "height": head + _FOOT + _ROW * len(rows),
            "margin": {"l": 10, "r": 10, "t": head, "b": _FOOT},
            "coloraxis": _scale(limits, unit, _ROW * len(rows)),
            "xaxis": axis_of(columns) | {"ticks": "", "side": "top", "tickangle": -60 if steep else 0},
            "yaxis": axis_of(rows) | {"ticks": "", "autorange": "reversed"},
            "shapes": shapes,
        },
    )


def _cells(
    values: Float[np.ndarray, "row column"],
    rows: Sequence[str],
    columns: Sequence[str],
    *,
    unit: str,
    least: float,
    small: str,
    notes: Sequence[Sequence[str]] | None,
) -> go.Heatmap:
    said = [
        [[row, column, "" if notes is None else f"<br>{notes[i][j]}"] for j, column in enumerate(columns)]
        for i, row in enumerate(rows)
    ]
    return go.Heatmap(
        z=values,
        text=[[_figure(value, least, small) for value in row] for row in values.tolist()],
        texttemplate="%{text}",
        customdata=said,
        hovertemplate="%{customdata[0]} at %{customdata[1]}: "
        f"%{{z:.3f}} {unit}"
        "%{customdata[2]}<extra></extra>",
        hoverongaps=False,
        coloraxis="coloraxis",
        xgap=1,
        ygap=1,
    )


def _figure(value: float, least: float, small: str) -> str:
    """Return a number as shown in a cell; "" for NaN, so that it differs from a small number."""
    if np.isnan(value):
        return ""
    return small if abs(value) < least else two_digits(value)


def _scale(limits: tuple[float, float], unit: str, height: float) -> dict[str, Any]:
    bar = {
        "title": {"text": unit, "side": "right"},
        "thickness": 10,
        "len": max(height, 90),
        "lenmode": "pixels",
    }
    return {"cmin": limits[0], "cmax": limits[1], "autocolorscale": True, "colorbar": bar}


def axis_of(labels: Sequence[str]) -> dict[str, Any]:
    """Return an axis with a tick at every place: labels may repeat, so they cannot be categories."""
    ticks = {"tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": list(labels)}
    return ticks | {"showgrid": False, "zeroline": False}


def _frame(row: int, column: int) -> dict[str, Any]:
    corners = {"x0": column - 0.5, "x1": column + 0.5, "y0": row - 0.5, "y1": row + 0.5}
    return {"type": "rect", "line": {"width": 2, "color": "#c5722a"}, **corners}


def _line_above(row: int) -> dict[str, Any]:
    return {
        "type": "line", "xref": "x domain", "x0": 0, "x1": 1, "y0": row - 0.5, "y1": row - 0.5,
        "line": {"width": 1, "color": "#8b8b85"},
    }  # fmt: skip
