"""Plots: arrays and labels in, plotly figures out. Nothing is computed here."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float
from plotly.subplots import make_subplots


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
    size = len(labels)
    figure = make_subplots(
        rows=1, cols=len(patterns), subplot_titles=list(titles), shared_yaxes=True, horizontal_spacing=0.03
    )
    ticks = {"tickmode": "array", "tickvals": list(range(size)), "ticktext": list(labels)}
    causal = np.tril(np.ones((size, size), dtype=bool))
    for column, pattern in enumerate(patterns, start=1):
        figure.add_trace(
            go.Heatmap(
                z=np.where(causal, pattern, np.nan),
                coloraxis="coloraxis",
                customdata=[[(query, key) for key in labels] for query in labels],
                hovertemplate="from %{customdata[0]} to %{customdata[1]}: %{z:.3f}<extra></extra>",
                hoverongaps=False,
                xgap=1,
                ygap=1,
            ),
            row=1,
            col=column,
        )
        figure.update_xaxes(title_text="key: is looked at", tickangle=-90, **ticks, row=1, col=column)
    figure.update_yaxes(autorange="reversed", **ticks)
    figure.update_yaxes(title_text="query: looks", row=1, col=1)
    for row in rows:
        figure.add_hline(y=row + 0.5, line_width=0.5, line_dash="dot", opacity=0.5)
    figure.update_xaxes(showgrid=False, zeroline=False)
    figure.update_yaxes(showgrid=False, zeroline=False)
    figure.update_layout(
        height=height,
        margin={"l": 10, "r": 10, "t": 36, "b": 10},
        coloraxis={"cmin": 0, "cmax": 1, "colorbar": {"title": "weight", "thickness": 10}},
    )
    return figure
