"""The fields that every result has."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """A result measured on a model; each method defines its own subclass.

    Args:
        model: the name of the model's training run.
        interventions: the interventions applied, each as text.
    """

    model: str
    interventions: tuple[str, ...]
