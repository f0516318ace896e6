"""Lines and bars of shares: emergence in the training, what circuits keep, what formulas explain."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.plots.theme import FIRST, SECOND, THIRD

MARGIN = {"l": 10, "r": 10, "t": 34, "b": 10}
LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"}


@dataclass(frozen=True)
class Look:
    """How a line is told from others, with or without its colour.

    Args:
        colour: of line and marks.
        dash: of the line.
        symbol: of the marks.
    """

    colour: str
    dash: str
    symbol: str

    @property
    def trace(self) -> dict[str, Any]:
        """What plotly calls it."""
        return {
            "line": {"color": self.colour, "width": 2.5, "dash": self.dash},
            "marker": {"color": self.colour, "symbol": self.symbol, "size": 7},
        }


SEEN, HELD_OUT = Look(FIRST, "solid", "circle"), Look(SECOND, "dash", "diamond")
READ, RECOMPUTED = SEEN, HELD_OUT
LOOKS = (
    SEEN,
    HELD_OUT,
    Look(THIRD, "dot", "square"),
    Look(FIRST, "longdash", "circle-open"),
    Look(SECOND, "dashdot", "diamond-open"),
    Look(THIRD, "longdashdot", "square-open"),
)
"""Of several lines, the first first."""
_RIGHT_SEEN, _RIGHT_HELD_OUT = Look(THIRD, "solid", "square"), Look(THIRD, "dash", "square-open")


@dataclass(frozen=True)
class _Line:
    name: str
    values: Float[np.ndarray, " place"]
    look: Look


def plot_emergence(
    steps: Sequence[int],
    answers: Sequence[str],
    read: Float[np.ndarray, "step answer"],
    recomputed: Float[np.ndarray, "step answer"],
    seen: Float[np.ndarray, " step"],
    held_out: Float[np.ndarray, " step"],
) -> go.Figure:
    """Return how routes and accuracy came about in the training, one above the other; snapshot after snapshot.

    Args:
        steps: of the training; all are equally far apart, as there are more of them at the beginning.
        answers: that can come about in two ways.
        read: share of the diagnostic texts in which an answer is what follows from what stands written; NaN where it
            has not been measured.
        recomputed: share in which it is what follows from the inputs alone.
        seen: share of the seen states that are right.
        held_out: the same of held-out states.
    """
    panels = [
        (answer, [_Line("read", of_read, READ), _Line("recomputed", of_recomputed, RECOMPUTED)])
        for answer, of_read, of_recomputed in zip(answers, read.T, recomputed.T, strict=True)
    ]
    right = [
        _Line("seen states right", seen, _RIGHT_SEEN),
        _Line("held-out states right", held_out, _RIGHT_HELD_OUT),
    ]
    names = [f"{step:,}" for step in steps]
    axis = {"tickmode": "array", "tickvals": list(range(len(steps))), "ticktext": names}
    return _stacked(
        [*panels, ("right", right)],
        list(range(len(steps))),
        axis | {"title": {"text": "steps of the training (snapshots, not to scale)"}},
    )


def plot_kept(
    sizes: Sequence[int],
    names: Sequence[str],
    kept: Float[np.ndarray, "name size"],
    *,
    x_title: str,
    y_title: str,
    logarithmic: bool = False,
) -> go.Figure:
    """Return what circuits of some sizes keep.

    Args:
        sizes: numbers of heads, or of edges.
        names: of what is kept, one line each, such as an answer in seen and in held-out states; six at most.
        kept: shares; NaN where it has not been measured.
        x_title: what the sizes are of.
        y_title: what the shares are of.
        logarithmic: whether sizes are drawn so; none of them is 0 then.
    """
    lines = [_Line(*each) for each in zip(names, kept, LOOKS[: len(names)], strict=True)]
    axis = {"title": {"text": x_title}, "type": "log" if logarithmic else "linear"}
    if logarithmic:
        axis |= {"tickmode": "array", "tickvals": list(sizes)}
    return _stacked([(y_title, lines)], list(sizes), axis).update_layout(height=330)


def _stacked(
    panels: Sequence[tuple[str, Sequence[_Line]]], places: list[int], axis: dict[str, Any]
) -> go.Figure:
    """Return panels one above the other over one axis; lines of one name are in the legend once."""
    share = 1 / len(panels)
    layout: dict[str, Any] = {
        "height": 90 + 150 * len(panels),
        "margin": MARGIN | {"b": 44},
        "legend": LEGEND,
        "xaxis": axis | {"anchor": f"y{len(panels)}" if len(panels) > 1 else "y", "zeroline": False},
    }
    traces: list[go.Scatter] = []
    for index, (title, lines) in enumerate(panels):
        number = str(index + 1) if index else ""
        found = np.concatenate([np.append(line.values, [0.0, 1.0]) for line in lines])
        layout[f"yaxis{number}"] = {
            "domain": [1 - (index + 1) * share + 0.03, 1 - index * share - 0.02],
            "title": {"text": title},
            "range": [float(np.nanmin(found)) - 0.07, float(np.nanmax(found)) + 0.08],
            "tickformat": ".0%",
            "tickvals": [0, 0.5, 1],
            "zeroline": False,
        }
        for line in lines:
            traces.append(
                go.Scatter(
                    x=places,
                    y=line.values,
                    name=line.name,
                    legendgroup=line.name,
                    showlegend=all(trace.name != line.name for trace in traces),
                    mode="lines+markers",
                    yaxis=f"y{number}",
                    hovertemplate=f"{title}, {line.name}: %{{y:.1%}} at %{{x}}<extra></extra>",
                    **line.look.trace,
                )
            )
    return go.Figure(traces, layout)


def plot_explained(
    parts: Sequence[str],
    formulas: Sequence[str],
    explained: Float[np.ndarray, " part"],
    *,
    chance: float | None = None,
) -> go.Figure:
    """Return which share of a part's variance its formula explains, one bar per part.

    Args:
        parts: each with where it is looked at, from the top.
        formulas: of each; stands beside its bar, or in it.
        explained: shares from 0 to 1.
        chance: what would be explained of numbers drawn at random.
    """
    places = list(range(len(parts)))
    layout: dict[str, Any] = {
        "height": 90 + 24 * len(parts),
        "margin": MARGIN | {"b": 44},
        "bargap": 0.2,
        "xaxis": {"range": [0, 1.02], "title": {"text": "share of the variance"}},
        "yaxis": {
            "tickmode": "array",
            "tickvals": places,
            "ticktext": list(parts),
            "autorange": "reversed",
            "showgrid": False,
        },
    }
    if chance is not None:
        end = {"x0": chance, "x1": chance, "yref": "paper", "y0": 0, "y1": 1}
        layout["shapes"] = [{"type": "line", **end, "line": {"width": 1.5, "dash": "dash", "color": SECOND}}]
        layout["annotations"] = [
            {"text": f"by chance {chance:.2f}", "x": chance, "yref": "paper", "y": 1, "yanchor": "bottom"}
            | {"showarrow": False}
        ]
    words = [f"{text}  {share:.2f}" for text, share in zip(formulas, explained.tolist(), strict=True)]
    bars = go.Bar(
        x=explained,
        y=places,
        orientation="h",
        marker={"color": FIRST},
        text=words,
        textposition="auto",
        insidetextanchor="start",
        customdata=list(parts),
        hovertemplate="%{customdata}: %{text} of the variance<extra></extra>",
    )
    return go.Figure([bars], layout)
