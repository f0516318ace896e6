"""The named parts of a model, as data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from playground.models.interface.sites import ActivationMap, HookLocation, Site
from playground.models.interface.weights import Weight


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """The named parts of a model.

    Args:
        maps: its activations, in the order in which they are shown.
        heads: its attention heads, each with its number of components and their hook location.
        wholes: sites that stand for several parts together.
        weights: its learnt weights by name.
        embedding: see `Network.embedding`.
        elements: see `Network.elements`.
        element_noun: see `Network.element_noun`.
        interchange_sites: see `Network.interchange_sites`.
        readout: see `Network.readout`.
        pattern_hooks: see `Network.pattern_hooks`.
        before_all: weights that are used once, to compute the state before the first token.
        not_at_first: parts that have no effect at the first token, because the state before it is fixed; for a
            weight, its rows without effect.
        cancelled: weights for which the same change at all tokens up to a position leaves the scores there unchanged.
    """

    maps: tuple[ActivationMap, ...]
    weights: Mapping[Site, Weight]
    elements: tuple[Site, ...]
    element_noun: str
    interchange_sites: tuple[Site, ...]
    readout: tuple[Site, ...]
    heads: Mapping[Site, tuple[int, HookLocation]] = field(default_factory=dict)
    wholes: Mapping[Site, tuple[Site, ...]] = field(default_factory=dict)
    embedding: Site = Site(part="embed.weight")  # noqa: RUF009  Frozen.
    pattern_hooks: tuple[str, ...] = ()
    before_all: frozenset[Site] = frozenset()
    not_at_first: Mapping[Site, slice] = field(default_factory=dict)
    cancelled: frozenset[Site] = frozenset()
