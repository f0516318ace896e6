"""Plots: arrays and labels in, plotly figures out. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

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
    size, gap = len(labels), 0.04
    width = (1 - gap * (len(patterns) - 1)) / len(patterns)
    causal = np.tril(np.ones((size, size), dtype=bool))
    pairs = [[(query, key) for key in labels] for query in labels]
    axis = {
        "tickmode": "array",
        "tickvals": list(range(size)),
        "ticktext": list(labels),
        "showgrid": False,
        "zeroline": False,
    }
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
        start = index * (width + gap)
        traces.append(
            go.Heatmap(
                z=np.where(causal, pattern, np.nan),
                coloraxis="coloraxis",
                customdata=pairs,
                hovertemplate="from %{customdata[0]} to %{customdata[1]}: %{z:.3f}<extra></extra>",
                hoverongaps=False,
                xgap=1,
                ygap=1,
                xaxis=f"x{number}",
                yaxis=f"y{number}",
            )
        )
        layout[f"xaxis{number}"] = axis | {
            "domain": [start, start + width],
            "anchor": f"y{number}",
            "tickangle": -90,
            "title": {"text": "key: is looked at"},
        }
        layout[f"yaxis{number}"] = axis | {
            "anchor": f"x{number}",
            "autorange": "reversed",
            "showticklabels": index == 0,
            "title": {"text": "query: looks" if index == 0 else ""},
        }
        layout["annotations"].append(
            {"text": title, "x": start + width / 2, "y": 1.0, "yanchor": "bottom", **_ON_PAPER}
        )
        layout["shapes"] += [
            {
                "type": "line",
                "xref": f"x{number} domain",
                "yref": f"y{number}",
                "x0": 0,
                "x1": 1,
                "y0": row + 0.5,
                "y1": row + 0.5,
                "line": {"width": 0.5, "dash": "dot"},
            }
            for row in rows
        ]
    # One call with everything: plotly checks a figure anew at every change of it.
    return go.Figure(traces, layout)
