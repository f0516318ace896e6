"""Plots: arrays and labels in, figures out. Nothing is computed here."""

from playground.plots.fingerprints import draw_fingerprints
from playground.plots.routes import draw_routes
from playground.plots.views import plot_attention, plot_units

__all__ = ["draw_fingerprints", "draw_routes", "plot_attention", "plot_units"]
