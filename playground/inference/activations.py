"""Activations of a part of a model in one state or all, with every axis and entry named.

The values are taken after all interventions, on the text that the model writes under them. `L2.mlp` is what an
MLP adds to the residual stream, `L2.mlp[:]` are its neurons; `L1H2.pattern` is the attention pattern of a head,
`L1.pattern` those of all heads of a layer; `logits` are the scores of the next token.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from playground.datasets import Template
from playground.errors import RequestError
from playground.inference.decoding import Run
from playground.inference.model import InterventionsLike, Model, as_values
from playground.interventions import Zero, anchor_at, check, parse_site
from playground.models import HookLocation, Network, Site
from playground.worlds import State, state_text

PATTERN = "pattern"
LOGITS = "logits"
END = "end"
"""The name of the last position, where nothing more is read or written."""


@dataclass(frozen=True)
class Activation:
    """The activation of a part of a model.

    Args:
        site: the part, as text.
        model: the name of the model's run.
        world: the rules that it was trained on.
        interventions: under which it ran, each as text.
        texts: what the model wrote in each state, the prompt included.
        axes: the name of each axis of `values`, in their order; the first is `state`.
        labels: for each axis, the names of its entries: states, positions as in `@POSITIONS`, numbers
            of heads and units as in the site.
        values: in the model's own unit, or probabilities for a pattern.
    """

    site: str
    model: str
    world: str
    interventions: tuple[str, ...]
    texts: tuple[str, ...]
    axes: tuple[str, ...]
    labels: Mapping[str, tuple[str, ...]]
    values: Shaped[np.ndarray, "state ..."]


def measure_activation(
    model: Model, site: Site | str, interventions: InterventionsLike = (), state: State | str | None = None
) -> Activation:
    """Return the activation of a part of a model.

    Args:
        model: a loaded model; it stays as it is.
        site: one of `model.network.sites`, perhaps with an index, or an attention pattern, or `logits`; or its text.
        interventions: values, or their text form.
        state: a single state; None for all.

    Returns:
        An activation with the axes state, token, and those of the part; state, head, query, key for a pattern; state, token,
        vocabulary for the logits. A site that stands for several parts (`L2`) adds an axis `part`.

    Raises:
        RequestError: for an unknown site or state, and as `Model.run_all` does.
    """
    site = parse_site(site) if isinstance(site, str) else site
    states = model.world.states
    if state is not None:
        state = model.world.parse_state(state if isinstance(state, str) else state_text(state))
    rows = slice(None) if state is None else slice(states.index(state), states.index(state) + 1)
    if site == Site(part=LOGITS):
        run, axes, values = _measure_logits(model, interventions)
    else:
        measure = _measure_pattern if _is_pattern(site, model.network) else _measure_site
        run, axes, values = measure(site, model, interventions)
    tokens = run.tokens[rows].cpu().numpy()
    return Activation(
        site=str(site),
        model=model.name,
        world=model.world.text,
        interventions=tuple(map(str, as_values(interventions))),
        texts=tuple(model.template.decode(row) for row in tokens),
        axes=("state", *axes),
        labels={"state": tuple(map(state_text, states[rows]))} | axes,
        values=np.ascontiguousarray(values[rows].cpu().numpy()),
    )


Named = tuple[Run, dict[str, tuple[str, ...]], Tensor]
"""A run on all states; the axes after the state axis, with their labels; the values."""


def _measure_logits(model: Model, interventions: InterventionsLike) -> Named:
    run, template = model.record((), interventions), model.template
    return run, {"token": token_names(template), "vocabulary": tuple(template.vocabulary)}, run.logits


def _measure_pattern(site: Site, model: Model, interventions: InterventionsLike) -> Named:
    if site.head is not None:
        _check(replace(site, part=None), model.network)
    hook = model.network.pattern_hooks[site.layer or 0]
    run, tokens = model.record([hook], interventions), token_names(model.template)
    heads = slice(None) if site.head is None else slice(site.head, site.head + 1)
    values = run.recorded[hook]
    axes = {"head": _numbers(values.shape[1], heads), "query": tokens, "key": tokens}
    return run, axes, values[:, heads]


def _measure_site(site: Site, model: Model, interventions: InterventionsLike) -> Named:
    network = model.network
    _check(site, network)
    places = network.hook_locations(site)
    run = model.record([place.hook for place in places], interventions)
    parts = [run.recorded[place.hook][(slice(None), slice(None), *place.index)] for place in places]
    names, sizes = _axes_of(places[0], site, network), run.recorded[places[0].hook].shape[2:]
    indices = [*places[0].index, *(slice(None) for _ in names)]
    units = {name: _numbers(size, index) for name, size, index in zip(names, sizes, indices, strict=False)}
    token = {"token": token_names(model.template)}
    if len(places) == 1:
        return run, token | units, parts[0]
    part = {"part": tuple(_site_at(place, network) for place in places)}
    return run, token | part | units, torch.stack(parts, 2)


def _is_pattern(site: Site, network: Network) -> bool:
    return (
        site.part == PATTERN
        and not site.index
        and site.layer is not None
        and site.layer < len(network.pattern_hooks)
    )


def _axes_of(place: HookLocation, site: Site, network: Network) -> tuple[str, ...]:
    if site.head is not None:
        return ("head", "component")
    for each in network.maps:
        if each.hook == place.hook:
            return (each.noun, "component")[: len(each.shape)]
    return ("dimension",)


def _site_at(place: HookLocation, network: Network) -> str:
    return next(str(site) for site in network.sites if network.hook_locations(site) == (place,))


def token_names(template: Template) -> tuple[str, ...]:
    """Return the name of every position, as in interventions: `newB` where newB is read, `>newB` where it is written."""
    return tuple(str(anchor_at(template, index) or END) for index in range(template.length))


def _numbers(count: int, index: slice) -> tuple[str, ...]:
    return tuple(map(str, range(count)[index]))


def _check(site: Site, network: Network) -> None:
    """Check that a model has such an activation.

    Raises:
        RequestError: if not.
    """
    try:
        check([Zero(site)], network)
    except RequestError as error:
        patterns = f", or a pattern such as L0H0.{PATTERN}" if network.pattern_hooks else ""
        hint = "Layers, heads and units count from 0."
        if site.whole in network.weights:
            hint = "A weight is the same in every state: it stands in the model's safetensors file."
        said = {"where": str(site), "message": "unknown activation", "hint": hint}
        faults = (replace(fault, expected=fault.expected + patterns, **said) for fault in error.faults)
        raise RequestError(*faults) from error
