"""A transformer layer by layer, for analyses that would take thousands of passes differing in one place only.

q, k, v = W_Q LN(x), W_K LN(x), W_V LN(x)      z = softmax(q kᵀ / √d) v
mid = x + W_O z,                               x' = mid + W_out f(W_in LN(mid))
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import NamedTuple

from jaxtyping import Float
from torch import Tensor

from playground.models.interface.trace import Tokens

Stream = Float[Tensor, "row token dimension"]
"""The residual stream, or what is added to it."""

HeadValues = Float[Tensor, "row token head component"]
"""The weighted sum of values in each head, z."""

Neurons = Float[Tensor, "row token neuron"]
"""The activations of an MLP's neurons."""


class QueriesKeysValues(NamedTuple):
    """Queries, keys and values of all heads of a layer, row x head x token x component."""

    q: Tensor
    k: Tensor
    v: Tensor


class TransformerLayers(ABC):
    """The layers of a transformer, as differentiable functions of its named weights.

    The network has these hook points, under TransformerLens' names: `blocks.0.hook_resid_pre`, and in each
    layer `attn.hook_z`, `hook_attn_out`, `mlp.hook_post`, `hook_mlp_out` and `hook_resid_post`.

    Attributes:
        count: number of layers.
        heads: number of heads in each.
        width: of the residual stream.
    """

    count: int
    heads: int
    width: int

    @abstractmethod
    def edited(self, hook: str, value: Tensor, at: Sequence[int]) -> Tensor:
        """Return the value at a hook point after the edits there.

        Args:
            hook: its name.
            value: row x token x ..., at these tokens.
            at: positions of the tokens.
        """

    @abstractmethod
    def embed(self, tokens: Tokens, first: int = 0) -> Stream:
        """Return the residual stream before layer 0.

        Args:
            tokens: token ids.
            first: position of the first of them.
        """

    @abstractmethod
    def norm(
        self, layer: int | None, name: str, x: Float[Tensor, "*rows dimension"]
    ) -> Float[Tensor, "*rows dimension"]:
        """Return the output of a LayerNorm.

        Args:
            layer: its number; None for the last.
            name: `ln1`, `ln2` or `ln_final`.
            x: its input.
        """

    @abstractmethod
    def attend_from(self, layer: int, x: Stream) -> QueriesKeysValues:
        """Return queries, keys and values of a layer, from the residual stream before it."""

    @abstractmethod
    def attend_apart(
        self, layer: int, x: Float[Tensor, "row part head token dimension"]
    ) -> QueriesKeysValues:
        """Return queries, keys and values of a layer, computed from a separate residual stream for each head.

        Args:
            layer: its number.
            x: the streams before the layer that each head reads for its queries, keys and values (`part`).
        """

    @abstractmethod
    def look(
        self,
        layer: int,
        q: Float[Tensor, "row head query component"],
        k: Float[Tensor, "row head key component"],
        v: Float[Tensor, "row head key component"],
        at: Sequence[int],
    ) -> Float[Tensor, "row query head component"]:
        """Return the weighted sum of values in each head.

        Args:
            layer: its number.
            q: queries of the tokens at `at`.
            k: keys of all tokens from the start of the text on.
            v: values of the same tokens.
            at: positions of the queries.
        """

    @abstractmethod
    def attention_out(self, layer: int, z: HeadValues, at: Sequence[int]) -> Stream:
        """Return what attention adds to the residual stream."""

    @abstractmethod
    def heads_out(self, layer: int, z: HeadValues) -> Float[Tensor, "row token head dimension"]:
        """Return what each head adds to the residual stream, without the bias that they share."""

    @abstractmethod
    def neurons(self, layer: int, mid: Stream, at: Sequence[int]) -> Neurons:
        """Return the activations of an MLP's neurons, from the residual stream before it."""

    @abstractmethod
    def mlp_out(self, layer: int, neurons: Neurons, at: Sequence[int]) -> Stream:
        """Return what an MLP adds to the residual stream."""

    @abstractmethod
    def joined(self, layer: int, mid: Stream, added: Stream, at: Sequence[int]) -> Stream:
        """Return the residual stream after a layer.

        Args:
            layer: its number.
            mid: the stream after its attention.
            added: what its MLP adds.
            at: positions of the tokens.
        """

    @abstractmethod
    def unembed(self, x: Float[Tensor, "*rows dimension"]) -> Float[Tensor, "*rows vocabulary"]:
        """Return the scores of the next token, from the last residual stream."""

    def finish(self, layer: int, mid: Stream, at: Sequence[int]) -> Stream:
        """Return the residual stream after a layer, from the one after its attention."""
        return self.joined(layer, mid, self.mlp_out(layer, self.neurons(layer, mid, at), at), at)
