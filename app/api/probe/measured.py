"""The values of an activation in all states, and as a file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from api.asked.activations import Part
from api.asked.views import View
from playground.inference import FORMATS, Model, measure_activation
from playground.interventions import Intervention
from playground.worlds import State

Values = Float[np.ndarray, "state token unit component"]


@dataclass(frozen=True)
class Measured:
    """The values of a part in all states.

    Args:
        part: the part.
        baseline: of the unedited model.
        edited: under the interventions; None without any.
    """

    part: Part
    baseline: Values
    edited: Values | None

    @property
    def last(self) -> Values:
        """The values under the condition."""
        return self.baseline if self.edited is None else self.edited


def measure(view: View, part: Part) -> Measured:
    """Measure a part in all states, unedited and edited."""

    def values(interventions: Sequence[Intervention]) -> Values:
        found = measure_activation(view.model, part.source, interventions).values
        return found.astype(np.float32).reshape(*found.shape[:2], part.units, part.components)

    return Measured(part, values(()), values(view.applied) if view.applied else None)


def export(
    model: Model, part: Part, interventions: Sequence[Intervention], state: State | None, ending: str
) -> bytes:
    """Return an activation as the content of a file.

    Args:
        model: the open model.
        part: what is measured.
        interventions: under which the model runs.
        state: a single state; None for all.
        ending: of the file's name, one of FORMATS.
    """
    return FORMATS[ending](measure_activation(model, part.source, interventions, state))
