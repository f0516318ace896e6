"""Horizontal bars: what each part adds, what each formula explains."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from playground.plots.curves import MARGIN
from playground.plots.theme import FIRST, QUIET, SECOND, two_digits

_LINE = 22


def plot_bars(
    names: Sequence[str],
    values: Sequence[float],
    *,
    axis: str,
    notes: Sequence[str] = (),
    spread: Sequence[Sequence[float]] = (),
    spread_names: Sequence[str] = (),
    reference: tuple[str, float] | None = None,
) -> go.Figure:
    """Return a horizontal bar for each name.

    Args:
        names: names, from the top; duplicates are allowed.
        values: lengths; NaN leaves a bar out.
        axis: label of the lengths.
        notes: text beside each bar; its value where that is empty.
        spread: individual values of each bar, drawn as a line from the smallest to the largest.
        spread_names: names of these values, such as states.
        reference: name and value of a reference line.
    """
    places = list(range(len(names)))
    layout: dict[str, Any] = {
        "height": 90 + _LINE * len(names),
        "margin": MARGIN,
        "bargap": 0.25,
        "xaxis": {"title": {"text": axis}, "zeroline": True},
        "yaxis": {
            "tickmode": "array",
            "tickvals": places,
            "ticktext": list(names),
            "range": [len(names) - 0.4, -0.6],
            "showgrid": False,
            "zeroline": False,
        },
    }
    if reference is not None:
        layout |= _reference_line(*reference)
    said = [
        note or ("" if np.isnan(value) else two_digits(value, "+"))
        for note, value in zip(notes or [""] * len(names), values, strict=True)
    ]
    bars = go.Bar(
        x=list(values),
        y=places,
        orientation="h",
        marker={"color": FIRST},
        text=said,
        textposition="auto",
        insidetextanchor="start",
        customdata=[
            [name, note, extent]
            for name, note, extent in zip(names, said, _extents(names, spread, spread_names), strict=True)
        ],
        hovertemplate="%{customdata[0]}: %{x:.2f}<br>%{customdata[1]}%{customdata[2]}<extra></extra>",
        **_whiskers(values, spread),
    )
    return go.Figure([bars], layout)


def _reference_line(name: str, value: float) -> dict[str, Any]:
    ends = {"x0": value, "x1": value, "yref": "paper", "y0": 0, "y1": 1}
    note = {"text": f"{name} {value:.2f}", "x": value, "yref": "paper", "y": 1, "yanchor": "bottom"}
    return {
        "shapes": [{"type": "line", **ends, "line": {"width": 1.5, "dash": "dash", "color": SECOND}}],
        "annotations": [note | {"showarrow": False}],
    }


def _whiskers(values: Sequence[float], spread: Sequence[Sequence[float]]) -> dict[str, Any]:
    if not any(spread):
        return {}
    return {
        "error_x": {
            "type": "data",
            "symmetric": False,
            "array": [max(each, default=value) - value for value, each in zip(values, spread, strict=True)],
            "arrayminus": [
                value - min(each, default=value) for value, each in zip(values, spread, strict=True)
            ],
            "thickness": 1,
            "width": 3,
            "color": QUIET,
        }
    }


def _extents(
    names: Sequence[str], spread: Sequence[Sequence[float]], spread_names: Sequence[str]
) -> list[str]:
    """Return in words, for each bar, its smallest and largest individual values and their names."""
    if not any(spread):
        return [""] * len(names)
    return [
        f"least {min(each):.2f} in {spread_names[int(np.argmin(each))]}, most {max(each):.2f} in "
        f"{spread_names[int(np.argmax(each))]}"
        if each
        else ""
        for each in spread
    ]
