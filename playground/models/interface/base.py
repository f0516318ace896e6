"""What the networks of all architectures share: named parts and weights, edited copies of weights, whole passes."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import Module
from typing_extensions import override

from playground.datasets import Template
from playground.models.interface.hooks import hooks_for
from playground.models.interface.network import Cache, Network
from playground.models.interface.sites import ActivationMap, Edit, HookLocation, Site
from playground.models.interface.trace import Pass, PassTrace
from playground.models.interface.weights import (
    InForce,
    Layer,
    Weight,
    WeightEdit,
    edited_weight,
    layers_edited,
    sweep,
)


@dataclass(frozen=True, kw_only=True)
class Anatomy:
    """The named parts of a model.

    Args:
        maps: its activations, in the order in which they are shown.
        heads: its attention heads, each with the number of its components and the place where these are found.
        wholes: sites that stand for several parts together.
        weights: its learnt weights by name.
        embedding: see `Network.embedding`.
        elements: see `Network.elements`.
        element_noun: see `Network.element_noun`.
        interchange_sites: see `Network.interchange_sites`.
        readout: see `Network.readout`.
        pattern_hooks: see `Network.pattern_hooks`.
        before_all: weights that are used once, to make the state before the first token.
        not_at_first: parts that have no effect at the first token, because the state before it is fixed; for a
            weight, its rows that have none.
        cancelled: weights that leave the scores at a position unchanged if they change alike at all tokens up to it.
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


class BaseNetwork(Network):
    """A network whose parts an `Anatomy` names.

    Args:
        architecture: its name.
        module: the trained model, with the hook points and parameters that the anatomy mentions.
        template: the form of its texts.
        anatomy: its named parts.
        parameters: its learnt parameters; those of the module if None.
    """

    def __init__(
        self,
        architecture: str,
        module: Module,
        template: Template,
        anatomy: Anatomy,
        parameters: Mapping[str, Tensor] | None = None,
    ) -> None:
        self._architecture, self._template, self._anatomy = architecture, template, anatomy
        self._module = module.eval()
        self._parameters = dict(module.named_parameters()) if parameters is None else parameters
        self._maps = {each.site: each for each in anatomy.maps}
        self._sites: dict[Site, tuple[int, ...]] = {site: each.shape for site, each in self._maps.items()}
        self._sites |= {site: (components,) for site, (components, _) in anatomy.heads.items()}
        self._sites |= dict.fromkeys(anatomy.wholes, ())
        names = dict.fromkeys(weight.parameter for weight in anatomy.weights.values())
        self._tensors = {name: module.get_parameter(name).detach() for name in names}
        self._named = {
            site: weight.view(self._tensors[weight.parameter]) for site, weight in anatomy.weights.items()
        }
        self._device = next(iter(self._tensors.values())).device
        self._in_force = InForce(anatomy.weights, self._tensors)
        # Hooks are state of the module, so a pass with its hooks is one critical section.
        self._lock = threading.Lock()

    @property
    @override
    def architecture(self) -> str:
        return self._architecture

    @property
    @override
    def template(self) -> Template:
        return self._template

    @property
    @override
    def device(self) -> torch.device:
        return self._device

    @property
    @override
    def sites(self) -> Mapping[Site, tuple[int, ...]]:
        return self._sites

    @property
    @override
    def interchange_sites(self) -> tuple[Site, ...]:
        return self._anatomy.interchange_sites

    @property
    @override
    def readout(self) -> tuple[Site, ...]:
        return self._anatomy.readout

    @property
    @override
    def weights(self) -> Mapping[Site, Tensor]:
        return self._named

    @override
    def edited_weight(self, weight: Site, edits: Sequence[WeightEdit]) -> Tensor:
        return edited_weight(weight, edits, self._anatomy.weights, self._tensors)

    @property
    @override
    def embedding(self) -> Site:
        return self._anatomy.embedding

    @override
    def cancels(self, weight: Site, tokens: Sequence[int], position: int) -> bool:
        return weight.whole in self._anatomy.cancelled and set(range(position + 1)) <= set(tokens)

    @property
    @override
    def elements(self) -> tuple[Site, ...]:
        return self._anatomy.elements

    @property
    @override
    def element_noun(self) -> str:
        return self._anatomy.element_noun

    @override
    def hook_locations(self, site: Site) -> tuple[HookLocation, ...]:
        whole = site.whole
        if whole in self._anatomy.wholes:
            return tuple(place for part in self._anatomy.wholes[whole] for place in self.hook_locations(part))
        if whole in self._anatomy.heads:
            _, place = self._anatomy.heads[whole]
            return (HookLocation(place.hook, (*place.index, *site.slices)),)
        drawn = self._maps[whole]
        return (HookLocation(drawn.hook if site.index else drawn.whole_hook or drawn.hook, site.slices),)

    @property
    @override
    def pattern_hooks(self) -> tuple[str, ...]:
        return self._anatomy.pattern_hooks

    @property
    @override
    def maps(self) -> tuple[ActivationMap, ...]:
        return self._anatomy.maps

    @override
    def sweep(
        self, tokens: Int[Tensor, "row token"], weight: Site, values: Float[Tensor, "variant ..."]
    ) -> Float[Tensor, "variant row token vocabulary"]:
        with self._lock:
            return sweep(self._module, self._anatomy.weights[weight], tokens.to(self._device), values)

    @override
    def parameters(self) -> Mapping[str, Tensor]:
        return self._parameters


