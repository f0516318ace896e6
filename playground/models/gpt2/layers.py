"""GPT-2 layer by layer, as functions of its named weights.

The bridge always runs whole passes. Here a pass can start at any token and layer, so earlier tokens and lower layers
are computed only once. The tests compare each step with the bridge and with transformers.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import product

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import embedding, gelu, layer_norm
from transformers import GPT2Config
from transformers.activations import ACT2FN
from typing_extensions import override

from playground.models.interface.hooks import by_hook, changed_by
from playground.models.interface.layers import (
    HeadValues,
    Neurons,
    QueriesKeysValues,
    Stream,
    TransformerLayers,
)
from playground.models.interface.sites import Edit, Site
from playground.models.interface.trace import Tokens


class Gpt2Layers(TransformerLayers):
    """The layers of a GPT-2.

    Args:
        config: of the model.
        weights: by name, oriented as TransformerLens does.
        edits: applied at their hook points, if the pass reaches them.
    """

    def __init__(
        self, config: GPT2Config, weights: Mapping[Site, Tensor], edits: Sequence[Edit] = ()
    ) -> None:
        self.count, self.heads, self.width = config.n_layer, config.n_head, config.n_embd
        self._epsilon = config.layer_norm_epsilon
        self._other_activation = config.activation_function != "gelu_new"
        self._activation = ACT2FN[config.activation_function]
        self._edits = by_hook(edits)
        self._tokens, self._positions = weights[Site(part="W_E")], weights[Site(part="W_pos")]
        self._unembed = weights[Site(part="W_U")]
        self._norms = {
            (layer, name): (weights[Site(layer, part=f"{name}.w")], weights[Site(layer, part=f"{name}.b")])
            for layer, name in [*product(range(self.count), ("ln1", "ln2")), (None, "ln_final")]
        }
        self._attention = [_attention_weights(weights, layer) for layer in range(self.count)]
        self._mlps = [
            tuple(weights[Site(layer, part=f"mlp.{name}")] for name in ("W_in", "b_in", "W_out", "b_out"))
            for layer in range(self.count)
        ]

    @override
    def edited(self, hook: str, value: Tensor, at: Sequence[int]) -> Tensor:
        edits = self._edits.get(hook)
        return changed_by(edits, value, at) if edits else value

    @override
    def embed(self, tokens: Tokens, first: int = 0) -> Stream:
        at = range(first, first + tokens.shape[1])
        x = embedding(tokens, self._tokens) + self._positions[first : first + tokens.shape[1]]
        return self.edited("blocks.0.hook_resid_pre", x, at)

    @override
    def norm(
        self, layer: int | None, name: str, x: Float[Tensor, "*rows dimension"]
    ) -> Float[Tensor, "*rows dimension"]:
        return layer_norm(x, x.shape[-1:], *self._norms[layer, name], self._epsilon)

    @override
    def attend_from(self, layer: int, x: Stream) -> QueriesKeysValues:
        weight, bias = self._attention[layer][:2]
        mixed = torch.addmm(bias, self.norm(layer, "ln1", x).flatten(0, 1), weight)
        mixed = mixed.view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return QueriesKeysValues(*mixed.unbind())

    @override
    def attend_apart(
        self, layer: int, x: Float[Tensor, "row part head token dimension"]
    ) -> QueriesKeysValues:
        weight, bias = self._attention[layer][:2]
        weight = weight.view(self.width, 3, self.heads, -1)
        mixed = torch.einsum("rpntd,dpnc->prntc", self.norm(layer, "ln1", x), weight)
        return QueriesKeysValues(*(mixed + bias.view(3, 1, self.heads, 1, -1)).unbind())

    @override
    def look(
        self,
        layer: int,
        q: Float[Tensor, "row head query component"],
        k: Float[Tensor, "row head key component"],
        v: Float[Tensor, "row head key component"],
        at: Sequence[int],
    ) -> Float[Tensor, "row query head component"]:
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        queries = torch.tensor(list(at), device=q.device)[:, None]
        later = torch.arange(k.shape[2], device=q.device) > queries
        pattern = scores.masked_fill(later, -torch.inf).softmax(-1)
        return self.edited(f"blocks.{layer}.attn.hook_z", (pattern @ v).transpose(1, 2), at)

    @override
    def attention_out(self, layer: int, z: HeadValues, at: Sequence[int]) -> Stream:
        weight, bias = self._attention[layer][2:]
        added = torch.addmm(bias, z.flatten(2).flatten(0, 1), weight).view(*z.shape[:2], -1)
        return self.edited(f"blocks.{layer}.hook_attn_out", added, at)

    @override
    def heads_out(self, layer: int, z: HeadValues) -> Float[Tensor, "row token head dimension"]:
        weight = self._attention[layer][2].view(self.heads, -1, self.width)
        return torch.einsum("rtnc,ncd->rtnd", z, weight)

    @override
    def neurons(self, layer: int, mid: Stream, at: Sequence[int]) -> Neurons:
        weight, bias = self._mlps[layer][:2]
        before = torch.addmm(bias, self.norm(layer, "ln2", mid).flatten(0, 1), weight)
        after = self._activation(before) if self._other_activation else gelu(before, approximate="tanh")
        return self.edited(f"blocks.{layer}.mlp.hook_post", after.view(*mid.shape[:2], -1), at)

    @override
    def mlp_out(self, layer: int, neurons: Neurons, at: Sequence[int]) -> Stream:
        weight, bias = self._mlps[layer][2:]
        added = torch.addmm(bias, neurons.flatten(0, 1), weight).view(*neurons.shape[:2], -1)
        return self.edited(f"blocks.{layer}.hook_mlp_out", added, at)

    @override
    def joined(self, layer: int, mid: Stream, added: Stream, at: Sequence[int]) -> Stream:
        return self.edited(f"blocks.{layer}.hook_resid_post", mid + added, at)

    @override
    def unembed(self, x: Float[Tensor, "*rows dimension"]) -> Float[Tensor, "*rows vocabulary"]:
        return self.norm(None, "ln_final", x) @ self._unembed


def _attention_weights(weights: Mapping[Site, Tensor], layer: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return weight and bias of queries, keys and values together, and those of the output."""

    def of(name: str) -> Tensor:
        return weights[Site(layer, part=f"attn.{name}")]

    # head x dimension x component -> dimension x (head, component), side by side.
    mixed = torch.cat([of(f"W_{name}").transpose(0, 1).flatten(1) for name in "QKV"], 1)
    bias = torch.cat([of(f"b_{name}").flatten() for name in "QKV"])
    return mixed.contiguous(), bias, of("W_O").flatten(0, 1).contiguous(), of("b_O")
