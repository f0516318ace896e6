"""All kinds of intervention: the project's, and those of installed packages.

A package adds kinds through entry points of the group `the_experiment.interventions`, one for each class.
"""

from __future__ import annotations

import inspect
import re

from playground.interventions.kinds import KINDS
from playground.interventions.kinds.base.activation import ActivationIntervention
from playground.interventions.kinds.base.intervention import Intervention
from playground.interventions.kinds.base.weight import WeightIntervention
from playground.interventions.kinds.base.written import TokenIntervention
from playground.plugins import Registry

GROUP = "the_experiment.interventions"
_FAMILIES = (ActivationIntervention, WeightIntervention, TokenIntervention)
_PARTS = ("kind", "effect", "caution", "example")


def _check(found: object) -> type[Intervention]:
    """Return the class that an entry point names.

    Raises:
        ValueError: if that is no kind, or an incomplete one.
    """
    if not (isinstance(found, type) and issubclass(found, _FAMILIES)) or inspect.isabstract(found):
        raise ValueError(f"{found!r:.80} is no kind of intervention, or leaves a method out")
    missing = [part for part in _PARTS if not isinstance(getattr(found, part, None), str)]
    if missing:
        raise ValueError(f"{found.__name__} does not declare {', '.join(missing)}")
    if not re.fullmatch("[a-z]+", found.kind):
        raise ValueError(f"{found.kind} is not made only of the letters a to z")
    return found


ALL_KINDS: Registry[type[Intervention]] = Registry(
    GROUP, tuple(KINDS.values()), noun="kind of intervention", name_of=lambda kind: kind.kind, check=_check
)
"""Every kind by its word: the project's own first."""


def activation_kinds() -> dict[str, type[ActivationIntervention]]:
    """Return the kinds that act on activations."""
    return {name: kind for name, kind in ALL_KINDS.items() if issubclass(kind, ActivationIntervention)}


def weight_kinds() -> dict[str, type[WeightIntervention]]:
    """Return the kinds that act on weights."""
    return {name: kind for name, kind in ALL_KINDS.items() if issubclass(kind, WeightIntervention)}
