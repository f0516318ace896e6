"""One part of a model drawn large: baseline, edited and their difference."""

from __future__ import annotations

import json
from typing import Any

from api.asked.condition import drawable
from api.asked.views import View
from api.probe import drawings
from playground.interventions import Anchor
from playground.models import Site
from playground.plots import plot_attention, plot_units


def seen_from(view: View) -> Anchor:
    """Return the token whose receptive field is drawn."""
    return view.condition.token or Anchor(view.model.world.answers[-1], writing=True)


def large_figure(view: View) -> dict[str, Any]:
    """Return one part as a figure of plotly, baseline beside edited, and whether it has a receptive field."""
    large, network = _large(view), view.model.network
    groups = ["baseline", "edited", "difference"] if view.applied else ["baseline"]
    runs = view.runs if view.applied else view.runs[:1]
    reach = None
    if large.head is not None:
        attention = [drawings.patterns(view, run)[large.layer or 0, large.head] for run in runs]
        figure = plot_attention(
            attention,
            [f"{large} {group}" for group in groups],
            view.labels[1],
            rows=view.writing,
            difference=drawings.difference(attention),
        )
    else:
        drawn = next(each for each in network.maps if each.site == large)
        reach = drawings.receptive_field(view, drawn, seen_from(view))
        shown = [drawings.values(run, drawn) for run in runs]
        figure = plot_units(
            shown,
            [f"{large}, {group}" for group in groups],
            view.labels[1],
            limits=drawings.limits(drawn, *shown),
            unit=drawn.noun,
            seen=reach or (),
            difference=drawings.difference(shown),
        )
    return {
        "figure": json.loads(str(figure.to_json())),
        "site": str(large),
        "has_reach": reach is not None,
        "seen_from": str(seen_from(view)),
        "condition": view.tag,
    }


def _large(view: View) -> Site:
    """Return the part that is drawn large."""
    return view.condition.large or drawable(view.model)[0]
