"""RNN, CNN and MANN by their equations, edited while they write; see `tests/models/references.py`."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import numpy as np

from playground.inference import Model
from playground.interventions import ActivationIntervention, Intervention, WeightIntervention
from playground.models import Site
from tests.inference.references.changes import active, change_value, change_weight, forced_tokens
from tests.models.references import as_arrays, unchanged, write

WHOLE_LAYERS = {"rnn": ("c", "h"), "cnn": ("conv",), "mann": ("c", "h")}
"""What a layer carries on."""


def parameter_of(site: Site) -> str:
    """Return torch's name of a weight."""
    return site.part if site.layer is None else f"layers.{site.layer}.{site.part}"


class Decoder:
    """The equations with a model's weights.

    Args:
        model: gives the weights, the form of the texts, and nothing else.
    """

    def __init__(self, model: Model) -> None:
        self.name, self.template = model.network.architecture, model.template
        self.weights = as_arrays(model.network.parameters())

    @cached_property
    def known(self) -> dict[str, np.ndarray]:
        """For every named activation its unedited values, state x token x ..., on the texts written in each state."""
        values: dict[str, list] = {}
        for row in range(len(self.template.truth)):
            own: dict[str, list] = {}

            def keep(name, position, value, own=own):
                own.setdefault(name, []).append(value)
                return value

            self._write(self._prompt(row), edit=keep)
            for name, steps in own.items():
                values.setdefault(name, []).append(np.array(steps))
        return {name: np.array(rows) for name, rows in values.items()}

    def write(
        self, interventions: Sequence[Intervention], row: int, given: list[int] | None = None
    ) -> tuple[list[int], np.ndarray]:
        """Return what is written in the state of that number, or behind `given`; and the scores."""
        prompt = self._prompt(row) if given is None else given
        edit = self._edit(interventions)
        forced = forced_tokens(interventions, self.template)
        return self._write(prompt, edit=edit, others=self._others(interventions), forced=forced)

    def _prompt(self, row: int) -> list[int]:
        return self.template.truth[row, : self.template.prompt_length].tolist()

    def _write(self, prompt: list[int], **edits) -> tuple[list[int], np.ndarray]:
        return write(self.name, self.weights, prompt, self.template.length, **edits)

    def _edit(self, interventions: Sequence[Intervention]):
        acting = active(interventions, ActivationIntervention, self.template)
        if not any(acting):
            return unchanged

        def edit(name: str, position: int, value: np.ndarray) -> np.ndarray:
            for each in acting[position]:
                site = str(each.site.whole)
                parts = [f"{site}.{part}" for part in WHOLE_LAYERS[self.name]]
                if name == site or (each.site.part is None and name in parts):
                    units, value = each.site.slices, value.copy()
                    known = self.known[name][:, position]
                    value[units] = change_value(
                        each, value[units], known[(slice(None), *units)], self.template.world.states
                    )
            return value

        return edit

    def _others(self, interventions: Sequence[Intervention]) -> dict[int, dict[str, np.ndarray]]:
        """Return for each position with other weights all that are in force there."""
        found, copies = {}, {}
        for position, acting in enumerate(active(interventions, WeightIntervention, self.template)):
            if not acting:
                continue
            if acting not in copies:
                copies[acting] = dict(self.weights)
                for each in acting:
                    name = parameter_of(each.site)
                    copies[acting][name] = copies[acting][name].copy()
                    change_weight(each, copies[acting][name], self.weights[name])
            found[position] = copies[acting]
        return found
