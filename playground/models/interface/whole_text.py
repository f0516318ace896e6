"""Networks that read whole texts at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from typing_extensions import override

from playground.datasets import Template
from playground.models.interface.anatomy import Anatomy
from playground.models.interface.hooks import hooks_for
from playground.models.interface.network import Cache, Network
from playground.models.interface.sites import Edit
from playground.models.interface.trace import Pass, PassTrace, Tokens
from playground.models.interface.weights import Layer, WeightEdit, layers_edited


class WholeTextNetwork(Network):
    """A network that reads whole texts at once.

    Args:
        architecture: its name.
        module: a `HookedRootModule` or a bridge of TransformerLens.
        template: the form of its texts.
        anatomy: its named parts.
        layers: the parts of the module that can compute with other weights at some tokens.
        parameters: see `Network`.
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
        tokens: Tokens,
        edits: Sequence[Edit] = (),
        record: Sequence[str] = (),
        weights: Sequence[WeightEdit] = (),
        cache: Cache | None = None,
    ) -> Pass:
        with torch.inference_mode():
            return self._compute(tokens, edits, record, weights, cache)

    def _compute(
        self,
        tokens: Tokens,
        edits: Sequence[Edit],
        record: Sequence[str],
        weights: Sequence[WeightEdit],
        cache: Cache | None = None,
    ) -> Pass:
        """Return what `forward` does, with gradients if they are switched on."""
        recorded: dict[str, Tensor] = {}
        first, arguments = (0, {}) if cache is None else (cache.length, cache.arguments)
        hooks = hooks_for(edits, record, recorded, first)
        with self._lock, layers_edited(self._layers, self._named.in_force(weights), first):
            logits = self._run_with_hooks(tokens.to(self.device), fwd_hooks=hooks, **arguments)
        return Pass(logits, recorded)

    def _pass_trace(self, tokens: Tokens, edits: Sequence[Edit], weights: Sequence[WeightEdit]) -> PassTrace:
        """Return a trace that repeats the whole pass every time."""
        hooks = dict.fromkeys(place.hook for site in self.sites for place in self.hook_locations(site))
        hooks |= dict.fromkeys(each.hook for each in self.maps)
        return PassTrace(
            tokens.to(self.device),
            list(hooks),
            lambda tokens, more, record: self._compute(tokens, (*edits, *more), record, weights),
        )
