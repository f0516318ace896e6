"""From interventions to edits of a running model."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol, runtime_checkable

import numpy as np
import torch
from torch import Tensor

from playground.datasets import Template
from playground.inference.decoding import Forced
from playground.interventions import (
    OPPOSITE,
    ActivationIntervention,
    Flip,
    Force,
    Intervention,
    Mean,
    Noise,
    Nuke,
    Patch,
    Resample,
    Scale,
    Steer,
    WeightIntervention,
    Zero,
)
from playground.models import Edit, HookLocation, Network, WeightEdit
from playground.worlds import State

MEAN: Literal["mean"] = "mean"


@runtime_checkable
class Values(Protocol):
    """What passes a hook point in the unedited model, on the texts that it writes itself."""

    def __call__(self, hook: str, of: State | Literal["mean"] | None = None) -> Tensor:
        """Return it, token x ...; with the axis `state` in front of these for all states.

        Args:
            hook: name of the hook point.
            of: which state; or "mean", over all of them; None for all.
        """
        ...


@dataclass(frozen=True)
class Plan:
    """The edits of a model.

    Args:
        edits: of what is computed.
        weights: of what it is computed with.
        forced: tokens that are written whatever the scores say.
    """

    edits: tuple[Edit, ...] = ()
    weights: tuple[WeightEdit, ...] = ()
    forced: tuple[Forced, ...] = ()


def make_plan(interventions: Sequence[Intervention], network: Network, values: Values) -> Plan:
    """Return the edits that carry out `interventions`, each kind in their order.

    Args:
        interventions: they fit the network, see `interventions.check`.
        network: the model that will be run.
        values: of the same model.
    """
    edits: list[Edit] = []
    weights: list[WeightEdit] = []
    forced: list[Forced] = []
    for each in interventions:
        match each:
            case ActivationIntervention():
                positions = _positions(each, network.template)
                places = network.hook_locations(each.site)
                edits += [
                    Edit(place.hook, positions, _change(each, place, values), place.index) for place in places
                ]
            case WeightIntervention():
                positions = _positions(each, network.template)
                change = _weight_change(each, network)
                weights.append(WeightEdit(each.site.whole, positions, change, each.site.slices))
            case Force():
                forced.append(_forced(each, network.template))
            case _:
                raise AssertionError(f"nothing carries out {each!r}")
    return Plan(tuple(edits), tuple(weights), tuple(forced))


def _positions(intervention: Intervention, template: Template) -> tuple[int, ...]:
    return tuple(np.flatnonzero(intervention.positions.mask(template)).tolist())


def _change(
    intervention: ActivationIntervention, place: HookLocation, values: Values
) -> Callable[[Tensor, Sequence[int]], Tensor]:
    """Return the function that edits the values at a place, row x position x ..."""
    # Looked up now: while the model runs nothing else can be asked of it.
    others: tuple[State | Literal["mean"] | None, ...] = (
        (MEAN,) if isinstance(intervention, Mean) else (intervention.source, intervention.minus)
    )
    known = {of: values(place.hook, of)[(slice(None), *place.index)] for of in others if of is not None}

    def taken_from(of: State | Literal["mean"] | None, at: Sequence[int]) -> Tensor:
        assert of is not None, "the kind needs a state, see `Intervention.needs`"
        return known[of][list(at)]

    def change(part: Tensor, at: Sequence[int]) -> Tensor:
        match intervention:
            case Zero():
                return torch.zeros_like(part)
            case Mean():
                return taken_from(MEAN, at)
            case Resample() | Patch():
                return taken_from(intervention.source, at)
            case Scale(amount=float() | int() as amount):
                return part * amount
            case Steer(amount=float() | int() as amount):
                return part + amount * (
                    taken_from(intervention.source, at) - taken_from(intervention.minus, at)
                )
            case _:
                raise AssertionError(f"no change is known for {intervention!r}")

    return change


def _weight_change(intervention: WeightIntervention, network: Network) -> Callable[[Tensor], Tensor]:
    """Return the function that edits the part of a weight that an intervention names."""
    # What is drawn at random is drawn once: the change is made in every pass.
    weight = network.weights[intervention.site.whole]
    part = weight[intervention.site.slices]
    if isinstance(intervention, Noise):
        assert intervention.amount is not None, "the kind needs an amount, see `Intervention.needs`"
        deviation = float(weight.std(correction=0))  # Of all numbers of the named matrix, as it was learnt.
        noise = intervention.amount * deviation * _normal(intervention.seed, part)
        return lambda part: part + noise
    meant = torch.from_numpy(intervention.meant(tuple(part.shape))).to(part.device)
    match intervention:
        case Flip():
            return lambda part: torch.where(meant, -part, part)
        case Nuke():
            return lambda part: part.masked_fill(meant, 0.0)
        case _:
            raise AssertionError(f"no change is known for {intervention!r}")


def _normal(seed: int, like: Tensor) -> Tensor:
    drawn = np.random.default_rng(seed).standard_normal(tuple(like.shape))
    return torch.from_numpy(drawn).to(like)


def _forced(force: Force, template: Template) -> Forced:
    position, (zero, one) = template.positions[force.output], (template.ids["0"], template.ids["1"])
    if force.value == OPPOSITE:
        return Forced(position, (zero, one))
    return Forced(position, (template.ids[force.value],))
