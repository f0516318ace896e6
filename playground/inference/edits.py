"""From interventions to edits of a running model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from playground.datasets import Template
from playground.inference.decoding import Forced
from playground.interventions import (
    ActivationIntervention,
    Baseline,
    Intervention,
    TokenIntervention,
    Values,
    WeightIntervention,
)
from playground.models import Edit, Network, WeightEdit


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
    """Return what carries out `interventions`, each family in its order.

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
                edits += [
                    Edit(place.hook, positions, each.change(Baseline(values, place)), place.index)
                    for place in network.hook_locations(each.site)
                ]
            case WeightIntervention():
                positions = _positions(each, network.template)
                change = each.change(network.weights[each.site.whole])
                weights.append(WeightEdit(each.site.whole, positions, change, each.site.slices))
            case TokenIntervention():
                position = network.template.positions[each.output]
                forced.append(Forced(position, each.tokens(network.template)))
            case _:
                raise AssertionError(f"{each!r} belongs to no family of interventions")
    return Plan(tuple(edits), tuple(weights), tuple(forced))


def _positions(intervention: Intervention, template: Template) -> tuple[int, ...]:
    return tuple(np.flatnonzero(intervention.positions.mask(template)).tolist())
