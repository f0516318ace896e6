"""Activations of a part of a model in one state or all, with every axis and entry named.

The values are those that the model goes on with: after all interventions, on the text that it writes
under them. `L2.mlp` is what an MLP adds to the residual stream, `L2.mlp[:]` are its neurons; `L1H2.pattern`
is where a head looks, `L1.pattern` where all heads of a layer do; `logits` are the scores of the next token.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from jaxtyping import Shaped
from torch import Tensor

from playground.datasets import Template
from playground.errors import Fault, RequestError
from playground.inference.model import InterventionsLike, Model, as_values
from playground.interventions import Zero, anchor_at, check, parse_site
from playground.models import HookLocation, Network, Site
from playground.worlds import State, state_text

PATTERN = "pattern"
LOGITS = "logits"
END = "end"
"""The name of the last position, where nothing is read or written any more."""


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
        labels: for each of them what its entries are called: states, positions as in `@POSITIONS`, numbers
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
        state: the only state that is wanted; None for all.

    Returns:
        With the axes state, token, and those of the part; state, head, query, key for a pattern; state, token,
        vocabulary for the logits. Of a site that stands for several parts (`L2`), these are on an axis `part`.

    Raises:
        RequestError: for a site or state that there is not, and as `Model.run_all` does.
    """
    site = parse_site(site) if isinstance(site, str) else site
    states = model.world.states
    if state is not None:
        state = model.world.parse_state(state if isinstance(state, str) else state_text(state))
    rows = slice(None) if state is None else slice(states.index(state), states.index(state) + 1)
    hooks, view = _find(site, model.network)
    run = model.record(hooks, interventions)
    axes, labels, values = view([run.recorded[hook] for hook in hooks] or [run.logits])
    tokens = run.tokens[rows].cpu().numpy()
    return Activation(
        site=str(site),
        model=model.name,
        world=model.world.text,
        interventions=tuple(map(str, as_values(interventions))),
        texts=tuple(model.template.decode(row) for row in tokens),
        axes=("state", *axes),
        labels={"state": tuple(map(state_text, states[rows]))} | labels,
        values=np.ascontiguousarray(values[rows].cpu().numpy()),
    )


Named = tuple[tuple[str, ...], dict[str, tuple[str, ...]], Tensor]
"""The axes behind the states', the labels of each, and the values."""


def _find(site: Site, network: Network) -> tuple[tuple[str, ...], Callable[[Sequence[Tensor]], Named]]:
    """Return where something is found, nowhere for the logits, and what makes named values of what is found."""
    if site == Site(part=LOGITS):
        labels = {"token": token_names(network.template), "vocabulary": tuple(network.template.vocabulary)}
        return (), lambda found: (("token", "vocabulary"), labels, found[0])
    return (_find_pattern if _is_pattern(site, network) else _find_site)(site, network)


def _is_pattern(site: Site, network: Network) -> bool:
    return (
        site.part == PATTERN
        and not site.index
        and site.layer is not None
        and site.layer < len(network.pattern_hooks)
    )


def _find_pattern(
    site: Site, network: Network
) -> tuple[tuple[str, ...], Callable[[Sequence[Tensor]], Named]]:
    """Return where an attention pattern is found, and what makes named values of what is found there."""
    if site.head is not None:
        _check(replace(site, part=None), network)
    hook = network.pattern_hooks[site.layer or 0]

    def view(found: Sequence[Tensor]) -> Named:
        heads = slice(None) if site.head is None else slice(site.head, site.head + 1)
        values, tokens = found[0], token_names(network.template)
        labels = {"head": _numbers(values.shape[1], heads), "query": tokens, "key": tokens}
        return ("head", "query", "key"), labels, values[:, heads]

    return (hook,), view


def _find_site(site: Site, network: Network) -> tuple[tuple[str, ...], Callable[[Sequence[Tensor]], Named]]:
    """Return where a site is found, and what makes named values of what is found there."""
    _check(site, network)
    places = network.hook_locations(site)

    def view(found: Sequence[Tensor]) -> Named:
        parts = [
            value[(slice(None), slice(None), *place.index)]
            for value, place in zip(found, places, strict=True)
        ]
        names = _axes_of(places[0], site, network)
        indices = [*places[0].index, *(slice(None) for _ in names)]
        sizes = found[0].shape[2:]
        labels = {
            name: _numbers(size, index) for name, size, index in zip(names, sizes, indices, strict=False)
        }
        labels = {"token": token_names(network.template)} | labels
        if len(places) == 1:
            return ("token", *names), labels, parts[0]
        labels["part"] = tuple(_site_at(place, network) for place in places)
        return ("token", "part", *names), labels, torch.stack(parts, 2)

    return tuple(place.hook for place in places), view


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
    """Return the name of every position, as interventions name it: `newB` where it stands, `>newB` before it."""
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
        raise RequestError(
            *(
                Fault(
                    where=str(site),
                    message="unknown activation",
                    expected=fault.expected + patterns,
                    got=fault.got,
                    hint=hint,
                )
                for fault in error.faults
            )
        ) from error
