"""How an answer comes about inside of a model: the logit lens, and direct logit attribution."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Bool, Float

from playground.plots.curves import HELD_OUT, LEGEND, MARGIN, SEEN, Look
from playground.plots.theme import FIRST, QUIET, SECOND

_LINE = 19


def plot_lens(
    parts: Sequence[str],
    right: tuple[Float[np.ndarray, " part"], Float[np.ndarray, " part"] | None],
    margins: Float[np.ndarray, "part state"],
    held_out: Bool[np.ndarray, " state"],
    states: Sequence[str],
) -> go.Figure:
    """Return how an answer forms: in which share of the states it is right behind each part, and by which margin.

    Args:
        parts: behind which the stream is read.
        right: shares from 0 to 1, of seen states and of held-out ones; None where there are none of these.
        margins: right minus best wrong logit; one faint line per state, and their means.
        held_out: which states are.
        states: names.
    """
    traces = _lens_traces(parts, "seen", right[0], margins[:, ~held_out], _chosen(states, ~held_out), SEEN)
    if right[1] is not None:
        traces += _lens_traces(
            parts, "held out", right[1], margins[:, held_out], _chosen(states, held_out), HELD_OUT
        )
    ticks = {"tickmode": "array", "tickvals": list(range(len(parts))), "ticktext": list(parts)}
    layout = {
        "height": 440,
        "margin": MARGIN,
        "legend": LEGEND,
        "xaxis": ticks | {"anchor": "y2", "showgrid": False, "zeroline": False},
        "yaxis": {
            "domain": [0.62, 1],
            "range": [-0.16, 1.2],
            "tickformat": ".0%",
            "tickvals": [0, 0.5, 1],
            "zeroline": False,
            "title": {"text": "share right"},
        },
        "yaxis2": {"domain": [0, 0.54], "title": {"text": "right − best wrong"}, "zeroline": True},
    }
    return go.Figure(traces, layout)


def _chosen(states: Sequence[str], among: Bool[np.ndarray, " state"]) -> list[str]:
    return [state for state, is_in in zip(states, among.tolist(), strict=True) if is_in]


def _lens_traces(
    parts: Sequence[str],
    name: str,
    shares: Float[np.ndarray, " part"],
    margins: Float[np.ndarray, "part state"],
    states: Sequence[str],
    look: Look,
) -> list[go.Scatter]:
    """Return shares, the margin of every state, and their mean, all of one group of states."""
    count, places = len(parts), np.arange(len(parts))
    common: dict[str, Any] = {"name": name, "legendgroup": name}
    # One trace with gaps, not one for each state.
    with_gaps = np.vstack([margins, np.full((1, len(states)), np.nan)]).T.ravel()
    return [
        go.Scatter(
            x=places,
            y=shares,
            mode="lines+markers+text",
            text=[f"{share:.0%}" for share in shares],
            textposition="top center" if look is SEEN else "bottom center",
            textfont={"size": 10},
            customdata=list(parts),
            hovertemplate=f"behind %{{customdata}}: %{{y:.1%}} of {name} states right<extra></extra>",
            **common,
            **look.trace,
        ),
        go.Scatter(
            x=np.tile(np.append(places.astype(float), np.nan), len(states)),
            y=with_gaps,
            yaxis="y2",
            mode="lines",
            line={"color": look.colour, "width": 1},
            opacity=0.28,
            showlegend=False,
            text=[state for state in states for _ in range(count + 1)],
            hovertemplate="state %{text}: %{y:.2f}<extra></extra>",
            **common,
        ),
        go.Scatter(
            x=places,
            y=margins.mean(1),
            yaxis="y2",
            mode="lines+markers",
            showlegend=False,
            customdata=list(parts),
            hovertemplate=f"behind %{{customdata}}: {name} states %{{y:.2f}} on average<extra></extra>",
            **common,
            **look.trace,
        ),
    ]


def plot_attribution(
    components: Sequence[str],
    values: Float[np.ndarray, "state component"],
    states: Sequence[str],
    *,
    chosen: int | None = None,
    most: int = 40,
) -> go.Figure:
    """Return what each component adds to right minus wrong: the mean over all states, their range, and the sum.

    Args:
        components: names; of too many those with the largest means are drawn, in their order, and the rest as one.
        values: in logits.
        states: names.
        chosen: a state that is marked.
        most: how many components are drawn.
    """
    names, drawn = _largest(components, values, most)
    names, drawn = [*names, "sum"], np.column_stack([drawn, drawn.sum(1)])
    places = list(range(len(names)))
    traces: list[Any] = [_bars(names, drawn, states)]
    if chosen is not None:
        traces.append(
            go.Scatter(
                x=drawn[chosen],
                y=places,
                mode="markers",
                name=f"in {states[chosen]}",
                marker={"symbol": "diamond", "size": 8, "color": SECOND},
                text=names,
                hovertemplate=f"%{{text}} in {states[chosen]}: %{{x:.2f}}<extra></extra>",
            )
        )
    above_sum = len(names) - 1.5
    layout = {
        "height": 90 + _LINE * len(names),
        "margin": MARGIN | {"b": 44},
        "legend": LEGEND,
        "bargap": 0.3,
        "showlegend": True,
        "xaxis": {"title": {"text": "logits, right − wrong"}, "zeroline": True},
        "yaxis": {
            "tickmode": "array",
            "tickvals": places,
            "ticktext": [
                f"{name}   {_signed(mean)}" for name, mean in zip(names, drawn.mean(0).tolist(), strict=True)
            ],
            "range": [len(names) - 0.4, -0.6],
            "showgrid": False,
            "zeroline": False,
        },
        "shapes": [
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": above_sum,
                "y1": above_sum,
                "line": {"width": 1, "color": QUIET},
            }
        ],
    }
    return go.Figure(traces, layout)


def _largest(
    components: Sequence[str], values: Float[np.ndarray, "state component"], most: int
) -> tuple[list[str], Float[np.ndarray, "state kept"]]:
    """Return the components with the largest means, in their order, and what all others add together."""
    if len(components) <= most:
        return list(components), values
    order = np.argsort(-np.abs(values.mean(0)), kind="stable")
    kept = np.sort(order[:most])
    others = values[:, order[most:]].sum(1)
    names = [*(components[index] for index in kept.tolist()), f"{len(components) - most} others"]
    return names, np.column_stack([values[:, kept], others])


def _bars(
    names: Sequence[str], values: Float[np.ndarray, "state component"], states: Sequence[str]
) -> go.Bar:
    """Return the means, with lines from the least to the most; the last one is the sum."""
    mean, low, high = values.mean(0), values.min(0), values.max(0)
    where = [[states[index] for index in found] for found in (values.argmin(0), values.argmax(0))]
    return go.Bar(
        x=mean,
        y=list(range(len(names))),
        orientation="h",
        name="mean over all states; the line is from the least to the most",
        marker={"color": [FIRST] * (len(names) - 1) + [QUIET]},
        error_x={
            "type": "data",
            "symmetric": False,
            "array": high - mean,
            "arrayminus": mean - low,
            "thickness": 1,
            "width": 3,
            "color": QUIET,
        },
        customdata=list(zip(names, low.tolist(), where[0], high.tolist(), where[1], strict=True)),
        hovertemplate="%{customdata[0]}: mean %{x:.2f}<br>least %{customdata[1]:.2f} in %{customdata[2]}"
        "<br>most %{customdata[3]:.2f} in %{customdata[4]}<extra></extra>",
    )


def _signed(value: float) -> str:
    """Return a number with its sign; there is no minus nought."""
    return f"{round(value, 2) + 0.0:+.2f}".replace("-", "−")
