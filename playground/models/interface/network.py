"""The base class of all networks: a module whose parts have names, and passes in which they can be edited."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import Module

from playground.datasets import Template
from playground.models.interface.anatomy import Anatomy
from playground.models.interface.layers import TransformerLayers
from playground.models.interface.sites import ActivationMap, Edit, HookLocation, Site
from playground.models.interface.trace import Pass, Tokens, Trace
from playground.models.interface.weights import NamedWeights, WeightEdit, sweep

Choose = Callable[[Float[Tensor, "row vocabulary"], int], Int[Tensor, " row"]]
"""Chooses the token at a position, given its scores and the position."""

Writer = Callable[
    [Int[Tensor, "row given"], Choose, Sequence[Edit], Sequence[str], Sequence[WeightEdit]],
    tuple[Int[Tensor, "row token"], Pass],
]
"""Completes prompts token by token. It takes the prompts, a function that chooses tokens, and edits, record and weights
as in `Network.forward`; it returns the whole texts and the pass that wrote them."""


class Cache(ABC):
    """What a model stores about the tokens that it has read, so that it need not read them again."""

    @property
    @abstractmethod
    def length(self) -> int:
        """How many tokens of each text it holds."""

    @property
    @abstractmethod
    def arguments(self) -> Mapping[str, Any]:
        """The keyword arguments that make the model's module continue from the cache."""

    @abstractmethod
    def keep(self, rows: Int[Tensor, " kept"], length: int) -> None:
        """Keep only some texts, and only their first tokens."""


