"""The data of page Weights: thumbnails of the matrices of a layer, and one of them in full."""

from __future__ import annotations

from threading import Lock
from typing import Any

import numpy as np
from cachetools import LRUCache, cached
from jaxtyping import Float, UInt16

from api.asked.views import View
from playground.analysis import Summary, axes_of, matrices_of, summarise
from playground.inference import Model, make_plan
from playground.interventions import Nuke, WeightIntervention
from playground.models import Network, Site

_FULL_BYTE, _FULL_SCALE = 127, np.iinfo(np.uint16).max
_SHOWN_VALUES = 128


def _by_name(digest: str, name: str, *_: object) -> tuple[str, str]:
    """Return the key of a cache: the weight's model and name say all."""
    return digest, name


def chosen_weight(view: View) -> Site:
    """Return the weight that is shown in full."""
    if view.condition.weight is not None and view.condition.weight in view.model.network.weights:
        return view.condition.weight
    return default_weight(view.model.network)


def default_weight(network: Network) -> Site:
    """Return the weight that is shown in full unless another is chosen: the first matrix within a layer."""
    weights = network.weights
    return next(
        (site for site, weight in weights.items() if site.layer == 0 and weight.dim() > 1),
        next(iter(weights)),
    )


def groups_of(network: Network) -> list[int | None]:
    """Return the layers that have weights; None stands for weights outside the layers."""
    return list(dict.fromkeys(site.layer for site in network.weights))


def group_name(layer: int | None) -> str:
    """Return what a group of weights is called."""
    return "outside the layers" if layer is None else str(Site(layer))


def thumbnails_data(view: View, layer: int | None) -> dict[str, Any]:
    """Return thumbnails of all weights of a layer; those of all heads are shown head by head."""
    network = view.model.network
    sites = [site for site in network.weights if site.layer == layer and not _is_shown_by_head(site, network)]
    # Matrices first; sorting keeps the order in which the model uses them.
    sites.sort(key=lambda site: network.weights[site].dim() == 1)
    edited = {each.site.whole for each in view.applied if isinstance(each, WeightIntervention)}
    return {
        "weights": [_thumb(view.model, site) | {"edited": site in edited} for site in sites],
        "chosen": str(chosen_weight(view)),
        "condition": view.tag,
    }


def matrix_data(view: View) -> dict[str, Any]:
    """Return the chosen weight, unedited and edited, with its singular values and its edits."""
    site, network = chosen_weight(view), view.model.network
    values = network.weights[site].cpu().numpy()
    mine = [each for each in view.applied if isinstance(each, WeightIntervention)]
    plan = make_plan(mine, network, view.model.values)
    changed = network.edited_weight(site, plan.weights).cpu().numpy() if mine else values
    is_edited = not np.array_equal(changed, values)
    largest = max(float(np.abs(values).max()), float(np.abs(changed).max())) or 1.0
    summary = summary_of(view.model, site)
    blocks = matrices_of(site, values)
    return {
        "site": str(site),
        "axes": _axes(site, values.shape),
        "blocks": blocks.shape[0],
        "rows": blocks.shape[1],
        "columns": blocks.shape[2],
        "largest": largest,
        "values": _pack(blocks, largest),
        "edited": _pack(matrices_of(site, changed), largest) if is_edited else None,
        "singular": [line[:_SHOWN_VALUES] for line in summary.singular_values.round(5).tolist()],
        "about": _about(summary),
        "done": [str(each) for each in mine if each.site.whole == site],
        # If a click sets to zero anyway, the page needs no button for that.
        "nukes": view.condition.click_action.weight_kind is Nuke,
        "condition": view.tag,
    }


@cached(LRUCache(1_024), key=_by_name, lock=Lock())
def _summary(digest: str, name: str, _model: Model, _site: Site) -> Summary:
    return summarise(_model.network, _site)


def summary_of(model: Model, site: Site) -> Summary:
    """Return the summary of a weight, computed once."""
    return _summary(model.checkpoint.digest, str(site), model, site)


@cached(LRUCache(1_024), key=_by_name, lock=Lock())
def _thumb_of(digest: str, name: str, _model: Model, _site: Site) -> dict[str, Any]:
    values = _model.network.weights[_site].cpu().numpy()
    picture = np.concatenate(list(matrices_of(_site, values)), axis=1)
    largest = float(np.abs(picture).max()) or 1.0
    packed = np.round(picture / largest * _FULL_BYTE).astype(np.int8)
    strongest = summary_of(_model, _site).singular_values
    return {
        "site": name,
        "shape": "x".join(str(length) for length in values.shape),
        "rows": picture.shape[0],
        "columns": picture.shape[1],
        "values": packed.ravel(),
        "singular": strongest.max(0).round(4).tolist() if strongest.size else [],
    }


def _thumb(model: Model, site: Site) -> dict[str, Any]:
    return _thumb_of(model.checkpoint.digest, str(site), model, site)


def _is_shown_by_head(site: Site, network: Network) -> bool:
    """Return whether each head's part of a weight is also a weight with its own name."""
    part = (site.part or "").removeprefix("attn.")
    return part != site.part and Site(site.layer, head=0, part=part) in network.weights


def _axes(site: Site, shape: tuple[int, ...]) -> list[str]:
    """Return for each axis of the weight whether it counts blocks, rows or columns."""
    named = {axis: name for name, axis in axes_of(site, shape).items()}
    return [named.get(axis, "columns") for axis in range(len(shape))]


def _about(summary: Summary) -> str:
    shape = " x ".join(str(length) for length in summary.shape)
    return f"{shape} · norm {summary.norm:.2f} · largest {summary.largest:.3f} · standard deviation {summary.deviation:.4f}"


def _pack(blocks: Float[np.ndarray, "block row column"], largest: float) -> UInt16[np.ndarray, " number"]:
    """Return numbers from -largest to largest as 16 bits each, in one row."""
    shares = (blocks / largest + 1) / 2
    return (shares * _FULL_SCALE).round().astype(np.uint16).ravel()
