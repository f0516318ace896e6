"""What every result says of itself."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """What was measured of a model; each method's result says what.

    Args:
        model: the name of the model's run.
        interventions: under which it ran, each as text.
    """

    model: str
    interventions: tuple[str, ...]
