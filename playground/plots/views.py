"""Plots: arrays and labels in, plotly figures out, with no analysis."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.plots.grids import axis_of

_GAP = 0.04
_UNITS_GAP = 0.12
_HALF = {"len": 0.5}
_ON_PAPER = {"xref": "paper", "yref": "paper", "showarrow": False}


def plot_attention(
    patterns: Sequence[Float[np.ndarray, "query key"]],
    titles: Sequence[str],
    labels: Sequence[str],
    *,
    rows: Sequence[int],
    difference: Float[np.ndarray, "query key"] | None = None,
    height: int = 460,
) -> go.Figure:
    """Return attention patterns side by side, on one colour scale from 0 to 1, with an optional difference.

    Args:
        patterns: attention weights; for each query they sum to 1 over the keys up to it.
        titles: one per pattern, and one for the difference.
        labels: the tokens, by position; shown beside the weights, so duplicates are allowed.
        rows: queries to mark, such as those at which answers are written.
        difference: drawn last, on its own scale around zero.
        height: height of the figure, in pixels.
    """
    drawn = [*patterns] if difference is None else [*patterns, difference]
    width = (1 - _GAP * (len(drawn) - 1)) / len(drawn)
    colours = {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "weight"}, "thickness": 10}}
    layout = _layout(height, colours, difference)
    traces = []
    for index, (pattern, title) in enumerate(zip(drawn, titles, strict=True)):
        number = str(index + 1) if index else ""
        start = index * (width + _GAP)
        scale = "coloraxis" if index < len(patterns) else "coloraxis2"
        traces.append(_heatmap(pattern, labels, number, scale))
        layout[f"xaxis{number}"] = axis_of(labels) | {
            "domain": [start, start + width],
            "anchor": f"y{number}",
            "tickangle": -90,
            "title": {"text": "key: is looked at"},
        }
        layout[f"yaxis{number}"] = axis_of(labels) | {
            "anchor": f"x{number}",
            "autorange": "reversed",
            "showticklabels": index == 0,
            "title": {"text": "query: looks" if index == 0 else ""},
        }
        layout["annotations"].append(_title(title, number, 1.0))
        layout["shapes"] += [_line_below(row, number) for row in rows]
    # A single call, because plotly revalidates a figure at every change.
    return go.Figure(traces, layout)


def plot_units(
    maps: Sequence[Float[np.ndarray, "unit token component"]],
    titles: Sequence[str],
    labels: Sequence[str],
    *,
    limits: tuple[float, float],
    unit: str,
    seen: Sequence[int],
    difference: Float[np.ndarray, "unit token component"] | None = None,
    height: int = 460,
) -> go.Figure:
    """Return activations as units x tokens side by side, on one colour scale, with an optional difference.

    Args:
        maps: values; a unit's components are drawn side by side within its token.
        titles: one per map, and one for the difference.
        labels: the tokens, by position; duplicates are allowed.
        limits: ends of the colour scale; below zero a diverging scale is used.
        unit: what a row is called.
        seen: tokens to frame, such as a receptive field.
        difference: drawn last, on its own scale around zero.
        height: height of the figure, in pixels.
    """
    low, high = limits
    # Many components need the full width, so maps are stacked.
    stacked = maps[0].shape[2] > 1
    drawn = [*maps] if difference is None else [*maps, difference]
    share = (1 - _UNITS_GAP * (len(drawn) - 1)) / len(drawn)
    colours = {"cmin": low, "cmax": high, "autocolorscale": True, "colorbar": {"thickness": 10}}
    layout = _layout(height, colours, difference)
    traces = []
    for index, (values, title) in enumerate(zip(drawn, titles, strict=True)):
        number = str(index + 1) if index else ""
        start = index * (share + _UNITS_GAP)
        domain, other = [start, start + share], [0.0, 1.0]
        if stacked:
            domain, other = other, [max(1 - start - share, 0.0), 1 - start]
        scale = "coloraxis" if index < len(maps) else "coloraxis2"
        traces.append(_units_heatmap(values, labels, unit, number, scale))
        layout[f"xaxis{number}"] = axis_of(labels) | {
            "domain": domain,
            "anchor": f"y{number}",
            "tickangle": -90,
        }
        layout[f"yaxis{number}"] = {
            "domain": other,
            "anchor": f"x{number}",
            "autorange": "reversed",
            "title": {"text": unit if index == 0 or stacked else ""},
        }
        layout["annotations"].append(_title(title, number, other[1]))
        layout["shapes"] += [_frame(token, number) for token in seen]
    return go.Figure(traces, layout)


def _layout(height: int, colours: dict[str, Any], difference: np.ndarray | None) -> dict[str, Any]:
    """Return the layout of side-by-side pictures; the difference's colour scale is symmetric around zero."""
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 36, "b": 10},
        "coloraxis": colours,
        "annotations": [],
        "shapes": [],
    }
    if difference is None:
        return layout
    largest = float(np.nanmax(np.abs(difference))) or 1.0
    # One scale above the other: side by side, they overlap in a narrow picture.
    layout["coloraxis"] = colours | {"colorbar": colours["colorbar"] | _HALF | {"y": 1, "yanchor": "top"}}
    bar = {"title": {"text": "difference"}, "thickness": 10, **_HALF, "y": 0, "yanchor": "bottom"}
    return layout | {
        "coloraxis2": {"cmin": -largest, "cmax": largest, "autocolorscale": True, "colorbar": bar}
    }


def _title(text: str, number: str, top: float) -> dict[str, Any]:
    """Return a title above the middle of a picture: labels of axes may make it narrower than its share."""
    return {"text": text, "x": 0.5, "y": top, "yanchor": "bottom", **_ON_PAPER, "xref": f"x{number} domain"}


def _units_heatmap(
    values: Float[np.ndarray, "unit token component"],
    labels: Sequence[str],
    unit: str,
    number: str,
    scale: str,
) -> go.Heatmap:
    units, tokens, components = values.shape
    columns = (np.arange(tokens * components) + 0.5) / components - 0.5
    names = [
        f"{label}, component {c}" if components > 1 else label for label in labels for c in range(components)
    ]
    return go.Heatmap(
        z=values.reshape(units, -1),
        x=columns,
        coloraxis=scale,
        text=[names] * units,
        hovertemplate=f"{unit} %{{y}} at %{{text}}: %{{z:.3f}}<extra></extra>",
        xaxis=f"x{number}",
        yaxis=f"y{number}",
    )


def _frame(token: int, number: str) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": f"x{number}",
        "yref": f"y{number} domain",
        "x0": token - 0.5,
        "x1": token + 0.5,
        "y0": 0,
        "y1": 1,
        "line": {"width": 1},
    }


def _heatmap(
    pattern: Float[np.ndarray, "query key"], labels: Sequence[str], number: str, scale: str
) -> go.Heatmap:
    causal = np.tril(np.ones(pattern.shape, dtype=bool))
    return go.Heatmap(
        z=np.where(causal, pattern, np.nan),
        coloraxis=scale,
        customdata=[[(query, key) for key in labels] for query in labels],
        hovertemplate="from %{customdata[0]} to %{customdata[1]}: %{z:.3f}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
        xaxis=f"x{number}",
        yaxis=f"y{number}",
    )


def _line_below(row: int, number: str) -> dict[str, Any]:
    height = row + 0.5
    return {
        "type": "line",
        "xref": f"x{number} domain",
        "yref": f"y{number}",
        "x0": 0,
        "x1": 1,
        "y0": height,
        "y1": height,
        "line": {"width": 0.5, "dash": "dot"},
    }
