"""Plots: arrays and labels in, figures out, with no analysis."""

from plotly.graph_objects import Figure

from playground.plots.bars import plot_bars
from playground.plots.curves import MOST_LINES, Series, plot_curves
from playground.plots.dependencies import draw_dependencies
from playground.plots.grids import plot_grid
from playground.plots.route_summaries import draw_route_summaries
from playground.plots.routes import draw_routes, draw_routes_apart
from playground.plots.theme import make_template, script, templates_to_json, to_json
from playground.plots.views import plot_attention, plot_units

__all__ = [
    "MOST_LINES",
    "Figure",
    "Series",
    "draw_dependencies",
    "draw_route_summaries",
    "draw_routes",
    "draw_routes_apart",
    "make_template",
    "plot_attention",
    "plot_bars",
    "plot_curves",
    "plot_grid",
    "plot_units",
    "script",
    "templates_to_json",
    "to_json",
]
