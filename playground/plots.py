"""Plots: arrays and labels in, plotly figures out. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

_GAP = 0.04
_ON_PAPER = {"xref": "paper", "yref": "paper", "showarrow": False}


def plot_attention(
    patterns: Sequence[Float[np.ndarray, "query key"]],
    titles: Sequence[str],
    labels: Sequence[str],
    *,
    rows: Sequence[int],
    height: int = 460,
) -> go.Figure:
    """Return attention patterns side by side, on one colour scale from 0 to 1.

    Args:
        patterns: attention weights; each query's sum to 1 over the keys up to it.
        titles: one per pattern.
        labels: the tokens, by position; shown beside the weights, so equal ones may recur.
        rows: queries to mark, such as those at which answers are written.
        height: of the figure, in pixels.
    """
    width = (1 - _GAP * (len(patterns) - 1)) / len(patterns)
    layout: dict[str, Any] = {
        "height": height,
        "margin": {"l": 10, "r": 10, "t": 36, "b": 10},
        "coloraxis": {"cmin": 0, "cmax": 1, "colorbar": {"title": {"text": "weight"}, "thickness": 10}},
        "annotations": [],
        "shapes": [],
    }
    traces = []
    for index, (pattern, title) in enumerate(zip(patterns, titles, strict=True)):
        number = "" if index == 0 else str(index + 1)
        start = index * (width + _GAP)
        traces.append(_heatmap(pattern, labels, number))
        layout[f"xaxis{number}"] = _axis(labels) | {
            "domain": [start, start + width],
            "anchor": f"y{number}",
            "tickangle": -90,
            "title": {"text": "key: is looked at"},
        }
        layout[f"yaxis{number}"] = _axis(labels) | {
            "anchor": f"x{number}",
            "autorange": "reversed",
            "showticklabels": index == 0,
            "title": {"text": "query: looks" if index == 0 else ""},
        }
        layout["annotations"].append(
            {"text": title, "x": start + width / 2, "y": 1.0, "yanchor": "bottom", **_ON_PAPER}
        )
        layout["shapes"] += [_line_below(row, number) for row in rows]
    # One call with everything: plotly checks a figure anew at every change of it.
    return go.Figure(traces, layout)


def _heatmap(pattern: Float[np.ndarray, "query key"], labels: Sequence[str], number: str) -> go.Heatmap:
    causal = np.tril(np.ones(pattern.shape, dtype=bool))
    return go.Heatmap(
        z=np.where(causal, pattern, np.nan),
        coloraxis="coloraxis",
        customdata=[[(query, key) for key in labels] for query in labels],
        hovertemplate="from %{customdata[0]} to %{customdata[1]}: %{z:.3f}<extra></extra>",
        hoverongaps=False,
        xgap=1,
        ygap=1,
        xaxis=f"x{number}",
        yaxis=f"y{number}",
    )


def _axis(labels: Sequence[str]) -> dict[str, Any]:
    """Return an axis with a tick at every position: labels may recur, so they are no categories."""
    ticks = {"tickmode": "array", "tickvals": list(range(len(labels))), "ticktext": list(labels)}
    return ticks | {"showgrid": False, "zeroline": False}


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