class WholeTextNetwork(BaseNetwork):
    """A network that reads whole texts at once.

    Args:
        architecture: its name.
        module: a `HookedRootModule` or a bridge of TransformerLens.
        template: the form of its texts.
        anatomy: its named parts.
        layers: the parts of the module that can compute with other weights at some tokens.
        parameters: see `BaseNetwork`.
    """

    def __init__(
        self,
        architecture: str,
        module: Any,
        template: Template,
        anatomy: Anatomy,
        layers: Sequence[Layer],
        parameters: Mapping[str, Tensor] | None = None,
    ) -> None:
        super().__init__(architecture, module, template, anatomy, parameters)
        self._run_with_hooks, self._layers = module.run_with_hooks, layers

    @property
    @override
    def writer(self) -> None:
        return None

    @override
    def forward(
        self,
        tokens: Int[Tensor, "row token"],
        edits: Sequence[Edit] = (),
        record: Sequence[str] = (),
        weights: Sequence[WeightEdit] = (),
        cache: Cache | None = None,
    ) -> Pass:
        with torch.inference_mode():
            return self._compute(tokens, edits, record, weights, cache)

    def _compute(
        self,
        tokens: Int[Tensor, "row token"],
        edits: Sequence[Edit],
        record: Sequence[str],
        weights: Sequence[WeightEdit],
        cache: Cache | None = None,
    ) -> Pass:
        """Return what `forward` does, with gradients where these are switched on."""
        recorded: dict[str, Tensor] = {}
        first, arguments = (0, {}) if cache is None else (cache.length, cache.arguments)
        hooks = hooks_for(edits, record, recorded, first)
        with self._lock, layers_edited(self._layers, self._in_force(weights), first):
            logits = self._run_with_hooks(tokens.to(self._device), fwd_hooks=hooks, **arguments)
        return Pass(logits, recorded)

    def _pass_trace(
        self, tokens: Int[Tensor, "row token"], edits: Sequence[Edit], weights: Sequence[WeightEdit]
    ) -> PassTrace:
        """Return a trace that repeats the whole pass every time."""
        hooks = dict.fromkeys(place.hook for site in self._sites for place in self.hook_locations(site))
        hooks |= dict.fromkeys(each.hook for each in self.maps)
        return PassTrace(
            tokens.to(self._device),
            list(hooks),
            lambda tokens, more, record: self._compute(tokens, (*edits, *more), record, weights),
        )
