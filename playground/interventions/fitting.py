"""Which interventions mean something to a model, and why others do not."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from playground.datasets import Template
from playground.errors import MOST_NAMES, Fault, RequestError, nearest
from playground.interventions.effects import effect_faults
from playground.interventions.values import (
    Force,
    Intervention,
    SiteIntervention,
    WeightIntervention,
)
from playground.models import Network, Site
from playground.worlds import state_text

_SHOWN = 4
_NEAREST = 3
_MOST = 8
"""Parts that are listed where none is alike: of a layer of the recurrent models all."""


@dataclass(frozen=True)
class Fit:
    """Which interventions a model can carry out.

    Args:
        applied: those that it can, in their order.
        left_out: those that it cannot.
        faults: why not, at least one for each that is left out.
    """

    applied: tuple[Intervention, ...]
    left_out: tuple[Intervention, ...]
    faults: tuple[Fault, ...]


def fit(interventions: Sequence[Intervention], network: Network, given: int | None = None) -> Fit:
    """Return which interventions can act on a model.

    Args:
        interventions: what is asked for.
        network: the model.
        given: how many tokens of any text are given, so that the model does not write them; unless said the texts
            are the states', of which the prompts are given.
    """
    applied: list[Intervention] = []
    left_out, faults = [], []
    for intervention in interventions:
        found = _faults(intervention, network, given) or _contradictions(intervention, applied)
        (left_out if found else applied).append(intervention)
        faults += [replace(fault, where=str(intervention)) for fault in found]
    return Fit(tuple(applied), tuple(left_out), tuple(faults))


def check(interventions: Sequence[Intervention], network: Network, given: int | None = None) -> None:
    """Do nothing if every intervention can act on a model; see `fit`.

    Raises:
        RequestError: with every part, index, position and state that the model and its world do not have,
            with outputs that are forced twice, and with whatever would act nowhere.
    """
    faults = fit(interventions, network, given).faults
    if faults:
        raise RequestError(*faults)


def _faults(intervention: Intervention, network: Network, given: int | None) -> list[Fault]:
    """Return what is wrong with one intervention alone."""
    if isinstance(intervention, Force):
        prompt = network.template.prompt_length
        return _force_faults(intervention, network.template, prompt if given is None else given)
    assert isinstance(intervention, SiteIntervention), "all others act at sites"
    faults = _site_faults(intervention, network)
    try:
        mask = intervention.positions.mask(network.template)
    except RequestError as error:
        faults += error.faults
    else:
        if not faults:
            meant = None
            if isinstance(intervention, WeightIntervention):
                part = network.weights[intervention.site.whole][intervention.site.slices]
                meant = intervention.meant(tuple(part.shape))
                faults += _weight_faults(intervention, network, meant)
            if not faults:
                faults += effect_faults(intervention, network, mask, meant, any_text=given is not None)
    for state in (intervention.source, intervention.minus):
        if state is not None:
            try:
                network.template.world.parse_state(state_text(state))
            except RequestError as error:
                faults += error.faults
    return faults


def _force_faults(force: Force, template: Template, given: int) -> list[Fault]:
    outputs = template.world.outputs
    message = "this output cannot be forced"
    if force.output not in outputs:
        got = (
            f"{force.output}, which is given and not written"
            if force.output in template.world.inputs
            else force.output
        )
        close = difflib.get_close_matches(force.output, outputs, n=1)
        hint = f"Did you mean {close[0]}?" if close else f"Write it like force:{outputs[0]}=!."
        return [Fault(message=message, expected=nearest(force.output, outputs), got=got, hint=hint)]
    if template.positions[force.output] < given:
        return [
            Fault(
                message=message,
                expected="an output behind what is given",
                got=f"{force.output}, which stands in the text already",
                hint="Give less of the text, or another value in it.",
            )
        ]
    return []


def _contradictions(intervention: Intervention, applied: Sequence[Intervention]) -> list[Fault]:
    if not isinstance(intervention, Force):
        return []
    return [
        Fault(
            message="this output is already forced",
            expected=f"no other value for {other.output} beside {other}",
            got=str(intervention),
            hint="Take one of the two out.",
        )
        for other in applied
        if isinstance(other, Force) and other.output == intervention.output
    ][:1]


def _site_faults(intervention: SiteIntervention, network: Network) -> list[Fault]:
    """Return why a model has no such activation, or weight."""
    wanted = intervention.site
    acts_on_weights = isinstance(intervention, WeightIntervention)
    noun = "weight" if acts_on_weights else "activation"
    shape = _shape_of(wanted.whole, network, weights=acts_on_weights)
    if shape is None:
        shapes = shapes_of(network, weights=acts_on_weights)
        others = shapes_of(network, weights=not acts_on_weights)
        expected, got, hint = _known(wanted, shapes), str(wanted), "Layers, heads and units count from 0."
        if wanted.whole in others:
            got += f", which is {'an activation' if acts_on_weights else 'a weight'}"
            hint = (
                "Weights are changed by flip, nuke and noise."
                if not acts_on_weights
                else "Activations are changed by zero, mean, resample, scale, steer and patch."
            )
        message = (
            f"{intervention.kind} needs {'a weight' if acts_on_weights else 'an activation'} of this model"
        )
        return [Fault(message=message, expected=expected, got=got, hint=hint)]
    if len(wanted.index) <= len(shape) and all(
        each.fits(count) for each, count in zip(wanted.index, shape, strict=False)
    ):
        return []
    if not shape:
        expected, hint = f"{wanted.whole}, which has no units that can be named", "Leave the brackets out."
    else:
        ranges = ",".join(f"0..{count - 1}" for count in shape)
        expected = f"an index within {wanted.whole}[{ranges}]"
        hint = "Units count from 0; in [3:8] the 8 is the first that is not meant."
    return [Fault(message=f"index outside the {noun}", expected=expected, got=str(wanted), hint=hint)]


def _weight_faults(
    intervention: WeightIntervention, network: Network, meant: Bool[np.ndarray, ...]
) -> list[Fault]:
    """Return why a change of a weight would come to nothing."""
    site, message = intervention.site, "this intervention changes nothing"
    if not meant.any():
        return [
            Fault(
                message=message,
                expected=f"a share that comes to at least one of {meant.size:,} weights",
                got=f"{intervention.share:g}%",
                hint="Take a larger share, or name a weight by its index.",
            )
        ]
    if intervention.kind == "noise" and not float(network.weights[site.whole].std(correction=0)):
        return [
            Fault(
                message=message,
                expected="a weight whose numbers differ, so that they have a standard deviation",
                got=f"{site.whole}, whose numbers are all the same",
                hint="Choose another weight.",
            )
        ]
    return []


def _shape_of(site: Site, network: Network, *, weights: bool) -> tuple[int, ...] | None:
    if not weights:
        return network.sites.get(site)
    weight = network.weights.get(site)
    return None if weight is None else tuple(weight.shape)


def shapes_of(network: Network, *, weights: bool) -> Mapping[Site, tuple[int, ...]]:
    """Return the parts of a model that an intervention can name, with the axes that it can index."""
    if weights:
        return {site: tuple(weight.shape) for site, weight in network.weights.items()}
    return network.sites


def _known(wanted: Site, sites: Mapping[Site, tuple[int, ...]]) -> str:
    """Return, in words, the sites of a model that come nearest to one that it does not have."""
    layers = sorted({site.layer for site in sites if site.layer is not None})
    heads = sorted({site.head for site in sites if site.head is not None and site.layer == wanted.layer})
    free = [str(site) for site in sites if site.layer is None]
    if wanted.layer is not None and wanted.layer not in layers:
        return f"a layer from L{layers[0]} to L{layers[-1]}" if len(layers) > 1 else f"layer L{layers[0]}"
    names = {str(site) for site in sites}
    if wanted.head is not None and heads and wanted.head not in heads:
        return f"a head from L{wanted.layer}H{heads[0]} to L{wanted.layer}H{heads[-1]}"
    close = difflib.get_close_matches(str(wanted.whole), sorted(names), n=_NEAREST, cutoff=0.7)
    if close:
        return "one of " + ", ".join(close)
    shown = layers[0] if wanted.layer is None else wanted.layer
    of_layer = [
        str(site)
        for site in sites
        if site.layer == shown and (site.head is None or site.head == (wanted.head or 0))
    ]
    shown_names = of_layer if wanted.layer is not None else [*free, *of_layer]
    if len(shown_names) > (MOST_NAMES if wanted.layer is None else _MOST):
        return nearest(str(wanted.whole), sorted(names))
    if wanted.layer is not None:
        return "one of " + ", ".join(of_layer)
    others = f" (likewise to L{layers[-1]})" if len(layers) > 1 else ""
    return "one of " + ", ".join(shown_names) + others
