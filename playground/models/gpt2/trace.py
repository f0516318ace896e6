"""The trace of a GPT-2: a rerun recomputes nothing before the token or below the layer of the change."""

from __future__ import annotations

import re
from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor
from typing_extensions import override

from playground.models.interface.layers import QueriesKeysValues, TransformerLayers
from playground.models.interface.trace import PairRows, PairScores, Replacement, Tokens, Trace, with_values

_EMBEDDING = "blocks.0.hook_resid_pre"
_PLACE = re.compile(r"blocks\.(\d+)\.(?:attn\.|mlp\.)?hook_(\w+)")


class Gpt2Trace(Trace):
    """A trace of a GPT-2 whose weights are the same at all tokens.

    Args:
        layers: of the model, with all edits.
        tokens: of the texts.
    """

    def __init__(self, layers: TransformerLayers, tokens: Tokens) -> None:
        self.tokens, self.layers = tokens, layers
        recorded: dict[str, Tensor] = {}
        self._seen: list[QueriesKeysValues] = []
        at = range(tokens.shape[1])
        with torch.no_grad():
            x = layers.embed(tokens)
            recorded[_EMBEDDING] = x
            for layer in range(layers.count):
                q, k, v = layers.attend_from(layer, x)
                z = layers.look(layer, q, k, v, at)
                attention = layers.attention_out(layer, z, at)
                neurons = layers.neurons(layer, x + attention, at)
                added = layers.mlp_out(layer, neurons, at)
                self._seen.append(QueriesKeysValues(q, k, v))
                before, x = x, layers.joined(layer, x + attention, added, at)
                block = f"blocks.{layer}"
                recorded |= {
                    f"{block}.resid_pre": before,
                    f"{block}.attn.hook_z": z,
                    f"{block}.hook_attn_out": attention,
                    f"{block}.mlp.hook_post": neurons,
                    f"{block}.hook_mlp_out": added,
                    f"{block}.hook_resid_post": x,
                }
            self.logits = layers.unembed(x)
        self.recorded = recorded

    @override
    def rerun_with(
        self, replacements: Sequence[Replacement], position: int, rows: PairRows, at: Sequence[int]
    ) -> PairScores:
        found = {each.place.hook: each for each in replacements}
        if _EMBEDDING in found:
            return self._above(0, self._changed(_EMBEDDING, found, position, rows), position, rows, at)
        places = [_PLACE.fullmatch(hook) for hook in found]
        (layer,) = {int(place[1]) for place in places if place}
        return self._above(layer + 1, self._through(layer, found, position, rows), position, rows, at)

    def _through(
        self, layer: int, found: dict[str, Replacement], position: int, rows: PairRows
    ) -> Float[Tensor, "pair one dimension"]:
        """Return the residual stream after a layer at the one position, with the replacements made."""
        block, here = f"blocks.{layer}", (position,)
        if f"{block}.hook_resid_post" in found:
            return self._changed(f"{block}.hook_resid_post", found, position, rows)
        z = self._changed(f"{block}.attn.hook_z", found, position, rows)
        attention = self.recorded[f"{block}.hook_attn_out"][rows, position : position + 1]
        if f"{block}.attn.hook_z" in found:
            attention = self.layers.attention_out(layer, z, here)
        attention = _replaced(attention, found.get(f"{block}.hook_attn_out"))
        mid = self.recorded[f"{block}.resid_pre"][rows, position : position + 1] + attention
        neurons = _replaced(self.layers.neurons(layer, mid, here), found.get(f"{block}.mlp.hook_post"))
        added = _replaced(self.layers.mlp_out(layer, neurons, here), found.get(f"{block}.hook_mlp_out"))
        return self.layers.joined(layer, mid, added, here)

    def _changed(self, hook: str, found: dict[str, Replacement], position: int, rows: PairRows) -> Tensor:
        """Return the value at a hook point at the one position, after any replacement there."""
        return _replaced(self.recorded[hook][rows, position : position + 1], found.get(hook))

    def _above(
        self,
        first: int,
        x: Float[Tensor, "pair one dimension"],
        position: int,
        rows: PairRows,
        at: Sequence[int],
    ) -> PairScores:
        """Return the scores, given a changed residual stream before a layer at the one position.

        Args:
            first: the layer.
            x: the residual stream.
            position: of the token at which it is changed.
            rows: the text of each pair.
            at: the tokens whose scores are wanted.
        """
        if first < self.layers.count:
            later = self.recorded[f"blocks.{first}.resid_pre"][rows, position + 1 : at[-1] + 1]
            x = torch.cat([x, later], 1)
        tokens: Sequence[int] = range(position, position + x.shape[1])
        for layer in range(first, self.layers.count):
            q, k, v = self.layers.attend_from(layer, x)
            before = self._seen[layer]
            k = torch.cat([before.k[rows, :, :position], k], 2)
            v = torch.cat([before.v[rows, :, :position], v], 2)
            if layer == self.layers.count - 1:
                # No later layer reads the other tokens.
                columns = [token - position for token in at]
                q, x, tokens = q[:, :, columns], x[:, columns], at
            z = self.layers.look(layer, q, k, v, tokens)
            x = self.layers.finish(layer, x + self.layers.attention_out(layer, z, tokens), tokens)
        if first == self.layers.count:
            x = torch.cat([x, self.recorded[f"blocks.{first - 1}.hook_resid_post"][rows, position + 1 :]], 1)
            x = x[:, [token - position for token in at]]
        return self.layers.unembed(x)


def _replaced(value: Tensor, replacement: Replacement | None) -> Tensor:
    """Return the value at one position, after the replacement if there is one."""
    return value if replacement is None else with_values(value[:, 0], replacement)[:, None]