class Network(ABC):
    """A trained model that can be edited while it runs, without being changed.

    One instance serves all threads: passes of different threads never see each other's edits.

    Args:
        architecture: the name of the architecture, as in `models/NAME/ARCHITECTURE`.
        module: the trained model, with the hook points and parameters that the anatomy mentions.
        template: the form of the texts that the model reads and writes.
        anatomy: its named parts.
        parameters: its learnt parameters; those of the module if None.

    Attributes:
        device: where the model computes and where its results are.
        sites: every activation that an intervention can name, with the lengths of the axes that can be indexed.
        weights: every learnt weight by name, oriented as its name says; do not write to them.
        maps: the activations that can be drawn as units x tokens.
        shown_hooks: the hook points of everything that can be drawn.
        elements: the smallest parts that are ablated one by one to rank them: heads, units, channels, slots.
        element_noun: what one of `elements` is called: head, unit, channel, slot.
        interchange_sites: the parts whose values are interchanged between texts: the residual stream or the states,
            and the parts that add to them.
        readout: the parts that the unembedding reads, in the order in which they are concatenated.
        embedding: the weight whose rows are the tokens' embeddings.
        pattern_hooks: for each layer the hook point of its attention pattern, row x head x query x key; () without
            attention.
    """

    def __init__(
        self,
        architecture: str,
        module: Module,
        template: Template,
        anatomy: Anatomy,
        parameters: Mapping[str, Tensor] | None = None,
    ) -> None:
        self.architecture, self.template, self._anatomy = architecture, template, anatomy
        self._module = module.eval()
        self._parameters = dict(module.named_parameters()) if parameters is None else parameters
        self.maps, self.pattern_hooks = anatomy.maps, anatomy.pattern_hooks
        self.shown_hooks = (*self.pattern_hooks, *(each.hook for each in self.maps))
        self.elements, self.element_noun = anatomy.elements, anatomy.element_noun
        self.interchange_sites, self.readout = anatomy.interchange_sites, anatomy.readout
        self.embedding = anatomy.embedding
        self._maps = {each.site: each for each in anatomy.maps}
        self.sites: Mapping[Site, tuple[int, ...]] = {
            **{site: each.shape for site, each in self._maps.items()},
            **{site: (components,) for site, (components, _) in anatomy.heads.items()},
            **dict.fromkeys(anatomy.wholes, ()),
        }
        self._named = NamedWeights(anatomy.weights, module)
        self.weights: Mapping[Site, Tensor] = self._named.values
        self.device = next(iter(self.weights.values())).device
        # Hooks are state of the module, so setting them and running the pass are one critical section.
        self._lock = threading.Lock()

    def edited_weight(self, weight: Site, edits: Sequence[WeightEdit]) -> Tensor:
        """Return a copy of a weight with all edits that change it, under any name and at any tokens."""
        return self._named.edited(weight, edits)

    @abstractmethod
    def acting_tokens(
        self, site: Site, meant: Bool[np.ndarray, ...] | None, position: int
    ) -> tuple[int, ...]:
        """Return the tokens at which a change of a part, made at that token only, can change the scores at a position.

        They follow from the architecture alone: at other tokens a change has no effect, whatever the weights.

        Args:
            site: an activation, or a weight, perhaps with the index of a part.
            meant: which numbers of a weight's part change; None for an activation.
            position: of the token whose next-token scores are meant.

        Returns:
            In ascending order.
        """

    def cancels(self, weight: Site, tokens: Sequence[int], position: int) -> bool:
        """Return whether changing a weight at several tokens at once leaves the scores at a position unchanged.

        Args:
            weight: its name.
            tokens: they include some of `acting_tokens`.
            position: as in `acting_tokens`.
        """
        return weight.whole in self._anatomy.cancelled and set(range(position + 1)) <= set(tokens)

    @abstractmethod
    def receptive_field(self, drawn: ActivationMap, position: int) -> tuple[int, ...]:
        """Return the tokens at which a map's values can change the scores at a position, in ascending order."""

    def hook_locations(self, site: Site) -> tuple[HookLocation, ...]:
        """Return where the activation of a site is found; the site, without its index, is one of `sites`."""
        whole = site.whole
        if whole in self._anatomy.wholes:
            return tuple(place for part in self._anatomy.wholes[whole] for place in self.hook_locations(part))
        if whole in self._anatomy.heads:
            _, place = self._anatomy.heads[whole]
            return (HookLocation(place.hook, (*place.index, *site.slices)),)
        drawn = self._maps[whole]
        return (HookLocation(drawn.hook if site.index else drawn.whole_hook or drawn.hook, site.slices),)

    @abstractmethod
    def forward(
        self,
        tokens: Tokens,
        edits: Sequence[Edit] = (),
        record: Sequence[str] = (),
        weights: Sequence[WeightEdit] = (),
        cache: Cache | None = None,
    ) -> Pass:
        """Run the model once.

        Args:
            tokens: token ids; with a cache, those after the tokens that it holds.
            edits: changes of values at hook points; several at one point act in their order.
            record: hook points whose values are wanted.
            weights: changes of weights; `edits` act on what the changed layers compute.
            cache: from `make_cache`, filled under the same edits; afterwards it holds these tokens too.

        Returns:
            Logits and the recorded values, on the model's device, without gradients.
        """

    @abstractmethod
    def trace(self, tokens: Tokens, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()) -> Trace:
        """Run the model once, so that the pass can be rerun from any location with other values there.

        Args:
            tokens: token ids.
            edits: as in `forward`; they stay in force in reruns.
            weights: as in `forward`, likewise.
        """

    @abstractmethod
    def layers(
        self, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()
    ) -> TransformerLayers | None:
        """Return the model layer by layer; None if it has no layers of attention heads and MLPs.

        Args:
            edits: as in `forward`.
            weights: as in `forward`, each in force at all tokens.
        """

    @property
    @abstractmethod
    def writer(self) -> Writer | None:
        """A function that writes texts token by token, if the model is recurrent; None if it reads whole texts."""

    @abstractmethod
    def make_cache(self) -> Cache | None:
        """Return an empty cache; None if the model reads whole texts faster without one."""

    def sweep(
        self, tokens: Tokens, weight: Site, values: Float[Tensor, "variant ..."]
    ) -> Float[Tensor, "variant row token vocabulary"]:
        """Return the scores on texts for each of several values of one weight.

        Args:
            tokens: token ids, the same for all variants.
            weight: a name in `weights`.
            values: of the weight's shape, each in force at all tokens.
        """
        with self._lock:
            return sweep(self._module, self._anatomy.weights[weight], tokens.to(self.device), values)

    def parameters(self) -> Mapping[str, Tensor]:
        """Return the learnt parameters under the module's own names; they are the model's, not copies."""
        return self._parameters
