"""Lines over an ordered axis: layers, steps of a training, sizes of circuits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import plotly.graph_objects as go
from jaxtyping import Float

from playground.plots.theme import FIRST, QUIET, SECOND, THIRD

MARGIN = {"l": 10, "r": 10, "t": 34, "b": 44}
_LEGEND = {"orientation": "h", "x": 0, "y": 1, "yanchor": "bottom", "xanchor": "left"}
# Colour, dash and symbol, so that lines can be told apart without colour.
_LOOKS = (
    (FIRST, "solid", "circle"),
    (SECOND, "dash", "diamond"),
    (THIRD, "dot", "square"),
    (FIRST, "longdash", "circle-open"),
    (SECOND, "dashdot", "diamond-open"),
    (THIRD, "longdashdot", "square-open"),
)
MOST_LINES = len(_LOOKS)
"""The most line names that can be told apart."""


@dataclass(frozen=True)
class Series:
    """A line.

    Args:
        name: lines with the same name share a style and one legend entry.
        values: one for each place; NaN where unknown.
        panel: lines in the same panel share an axis, labelled with this name.
        is_faint: whether it is drawn thin and unnamed, behind the others.
    """

    name: str
    values: Float[np.ndarray, " place"]
    panel: str
    is_faint: bool = False


def plot_curves(
    places: Sequence[str] | Sequence[int],
    series: Sequence[Series],
    *,
    axis: str,
    is_share: bool,
    is_logarithmic: bool = False,
) -> go.Figure:
    """Return lines in panels, stacked over one axis.

    Args:
        places: names, which are evenly spaced, or numbers.
        series: lines; at most `MOST_LINES` names that are not faint.
        axis: label of the axis.
        is_share: whether values are shares, shown in percent on an axis that includes 0 and 1.
        is_logarithmic: whether the axis is logarithmic; places must then be numbers above 0.
    """
    panels = list(dict.fromkeys(each.panel for each in series))
    names = list(dict.fromkeys(each.name for each in series if not each.is_faint))
    looks = dict(zip(names, _LOOKS, strict=False))
    share = 1 / len(panels)
    x = [place if isinstance(place, int) else index for index, place in enumerate(places)]
    layout: dict[str, Any] = {
        "height": 330 if len(panels) == 1 else 90 + 150 * len(panels),
        "margin": MARGIN,
        "legend": _LEGEND,
        "xaxis": _x_axis(places, axis, is_logarithmic=is_logarithmic)
        | {"anchor": f"y{len(panels)}" if len(panels) > 1 else "y"},
    }
    traces: list[go.Scatter] = []
    for index, panel in enumerate(panels):
        number = str(index + 1) if index else ""
        drawn = [each for each in series if each.panel == panel]
        layout[f"yaxis{number}"] = _y_axis(panel, drawn, is_share=is_share) | {
            "domain": [1 - (index + 1) * share + 0.03, 1 - index * share - 0.02]
        }
        faint = [each for each in drawn if each.is_faint]
        if faint:
            traces.append(_faint(x, faint, f"y{number}", is_share=is_share))
        for each in drawn:
            if not each.is_faint:
                is_new = all(trace.name != each.name for trace in traces)
                traces.append(
                    _trace(x, places, each, f"y{number}", looks[each.name], is_new=is_new, is_share=is_share)
                )
    return go.Figure(traces, layout)


def _trace(
    x: list[int],
    places: Sequence[Any],
    series: Series,
    y_axis: str,
    look: tuple[str, str, str],
    *,
    is_new: bool,
    is_share: bool,
) -> go.Scatter:
    colour, dash, symbol = look
    return go.Scatter(
        x=x,
        y=series.values,
        name=series.name,
        legendgroup=series.name,
        showlegend=is_new,
        mode="lines+markers",
        yaxis=y_axis,
        line={"color": colour, "width": 2.5, "dash": dash},
        marker={"color": colour, "symbol": symbol, "size": 7},
        customdata=[str(place) for place in places],
        hovertemplate=f"{series.panel}, {series.name}: %{{y:{_digits(is_share=is_share)}}} at %{{customdata}}<extra></extra>",
    )


def _faint(x: list[int], series: Sequence[Series], y_axis: str, *, is_share: bool) -> go.Scatter:
    """Return many lines as one trace with gaps."""
    gap = [np.nan]
    return go.Scatter(
        x=np.concatenate([[*x, *gap] for _ in series]),
        y=np.concatenate([[*each.values, *gap] for each in series]),
        yaxis=y_axis,
        mode="lines",
        line={"color": QUIET, "width": 1},
        opacity=0.35,
        showlegend=False,
        text=[each.name for each in series for _ in range(len(x) + 1)],
        hovertemplate=f"%{{text}}: %{{y:{_digits(is_share=is_share)}}}<extra></extra>",
    )


def _digits(*, is_share: bool) -> str:
    return ".1%" if is_share else ".2f"


def _x_axis(places: Sequence[Any], title: str, *, is_logarithmic: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": title}, "zeroline": False}
    if is_logarithmic:
        return axis | {"type": "log", "tickmode": "array", "tickvals": list(places)}
    if all(isinstance(place, int) for place in places):
        return axis
    return axis | {"tickmode": "array", "tickvals": list(range(len(places))), "ticktext": list(places)}


def _y_axis(title: str, series: Sequence[Series], *, is_share: bool) -> dict[str, Any]:
    axis: dict[str, Any] = {"title": {"text": title}}
    if not is_share:
        return axis | {"zeroline": True}
    found = np.concatenate([np.append(each.values, [0.0, 1.0]) for each in series])
    return axis | {
        "range": [float(np.nanmin(found)) - 0.07, float(np.nanmax(found)) + 0.08],
        "tickformat": ".0%",
        "tickvals": [0, 0.5, 1],
        "zeroline": False,
    }
