"""Plots: arrays and labels in, figures out. Nothing is computed here."""

from plotly.graph_objects import Figure

from playground.plots.curves import plot_emergence, plot_explained, plot_kept
from playground.plots.dependencies import draw_dependencies
from playground.plots.grids import plot_grid, plot_head_values
from playground.plots.mechanism import plot_attribution, plot_lens
from playground.plots.route_summaries import draw_route_summaries
from playground.plots.routes import draw_routes
from playground.plots.theme import make_template, script, templates_to_json, to_json
from playground.plots.views import plot_attention, plot_units

__all__ = [
    "Figure",
    "draw_dependencies",
    "draw_route_summaries",
    "draw_routes",
    "make_template",
    "plot_attention",
    "plot_attribution",
    "plot_emergence",
    "plot_explained",
    "plot_grid",
    "plot_head_values",
    "plot_kept",
    "plot_lens",
    "plot_units",
    "script",
    "templates_to_json",
    "to_json",
]
