"""The activations of a model that page Activations can show, and the orders of their units."""

from __future__ import annotations

from dataclasses import dataclass, replace

from playground.inference import Model
from playground.inference.activations import LOGITS
from playground.models import Site, Slice

SORTS = {
    "number": "number",
    "value": "value",
    "largest": "largest absolute value",
    "changed": "largest difference",
}
"""How units can be sorted: the word in the URL, and the word on the page."""


@dataclass(frozen=True)
class Part:
    """An activation that can be chosen.

    Args:
        site: what is chosen.
        title: what it is.
        units: the number of units.
        noun: what a unit is called.
        components: number of values of a unit at one token.
        signed: whether values may be negative.
        bound: the largest possible absolute value; None if it is unbounded.
        source: the site of the activation, as the library names it.
    """

    site: Site
    title: str
    units: int
    noun: str
    components: int
    signed: bool
    bound: float | None
    source: Site

    @property
    def can_be_changed(self) -> bool:
        """Whether an intervention can act on it."""
        return self.site != Site(part=LOGITS)

    @property
    def words(self) -> str:
        """What it is in one line."""
        return f"{self.site}: {self.title}"


def choosable(model: Model) -> tuple[Part, ...]:
    """Return the activations of a model that can be chosen: layer by layer, the scores last."""
    network = model.network
    found = [
        Part(
            site=each.site,
            title=each.title,
            units=each.units,
            noun=each.noun,
            components=each.components,
            signed=each.signed,
            bound=each.bound,
            # The index selects the neurons; without it, the site is the sum that they add.
            source=replace(each.site, index=(Slice(),)),
        )
        for each in network.maps
    ]
    heads = [
        Part(
            site=site,
            title="z, the average of the head's values",
            units=network.sites[site][0],
            noun="dimension",
            components=1,
            signed=True,
            bound=None,
            source=site,
        )
        for site in network.elements
        if site.head is not None
    ]
    logits = Part(
        site=Site(part=LOGITS),
        title="scores of the next token",
        units=len(model.template.vocabulary),
        noun="token",
        components=1,
        signed=True,
        bound=None,
        source=Site(part=LOGITS),
    )
    # Python's sort is stable: heads come after everything else in their layer.
    by_layer = sorted([*found, *heads], key=lambda part: -1 if part.site.layer is None else part.site.layer)
    return (*(by_layer if heads else found), logits)


def chosen(model: Model, site: Site | None) -> Part:
    """Return the activation that a condition asks for, or the model's first one that is not an embedding."""
    parts = choosable(model)
    if site is not None:
        return next(part for part in parts if part.site == site.whole)
    return next(part for part in parts if part.site.part != "embed")
