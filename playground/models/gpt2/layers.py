"""What a GPT-2 computes, layer by layer, as functions of its named weights.

The bridge answers every question, but always with whole passes. Where thousands of them differ in one place
alone, what lies before and below that place is computed once, and what follows is taken up from here. It can be
differentiated. The tests hold each step against the bridge and transformers.

    q, k, v = W_Q LN(x), W_K LN(x), W_V LN(x)      z = softmax(q kᵀ / √d) v
    mid = x + W_O z,                               x' = mid + W_out gelu(W_in LN(mid))
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn.functional import embedding, gelu, layer_norm
from transformers import GPT2Config
from transformers.activations import ACT2FN

from playground.models.interface.hooks import changed_by
from playground.models.interface.sites import Edit, Site


class QueriesKeysValues(NamedTuple):
    """Of all heads of a layer, row x head x token x component."""

    q: Tensor
    k: Tensor
    v: Tensor


class Gpt2Layers:
    """The layers of a GPT-2.

    Args:
        config: of the model.
        weights: by name, oriented as TransformerLens does.
        edits: of what is computed; they act at their hook points wherever these are passed here.
    """

    def __init__(
        self, config: GPT2Config, weights: Mapping[Site, Tensor], edits: Sequence[Edit] = ()
    ) -> None:
        self.count, self.heads, self.width = config.n_layer, config.n_head, config.n_embd
        self._epsilon = config.layer_norm_epsilon
        self._other_activation = config.activation_function != "gelu_new"
        self._activation = ACT2FN[config.activation_function]
        self._edits: dict[str, list[Edit]] = {}
        for edit in edits:
            self._edits.setdefault(edit.hook, []).append(edit)
        self._tokens, self._positions = weights[Site(part="W_E")], weights[Site(part="W_pos")]
        self._unembed = weights[Site(part="W_U")]
        self._norms = {
            (layer, name): (weights[Site(layer, part=f"{name}.w")], weights[Site(layer, part=f"{name}.b")])
            for layer, name in [(layer, name) for layer in range(self.count) for name in ("ln1", "ln2")]
            + [(None, "ln_final")]
        }
        self._attention = [_attention_weights(weights, layer) for layer in range(self.count)]
        self._mlps = [
            tuple(weights[Site(layer, part=f"mlp.{name}")] for name in ("W_in", "b_in", "W_out", "b_out"))
            for layer in range(self.count)
        ]

    def edited(self, hook: str, value: Tensor, at: Sequence[int]) -> Tensor:
        """Return what passes a hook point after the edits there.

        Args:
            hook: its name.
            value: row x token x ..., at these tokens.
            at: positions of the tokens.
        """
        edits = self._edits.get(hook)
        return changed_by(edits, value, at) if edits else value

    def embed(self, tokens: Int[Tensor, "row token"], first: int = 0) -> Float[Tensor, "row token dimension"]:
        """Return the residual stream before layer 0."""
        at = range(first, first + tokens.shape[1])
        x = embedding(tokens, self._tokens) + self._positions[first : first + tokens.shape[1]]
        return self.edited("blocks.0.hook_resid_pre", x, at)

    def norm(
        self, layer: int | None, name: str, x: Float[Tensor, "*rows dimension"]
    ) -> Float[Tensor, "*rows dimension"]:
        """Return what a LayerNorm makes of its input.

        Args:
            layer: its number; None for the last.
            name: `ln1`, `ln2` or `ln_final`.
            x: its input.
        """
        return layer_norm(x, x.shape[-1:], *self._norms[layer, name], self._epsilon)

    def attend_from(self, layer: int, x: Float[Tensor, "row token dimension"]) -> QueriesKeysValues:
        """Return queries, keys and values of a layer, from the residual stream before it."""
        weight, bias = self._attention[layer][:2]
        mixed = torch.addmm(bias, self.norm(layer, "ln1", x).flatten(0, 1), weight)
        mixed = mixed.view(*x.shape[:2], 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        return QueriesKeysValues(*mixed.unbind())

    def attend_apart(
        self, layer: int, x: Float[Tensor, "row part head token dimension"]
    ) -> QueriesKeysValues:
        """Return queries, keys and values of a layer, each head's from a residual stream of its own.

        Args:
            layer: its number.
            x: what is before the layer for the queries, the keys and the values (`part`) of each head.
        """
        weight, bias = self._attention[layer][:2]
        weight = weight.view(self.width, 3, self.heads, -1)
        mixed = torch.einsum("rpntd,dpnc->prntc", self.norm(layer, "ln1", x), weight)
        return QueriesKeysValues(*(mixed + bias.view(3, 1, self.heads, 1, -1)).unbind())

    def look(
        self,
        layer: int,
        q: Float[Tensor, "row head query component"],
        k: Float[Tensor, "row head key component"],
        v: Float[Tensor, "row head key component"],
        at: Sequence[int],
    ) -> Float[Tensor, "row query head component"]:
        """Return what heads gather.

        Args:
            layer: its number.
            q: queries of the tokens at `at`.
            k: keys of all tokens from the first of the text on.
            v: values of these.
            at: positions of the queries.
        """
        scores = q @ k.mT / math.sqrt(q.shape[-1])
        queries = torch.tensor(list(at), device=q.device)[:, None]
        later = torch.arange(k.shape[2], device=q.device) > queries
        pattern = scores.masked_fill(later, -torch.inf).softmax(-1)
        return self.edited(f"blocks.{layer}.attn.hook_z", (pattern @ v).transpose(1, 2), at)

    def attention_out(
        self, layer: int, z: Float[Tensor, "row token head component"], at: Sequence[int]
    ) -> Float[Tensor, "row token dimension"]:
        """Return what attention adds to the residual stream."""
        weight, bias = self._attention[layer][2:]
        added = torch.addmm(bias, z.flatten(2).flatten(0, 1), weight).view(*z.shape[:2], -1)
        return self.edited(f"blocks.{layer}.hook_attn_out", added, at)

    def heads_out(
        self, layer: int, z: Float[Tensor, "row token head component"]
    ) -> Float[Tensor, "row token head dimension"]:
        """Return what each head adds to the residual stream, the bias that all share left out."""
        weight = self._attention[layer][2].view(self.heads, -1, self.width)
        return torch.einsum("rtnc,ncd->rtnd", z, weight)

    def neurons(
        self, layer: int, mid: Float[Tensor, "row token dimension"], at: Sequence[int]
    ) -> Float[Tensor, "row token neuron"]:
        """Return the neurons of an MLP after their nonlinearity, from the residual stream before it."""
        weight, bias = self._mlps[layer][:2]
        before = torch.addmm(bias, self.norm(layer, "ln2", mid).flatten(0, 1), weight)
        after = self._activation(before) if self._other_activation else gelu(before, approximate="tanh")
        return self.edited(f"blocks.{layer}.mlp.hook_post", after.view(*mid.shape[:2], -1), at)

    def mlp_out(
        self, layer: int, neurons: Float[Tensor, "row token neuron"], at: Sequence[int]
    ) -> Float[Tensor, "row token dimension"]:
        """Return what an MLP adds to the residual stream."""
        weight, bias = self._mlps[layer][2:]
        added = torch.addmm(bias, neurons.flatten(0, 1), weight).view(*neurons.shape[:2], -1)
        return self.edited(f"blocks.{layer}.hook_mlp_out", added, at)

    def finish(
        self, layer: int, mid: Float[Tensor, "row token dimension"], at: Sequence[int]
    ) -> Float[Tensor, "row token dimension"]:
        """Return the residual stream after a layer, from that behind its attention."""
        return self.joined(layer, mid, self.mlp_out(layer, self.neurons(layer, mid, at), at), at)

    def joined(
        self,
        layer: int,
        mid: Float[Tensor, "row token dimension"],
        added: Float[Tensor, "row token dimension"],
        at: Sequence[int],
    ) -> Float[Tensor, "row token dimension"]:
        """Return the residual stream after a layer, from that behind its attention and what its MLP adds."""
        return self.edited(f"blocks.{layer}.hook_resid_post", mid + added, at)

    def unembed(self, x: Float[Tensor, "*rows dimension"]) -> Float[Tensor, "*rows vocabulary"]:
        """Return the scores of the next token, from the last residual stream."""
        return self.norm(None, "ln_final", x) @ self._unembed


def _attention_weights(weights: Mapping[Site, Tensor], layer: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return weight and bias of queries, keys and values together, and those of the output."""

    def of(name: str) -> Tensor:
        return weights[Site(layer, part=f"attn.{name}")]

    # head x dimension x component -> dimension x (head, component), side by side.
    mixed = torch.cat([of(f"W_{name}").transpose(0, 1).flatten(1) for name in "QKV"], 1)
    bias = torch.cat([of(f"b_{name}").flatten() for name in "QKV"])
    return mixed.contiguous(), bias, of("W_O").flatten(0, 1).contiguous(), of("b_O")
