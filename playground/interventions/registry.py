"""All kinds of intervention: the project's, and those of installed packages.

A package adds kinds by entry points of the group `the_experiment.interventions`, one for each class.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Container
from functools import cache
from importlib.metadata import EntryPoint, entry_points

from loguru import logger

from playground.interventions.kinds import KINDS
from playground.interventions.kinds.base.activation import ActivationIntervention
from playground.interventions.kinds.base.intervention import Intervention
from playground.interventions.kinds.base.weight import WeightIntervention
from playground.interventions.kinds.base.written import TokenIntervention

GROUP = "the_experiment.interventions"
_FAMILIES = (ActivationIntervention, WeightIntervention, TokenIntervention)
_PARTS = ("kind", "effect", "caution", "example")


@cache
def known_kinds() -> dict[str, type[Intervention]]:
    """Return every kind by its word: the project's own, then those of other packages, sorted by word.

    A package that is broken, or takes a word that is taken, is logged and left out. They are looked up once, when
    first asked for, since these packages import this one.
    """
    others: dict[str, type[Intervention]] = {}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.value):
        try:
            kind = _load(entry, taken=KINDS | others)
        except Exception as error:  # noqa: BLE001  Anything may be wrong in a package of somebody else.
            logger.warning("the kind of intervention {} ({}) is left out: {}", entry.name, entry.value, error)
        else:
            others[kind.kind] = kind
    return KINDS | dict(sorted(others.items()))


def activation_kinds() -> dict[str, type[ActivationIntervention]]:
    """Return the kinds that act on activations."""
    return {name: kind for name, kind in known_kinds().items() if issubclass(kind, ActivationIntervention)}


def weight_kinds() -> dict[str, type[WeightIntervention]]:
    """Return the kinds that act on weights."""
    return {name: kind for name, kind in known_kinds().items() if issubclass(kind, WeightIntervention)}


def _load(entry: EntryPoint, taken: Container[str]) -> type[Intervention]:
    """Return the class that an entry point names.

    Raises:
        ValueError: if that is no kind, not a whole one, or has another kind's word.
    """
    kind = entry.load()
    if not (isinstance(kind, type) and issubclass(kind, _FAMILIES)) or inspect.isabstract(kind):
        raise ValueError(f"{kind!r} is no kind of intervention, or leaves a method out")
    missing = [part for part in _PARTS if not isinstance(getattr(kind, part, None), str)]
    if missing:
        raise ValueError(f"{kind.__name__} says no {', '.join(missing)}")
    if not re.fullmatch("[a-z]+", kind.kind):
        raise ValueError(f"{kind.kind} is not made of the letters a to z alone")
    if kind.kind in taken:
        raise ValueError(f"there is another kind {kind.kind}")
    return kind
