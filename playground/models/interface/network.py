"""The interface that the networks of all architectures implement."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from playground.datasets import Template
from playground.models.interface.layers import TransformerLayers
from playground.models.interface.sites import ActivationMap, Edit, HookLocation, Site
from playground.models.interface.trace import Pass, Trace
from playground.models.interface.weights import WeightEdit

Choose = Callable[[Float[Tensor, "row vocabulary"], int], Int[Tensor, " row"]]
"""Chooses the token at a position, given its scores and the position."""

Writer = Callable[
    [Int[Tensor, "row given"], Choose, Sequence[Edit], Sequence[str], Sequence[WeightEdit]],
    tuple[Int[Tensor, "row token"], Pass],
]
"""Completes prompts token by token, given how to choose them and edits, record and weights as in `Network.forward`;
returns the whole texts, and the pass that wrote them."""


class Cache(ABC):
    """What a model keeps of the tokens that it has read, so that it need not read them again."""

    @property
    @abstractmethod
    def length(self) -> int:
        """How many tokens of each text it holds."""

    @property
    @abstractmethod
    def arguments(self) -> Mapping[str, Any]:
        """The keyword arguments with which the model's module goes on from the cache."""

    @abstractmethod
    def keep(self, rows: Int[Tensor, " kept"], length: int) -> None:
        """Keep only some texts, and only their first tokens."""


class Network(ABC):
    """A trained model that can be edited while it runs, without being changed.

    One instance serves all threads: passes of different threads never see each other's edits.
    """

    @property
    @abstractmethod
    def architecture(self) -> str:
        """The name of the architecture, as in `models/NAME/ARCHITECTURE`."""

    @property
    @abstractmethod
    def template(self) -> Template:
        """The form of the texts that the model reads and writes."""

    @property
    @abstractmethod
    def device(self) -> torch.device:
        """Where the model computes, and where what it returns lies."""

    @property
    @abstractmethod
    def sites(self) -> Mapping[Site, tuple[int, ...]]:
        """Every activation that an intervention can name, with the lengths of the axes that can be indexed."""

    @property
    @abstractmethod
    def interchange_sites(self) -> tuple[Site, ...]:
        """The parts whose values are interchanged between texts: what the model carries on, and what adds to that."""

    @property
    @abstractmethod
    def readout(self) -> tuple[Site, ...]:
        """The parts that the unembedding reads, in the order in which they stand side by side there."""

    @property
    @abstractmethod
    def weights(self) -> Mapping[Site, Tensor]:
        """Every learnt weight by name, oriented as its name says; do not write to them."""

    @abstractmethod
    def edited_weight(self, weight: Site, edits: Sequence[WeightEdit]) -> Tensor:
        """Return a copy of a weight with every edit made that changes it, under any name and at any tokens."""

    @property
    @abstractmethod
    def embedding(self) -> Site:
        """The weight whose rows are the tokens' embeddings."""

    @abstractmethod
    def acting_tokens(
        self, site: Site, meant: Bool[np.ndarray, ...] | None, position: int
    ) -> tuple[int, ...]:
        """Return the tokens at which a change of a part, made there alone, can change the scores at a position.

        They follow from the architecture alone: at other tokens a change has no effect, whatever the weights are.

        Args:
            site: an activation, or a weight, perhaps with the index of a part.
            meant: which numbers of that part of a weight change; None for an activation.
            position: of the token after which the scores are.

        Returns:
            In ascending order.
        """

    @abstractmethod
    def cancels(self, weight: Site, tokens: Sequence[int], position: int) -> bool:
        """Return whether a change of a weight at several tokens at once leaves the scores at a position as they are.

        Args:
            weight: its name.
            tokens: among them some of `acting_tokens`.
            position: as there.
        """

    @property
    @abstractmethod
    def elements(self) -> tuple[Site, ...]:
        """The smallest parts that are ablated one by one to rank them: heads, units, channels, slots."""

    @property
    @abstractmethod
    def element_noun(self) -> str:
        """What one of `elements` is called: head, unit, channel, slot."""

    @abstractmethod
    def receptive_field(self, drawn: ActivationMap, position: int) -> tuple[int, ...]:
        """Return at which tokens a map's values can change the scores at a position, in ascending order."""

    @abstractmethod
    def hook_locations(self, site: Site) -> tuple[HookLocation, ...]:
        """Return where the activation of a site is found; the site, without its index, is one of `sites`."""

    @property
    @abstractmethod
    def pattern_hooks(self) -> tuple[str, ...]:
        """For each layer the hook point of its attention pattern, row x head x query x key; () without attention."""

    @property
    @abstractmethod
    def maps(self) -> tuple[ActivationMap, ...]:
        """The activations that can be drawn as units x tokens."""

    @property
    def shown_hooks(self) -> tuple[str, ...]:
        """The hook points of all that can be drawn."""
        return (*self.pattern_hooks, *(each.hook for each in self.maps))

    @abstractmethod
    def forward(
        self,
        tokens: Int[Tensor, "row token"],
        edits: Sequence[Edit] = (),
        record: Sequence[str] = (),
        weights: Sequence[WeightEdit] = (),
        cache: Cache | None = None,
    ) -> Pass:
        """Run the model once.

        Args:
            tokens: token ids; with a cache, those that follow what it holds.
            edits: changes of what passes hook points; several at one point act in their order.
            record: hook points whose values are wanted.
            weights: changes of weights; `edits` see what the changed layers compute.
            cache: from `make_cache`, filled under the same edits; afterwards it holds these tokens too.

        Returns:
            Logits and the recorded values, on the model's device, without gradients.
        """

    @abstractmethod
    def trace(
        self,
        tokens: Int[Tensor, "row token"],
        edits: Sequence[Edit] = (),
        weights: Sequence[WeightEdit] = (),
    ) -> Trace:
        """Run the model once, so that the pass can be rerun from any place with other values there.

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
        """What writes texts token by token, for a model that carries a state on; None for one that reads whole texts."""

    @abstractmethod
    def make_cache(self) -> Cache | None:
        """Return an empty cache; None if the model reads whole texts faster than it would look things up."""

    @abstractmethod
    def sweep(
        self, tokens: Int[Tensor, "row token"], weight: Site, values: Float[Tensor, "variant ..."]
    ) -> Float[Tensor, "variant row token vocabulary"]:
        """Return the scores on texts for each of several values of one weight.

        Args:
            tokens: token ids, the same for all variants.
            weight: a name in `weights`.
            values: of the weight's shape, each in force at all tokens.
        """

    @abstractmethod
    def parameters(self) -> Mapping[str, Tensor]:
        """Return the learnt parameters under the module's own names; they are the model's, not copies."""
