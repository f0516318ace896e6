"""What each kind does to numbers, from its definition; none of it is the library's own arithmetic."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

import numpy as np
from torch import Tensor

from playground.datasets import Template
from playground.interventions import (
    ActivationIntervention,
    Force,
    Intervention,
    SiteIntervention,
    WeightIntervention,
)
from playground.worlds import State

Numbers = TypeVar("Numbers", Tensor, np.ndarray)
Sort = TypeVar("Sort", bound=SiteIntervention)


def change_value(
    intervention: ActivationIntervention, value: Numbers, known: Numbers, states: Sequence[State]
) -> Numbers:
    """Return what becomes of an activation at one token.

    Args:
        intervention: acts at the token.
        value: what is computed there.
        known: the unedited model's values there, state x ...
        states: of the world.
    """

    def of(state: State | None) -> Numbers:
        assert state is not None
        return known[states.index(state)]

    match intervention.kind:
        case "zero":
            return 0 * value
        case "mean":
            return known.mean(0)
        case "resample" | "patch":
            return of(intervention.source)
        case "scale":
            return value * intervention.amount
        case "steer":
            return value + intervention.amount * (of(intervention.source) - of(intervention.minus))
        case kind:
            raise AssertionError(kind)


def change_weight(intervention: WeightIntervention, weight: np.ndarray, learnt: np.ndarray) -> None:
    """Change a weight in place.

    Args:
        intervention: names the weight, or a part of it by index.
        weight: all of it, as it is so far.
        learnt: all of it, as it was learnt.
    """
    part = weight[tuple(slice(each.start, each.stop) for each in intervention.site.index)]
    generator = np.random.default_rng(intervention.seed)
    if intervention.kind == "noise":
        deviation = learnt.astype(np.float64).std()
        part += (intervention.amount * deviation * generator.standard_normal(part.shape)).astype(part.dtype)
        return
    meant = np.arange(part.size)
    if intervention.share is not None:
        meant = generator.permutation(part.size)[: round(part.size * intervention.share / 100)]
    numbers = np.unravel_index(meant, part.shape)
    part[numbers] = 0 if intervention.kind == "nuke" else -part[numbers]


def forced_tokens(interventions: Sequence[Intervention], template: Template):
    """Return for each position that is forced a function from one row of scores to the token id."""

    def pick(force: Force):
        zero, one = template.ids["0"], template.ids["1"]
        if force.value != "!":
            return lambda scores: one if force.value == "1" else zero
        return lambda scores: zero if scores[one] > scores[zero] else one

    return {template.positions[each.output]: pick(each) for each in interventions if isinstance(each, Force)}


def active(
    interventions: Sequence[Intervention], sort: type[Sort], template: Template
) -> list[tuple[Sort, ...]]:
    """Return for each position those of one sort that act there."""
    masks = [(each, each.positions.mask(template)) for each in interventions if isinstance(each, sort)]
    return [tuple(each for each, mask in masks if mask[position]) for position in range(template.length)]
