"""Which interventions apply to a model, and why the rest do not."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool

from playground.datasets import Template
from playground.errors import MOST_NAMES, Fault, RequestError, nearest
from playground.interventions.effects import effect_faults
from playground.interventions.kinds.base.intervention import Intervention, SiteIntervention
from playground.interventions.kinds.base.weight import WeightIntervention
from playground.interventions.kinds.base.written import OPPOSITE, TokenIntervention
from playground.interventions.registry import activation_kinds, weight_kinds
from playground.models import Network, Site
from playground.worlds import state_text

_SHOWN = 4
_NEAREST = 3
_MOST = 8
"""How many parts are listed if none has a similar name: as many as a layer of the recurrent models has."""


@dataclass(frozen=True)
class Fit:
    """Which interventions a model can carry out.

    Args:
        applied: the interventions that it can carry out, in their order.
        left_out: the interventions that it cannot carry out.
        faults: the reasons; at least one for each intervention left out.
    """

    applied: tuple[Intervention, ...]
    left_out: tuple[Intervention, ...]
    faults: tuple[Fault, ...]


def fit(interventions: Sequence[Intervention], network: Network, given: int | None = None) -> Fit:
    """Return which interventions can act on a model.

    Args:
        interventions: the requested interventions.
        network: the model.
        given: how many tokens of a free text are given rather than written; None if the texts are those of the
            states, whose prompts are given.
    """
    applied: list[Intervention] = []
    left_out, faults = [], []
    for intervention in interventions:
        found = _faults(intervention, network, given) or _contradictions(intervention, applied)
        (left_out if found else applied).append(intervention)
        faults += [replace(fault, where=str(intervention)) for fault in found]
    return Fit(tuple(applied), tuple(left_out), tuple(faults))


def check(interventions: Sequence[Intervention], network: Network, given: int | None = None) -> None:
    """Raise unless every intervention can act on a model; see `fit`.

    Raises:
        RequestError: listing every part, index, position and state that the model or its world lacks, every
            output that is forced twice, and every intervention that would change nothing.
    """
    faults = fit(interventions, network, given).faults
    if faults:
        raise RequestError(*faults)


def _faults(intervention: Intervention, network: Network, given: int | None) -> list[Fault]:
    """Return what is wrong with one intervention alone."""
    if isinstance(intervention, TokenIntervention):
        prompt = network.template.prompt_length
        faults = _output_faults(intervention, network.template, prompt if given is None else given)
        return faults or intervention.faults_on(network)
    assert isinstance(intervention, SiteIntervention), "all others act at sites"
    faults = _site_faults(intervention, network)
    try:
        mask = intervention.positions.mask(network.template)
    except RequestError as error:
        faults += error.faults
    else:
        faults = faults or _effect_faults(intervention, network, mask, any_text=given is not None)
    for state in (intervention.source, intervention.minus):
        if state is not None:
            try:
                network.template.world.parse_state(state_text(state))
            except RequestError as error:
                faults += error.faults
    return faults


def _effect_faults(
    intervention: SiteIntervention, network: Network, mask: Bool[np.ndarray, " token"], *, any_text: bool
) -> list[Fault]:
    """Return why an intervention would change nothing, in the part of the model or in what is written."""
    meant, site = None, intervention.site
    if isinstance(intervention, WeightIntervention):
        meant = intervention.meant(tuple(network.weights[site.whole][site.slices].shape))
        if not meant.any():
            return [
                Fault(
                    message="this intervention changes nothing",
                    expected=f"a share that comes to at least one of {meant.size:,} weights",
                    got=f"{intervention.share:g}%",
                    hint="Take a larger share, or name a weight by its index.",
                )
            ]
    return intervention.faults_on(network) or effect_faults(
        intervention, network, mask, meant, any_text=any_text
    )


def _output_faults(intervention: TokenIntervention, template: Template, given: int) -> list[Fault]:
    """Return why this output cannot be forced."""
    output, outputs = intervention.output, template.world.outputs
    message = "this output cannot be forced"
    if output not in outputs:
        got = f"{output}, which is given and not written" if output in template.world.inputs else output
        close = difflib.get_close_matches(output, outputs, n=1)
        example = f"{intervention.kind}:{outputs[0]}={OPPOSITE}"
        hint = f"Did you mean {close[0]}?" if close else f"Write it like {example}."
        return [Fault(message=message, expected=nearest(output, outputs), got=got, hint=hint)]
    if template.positions[output] < given:
        return [
            Fault(
                message=message,
                expected="an output behind what is given",
                got=f"{output}, which stands in the text already",
                hint="Give less of the text, or another value in it.",
            )
        ]
    return []


def _contradictions(intervention: Intervention, applied: Sequence[Intervention]) -> list[Fault]:
    if not isinstance(intervention, TokenIntervention):
        return []
    return [
        Fault(
            message="this output is already forced",
            expected=f"no other value for {other.output} beside {other}",
            got=str(intervention),
            hint="Take one of the two out.",
        )
        for other in applied
        if isinstance(other, TokenIntervention) and other.output == intervention.output
    ][:1]


def _site_faults(intervention: SiteIntervention, network: Network) -> list[Fault]:
    """Return why a model has no such activation, or weight."""
    wanted = intervention.site
    acts_on_weights = isinstance(intervention, WeightIntervention)
    shapes = shapes_of(network, weights=acts_on_weights)
    shape = shapes.get(wanted.whole)
    if shape is None:
        got, hint = str(wanted), "Layers, heads and units count from 0."
        if wanted.whole in shapes_of(network, weights=not acts_on_weights):
            other, kinds = (
                ("activation", activation_kinds()) if acts_on_weights else ("weight", weight_kinds())
            )
            got += f", which is {_with_article(other)}"
            *most, last = kinds
            hint = f"{other.capitalize()}s are changed by {', '.join(most)} and {last}."
        return [
            Fault(
                message=f"{intervention.kind} needs {_with_article(intervention.noun)} of this model",
                expected=_known(wanted, shapes),
                got=got,
                hint=hint,
            )
        ]
    if len(wanted.index) <= len(shape) and all(
        each.fits(count) for each, count in zip(wanted.index, shape, strict=False)
    ):
        return []
    if not shape:
        expected, hint = f"{wanted.whole}, which has no units that can be named", "Leave the brackets out."
    else:
        ranges = ",".join(f"0..{count - 1}" for count in shape)
        expected = f"an index within {wanted.whole}[{ranges}]"
        hint = "Units count from 0; [3:8] excludes unit 8."
    return [
        Fault(message=f"index outside the {intervention.noun}", expected=expected, got=str(wanted), hint=hint)
    ]


def _with_article(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def shapes_of(network: Network, *, weights: bool) -> Mapping[Site, tuple[int, ...]]:
    """Return the parts of a model that an intervention can name, with the axes that it can index."""
    if weights:
        return {site: tuple(weight.shape) for site, weight in network.weights.items()}
    return network.sites


def _known(wanted: Site, sites: Mapping[Site, tuple[int, ...]]) -> str:
    """Return, in words, the sites of a model that are most similar to one that it does not have."""
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
