"""From interventions to changes at a model's hook points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor

from playground.interventions import Intervention, Mean, Zero
from playground.models import Edit, Network, Place


def make_edits(
    interventions: Sequence[Intervention], network: Network, means: Mapping[str, Tensor]
) -> tuple[Edit, ...]:
    """Return the edits that carry out `interventions`, in their order.

    Args:
        interventions: they fit the network, see `interventions.check`.
        network: the model that will be run, on whole texts.
        means: for every hook point of a mean ablation the mean of the unedited model, token x ...
    """
    return tuple(
        _edit(intervention, place, network, means)
        for intervention in interventions
        for place in network.places(intervention.site)
    )


def _edit(intervention: Intervention, place: Place, network: Network, means: Mapping[str, Tensor]) -> Edit:
    positions = tuple(np.flatnonzero(intervention.positions.mask(network.template)).tolist())

    def replace(value: Tensor, replacement: Tensor | float) -> Tensor:
        """Return `value`, row x position x ..., with `replacement` in the units that are meant."""
        if place.units is None:
            return torch.as_tensor(replacement, dtype=value.dtype, device=value.device).expand_as(value)
        changed = value.clone()
        wanted = replacement[:, place.units] if isinstance(replacement, Tensor) else replacement
        changed[:, :, place.units] = wanted
        return changed

    match intervention:
        case Zero():
            return Edit(place.hook, positions, lambda value, at: replace(value, 0.0))
        case Mean():
            mean = means[place.hook]
            return Edit(place.hook, positions, lambda value, at: replace(value, mean[list(at)]))
        case _:
            raise AssertionError(f"no edit is known for {intervention!r}")
