"""The default look of figures: one template for light pages, one for dark pages, and one set of colours.

Figures themselves name no template: Streamlit gives them its own, with the same colours.
"""

from __future__ import annotations

import json
from typing import Any

import plotly.graph_objects as go
from plotly.offline import get_plotlyjs

FIRST, SECOND, THIRD, QUIET = "#2b8a94", "#c5722a", "#8a68c4", "#8b8b85"
"""Colours of lines, bars and marks, visible on light and dark pages."""

SEQUENTIAL = (
    (
        "#fbfaf7", "#e2eeee", "#c4dedf", "#a3cccf", "#80b8bc", "#5ca2a8", "#3c8b92", "#21757d", "#0f5e66", "#08444b",
    ),
    (
        "#14181b", "#173034", "#1a454a", "#1e5b62", "#25727a", "#308a93", "#42a3ab", "#62bac1", "#8fd2d7", "#c6ebee",
    ),
)  # fmt: skip
"""Colours from zero up, on a light page and on a dark page."""
DIVERGING = (
    (
        "#8c2a20", "#b3564c", "#d2887f", "#e8bcb6", "#f5e6e3", "#e4efef", "#b9d8da", "#7fb5ba", "#3f8c93", "#0f5e66",
    ),
    (
        "#f08a7d", "#c96a5f", "#974d45", "#653630", "#33231f", "#1b2c2e", "#1e4a4f", "#2a6e75", "#3f96a0", "#6fc7cf",
    ),
)  # fmt: skip
"""Colours from negative to positive, likewise."""
_INK, _GRID, _PAPER = ("#1d2327", "#e8e6e0"), ("#e4e0d6", "#2c343a"), ("#ffffff", "#1d2327")


def make_template(*, dark: bool) -> go.layout.Template:
    """Return the template for figures on a page.

    Args:
        dark: whether the page is dark.
    """
    ink, grid, paper = _INK[dark], _GRID[dark], _PAPER[dark]
    axis = {
        "gridcolor": grid,
        "linecolor": grid,
        "zerolinecolor": _INK[dark],
        "zerolinewidth": 1,
        "automargin": True,
    }
    bar = {"outlinewidth": 0, "thickness": 10}
    return go.layout.Template(
        layout={
            "font": {"family": "Inter, system-ui, sans-serif", "size": 12, "color": ink},
            "paper_bgcolor": "rgba(0,0,0,0)",
            "plot_bgcolor": "rgba(0,0,0,0)",
            "colorway": [FIRST, SECOND, THIRD, QUIET],
            "colorscale": {
                "sequential": _steps(SEQUENTIAL[dark]),
                "sequentialminus": _steps(DIVERGING[dark][:5]),
                "diverging": _steps(DIVERGING[dark]),
            },
            "coloraxis": {"colorbar": bar},
            "hoverlabel": {"bgcolor": paper, "bordercolor": grid, "font": {"color": ink}},
            "xaxis": axis,
            "yaxis": axis,
        }
    )


def _steps(colours: tuple[str, ...]) -> list[tuple[float, str]]:
    return [(index / (len(colours) - 1), colour) for index, colour in enumerate(colours)]


def two_digits(value: float, sign: str = "") -> str:
    """Return a number with two decimals.

    Args:
        value: any number but NaN; a value that rounds to zero has no minus sign.
        sign: "+" to put a plus sign before values that are not negative.
    """
    return f"{round(value, 2) + 0.0:{sign}.2f}".replace("-", "−")


def script() -> str:
    """Return plotly.js, which draws figures in a browser, for a page without network access."""
    return get_plotlyjs()


def to_json(figure: go.Figure) -> str:
    """Return a figure's data and layout for embedding in a page's script, without the template, which the page has.

    Args:
        figure: stays as it is.
    """
    document = json.loads(str(figure.to_json()))
    document["layout"].pop("template", None)
    return _for_scripts({"data": document["data"], "layout": document["layout"]})


def templates_to_json() -> str:
    """Return the templates for light and dark pages, for embedding in a page's script."""
    return _for_scripts([make_template(dark=dark).to_plotly_json() for dark in (False, True)])


def _for_scripts(document: Any) -> str:
    """Return JSON escaped so that nothing in it can end a script element."""
    return json.dumps(document, allow_nan=False).replace("<", "\\u003c")
