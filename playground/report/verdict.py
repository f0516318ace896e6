"""Figures of the verdict: how each answer comes about, and the causal diagram."""

from __future__ import annotations

import numpy as np

from playground.analysis import Mechanism, Routes, routes_graph
from playground.inference import Model
from playground.plots import draw_route_summaries
from playground.report.exhibits import Exhibit, exhibit_of


def route_summary_bars(mechanism: Mechanism) -> Exhibit:
    """Return the bars of the route summary; the mechanism must have answers that read others."""
    summaries = mechanism.route_summaries
    groups = [(each.counts, each.held_out) for each in summaries]
    return Exhibit(
        "picture",
        "How each answer comes about",
        "Shares of the texts on which reading what is written and recomputing from the inputs lead to different answers.",
        svg=draw_route_summaries(
            [each.answer for each in summaries],
            np.array([[one.counts for one in each] for each in groups]),
            np.array([[one.percent for one in each] for each in groups]),
            ("all states", "held out"),
        ),
    )


def routes_diagram(model: Model, routes: Routes) -> Exhibit:
    """Return the causal diagram: the world's beside the model's."""
    return exhibit_of(routes_graph(routes, model.world))
