"""The data of the drawings of a model: attention patterns, maps of units x tokens, the ranking."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from jaxtyping import Float, UInt16

from api.asked.views import View
from playground.analysis import Effect
from playground.inference import Run
from playground.interventions import ActivationIntervention, Anchor, Intervention
from playground.models import ActivationMap, Site

_FULL_SCALE = np.iinfo(np.uint16).max
_MOST_RANKED = 24

Patterns = Float[np.ndarray, "layer head query key"]
Values = Float[np.ndarray, "unit token component"]


def patterns(view: View, run: Run) -> Patterns:
    """Return the attention patterns of one of `view.runs`, in the chosen state."""
    hooks = view.model.network.pattern_hooks
    return np.stack([run.recorded[hook][0].float().cpu().numpy() for hook in hooks])


def values(run: Run, drawn: ActivationMap) -> Values:
    """Return the values of a map in a run, in the chosen state."""
    recorded = run.recorded[drawn.hook][0].float().cpu().numpy()
    return recorded.reshape(len(recorded), drawn.units, drawn.components).swapaxes(0, 1)


def difference(shown: Sequence[np.ndarray]) -> np.ndarray | None:
    """Return edited minus baseline; None if there is only the baseline."""
    return shown[1] - shown[0] if len(shown) > 1 else None


def mosaic_data(view: View) -> dict[str, Any]:
    """Return the attention patterns of all heads for one state, baseline and edited."""
    baseline, edited = (patterns(view, run) for run in view.runs)
    moved = np.abs(edited - baseline).max((-1, -2))
    return {
        "layers": [
            {
                "name": str(Site(layer)),
                "heads": [
                    {"site": str(Site(layer, head=head)), "moved": float(moved[layer, head])}
                    for head in range(moved.shape[1])
                ],
                "parts": [
                    {"site": str(site), "label": site.part or "both"}
                    for site in (Site(layer, part="attn"), Site(layer, part="mlp"), Site(layer))
                ],
            }
            for layer in range(len(moved))
        ],
        "size": view.model.template.length,
        "baseline": _pack(baseline),
        "edited_patterns": _pack(edited) if view.applied else None,
        "labels": view.labels[0],
        "edited_labels": view.labels[1],
        "active": _active(view.applied),
        "edited": bool(view.applied),
        "condition": view.tag,
    }


def maps_data(view: View, token: Anchor) -> dict[str, Any]:
    """Return the overview maps of a model for one state, baseline and edited.

    Args:
        view: what is shown.
        token: the token whose receptive field is drawn.
    """
    packed: list[np.ndarray] = []
    edited_packed: list[np.ndarray | None] = []
    described: list[tuple[ActivationMap, dict[str, Any]]] = []
    for drawn in (each for each in view.model.network.maps if not each.detail):
        baseline, edited = (values(run, drawn) for run in view.runs)
        low, high = limits(drawn, baseline, edited)
        span = max(high - low, np.finfo(np.float32).tiny)
        packed.append(_pack((baseline - low) / span))
        edited_packed.append(_pack((edited - low) / span) if view.applied else None)
        description = {
            "site": str(drawn.site),
            "title": drawn.title,
            "units": drawn.units,
            "components": drawn.components,
            "low": low,
            "high": high,
            "moved": float(np.abs(edited - baseline).max()),
            "reach": receptive_field(view, drawn, token),
        }
        described.append((drawn, description))
    return {
        "lines": _lines(described),
        "tokens": view.model.template.length,
        "baseline": packed,
        "edited_values": edited_packed,
        "labels": view.labels[0],
        "edited_labels": view.labels[1],
        "seen_from": str(token),
        "active": _active(view.applied),
        "marks": _marks(view),
        "edited": bool(view.applied),
        "condition": view.tag,
    }


def receptive_field(view: View, drawn: ActivationMap, token: Anchor) -> list[int] | None:
    """Return the tokens at which a map's values affect the scores at `token`; None if the last one sees all tokens."""
    network, template = view.model.network, view.model.template
    if len(network.receptive_field(drawn, template.length - 1)) == template.length:
        return None
    return list(network.receptive_field(drawn, token.index(template)))


def _lines(described: list[tuple[ActivationMap, dict[str, Any]]]) -> list[dict[str, Any]]:
    """Return the maps in lines: those of a layer share a line, a map with several components has its own."""
    lines: list[dict[str, Any]] = []
    for drawn, description in described:
        whole = Site(drawn.site.layer) if drawn.site.layer is not None else None
        name, alone = str(whole or "memory"), drawn.components > 1
        if not lines or alone or lines[-1]["alone"] or lines[-1]["name"] != name:
            parts = [{"site": str(whole), "label": f"all of {whole}"}] if whole else []
            lines.append({"name": name, "alone": alone, "parts": parts, "maps": []})
        lines[-1]["maps"].append(description)
    return lines


def _marks(view: View) -> list[dict[str, Any]]:
    """Return the units on which interventions act, and how."""
    sites = view.model.network.sites
    return [
        {
            "site": str(each.site.whole),
            "units": list(range(sites[each.site.whole][0]))[each.site.index[0].as_slice],
            "text": _done(each),
        }
        for each in view.applied
        if isinstance(each, ActivationIntervention) and each.site.index
    ]


def limits(drawn: ActivationMap, *shown: Values) -> tuple[float, float]:
    """Return the ends of a colour scale that covers all shown values of a map."""
    bound = drawn.bound or max(float(np.abs(each).max()) for each in shown)
    return (-bound if drawn.signed else 0.0, bound)


def ranking_data(effects: list[Effect]) -> dict[str, Any]:
    """Return the elements of a model that move the margins most when each alone is ablated."""
    return {
        "left_out": max(len(effects) - _MOST_RANKED, 0),
        "elements": [
            {
                "site": str(effect.intervention.site),
                "seen": effect.moved_seen,
                "held_out": effect.moved_held_out,
                "broken_seen": effect.broken_seen,
                "broken_held_out": effect.broken_held_out,
            }
            for effect in effects[:_MOST_RANKED]
        ],
    }


def _active(interventions: tuple[Intervention, ...]) -> dict[str, str]:
    """Return for each edited site the interventions on it."""
    active: dict[str, str] = {}
    for each in interventions:
        if isinstance(each, ActivationIntervention):
            site, here = str(each.site), _done(each)
            active[site] = f"{active[site]} {here}" if site in active else here
    return active


def _done(intervention: ActivationIntervention) -> str:
    """Return the intervention without its site: `zero@>newB..`, `scale~2`."""
    return str(intervention).replace(f":{intervention.site}", "", 1)


def _pack(shares: np.ndarray) -> UInt16[np.ndarray, " number"]:
    """Return numbers from 0 to 1 as 16 bits each, in one row."""
    return (shares * _FULL_SCALE).round().astype(np.uint16).ravel()
