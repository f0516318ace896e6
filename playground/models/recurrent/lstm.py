"""The cell of an LSTM (Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000).

    i = sigmoid(W_ii x + b_ii + W_hi h + b_hi)    input gate
    f = sigmoid(W_if x + b_if + W_hf h + b_hf)    forget gate
    g = tanh(W_ig x + b_ig + W_hg h + b_hg)       candidate
    o = sigmoid(W_io x + b_io + W_ho h + b_ho)    output gate
    c' = f * c + i * g                            cell state
    h' = o * tanh(c')                             hidden state

Parameters have the names, the order of gates and the orientation of `torch.nn.LSTMCell`: `weight_ih`
stacks W_ii, W_if, W_ig, W_io vertically, outputs by inputs.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import Module, ModuleList, Parameter
from torch.nn.functional import linear
from transformer_lens.hook_points import HookPoint

from playground.models.interface.sites import ActivationMap, Site

State = tuple[Float[Tensor, "row unit"], Float[Tensor, "row unit"]]
"""Hidden state h and cell state c."""

PARTS = {
    "h": "hidden state",
    "c": "cell state",
    "i": "input gate",
    "f": "forget gate",
    "g": "candidate",
    "o": "output gate",
}
"""The parts of a cell, in the order in which they are shown."""

GATES = ("i", "f", "o")
"""The gates, whose values lie between 0 and 1."""


def hooks_by_token(count: int) -> ModuleList:
    """Return a hook point for each token: a single one in a loop would keep only the last value."""
    return ModuleList(HookPoint() for _ in range(count))


class LstmCell(Module):
    """One layer of an LSTM, run token by token, with a separate hook point for each value of each token.

    Args:
        inputs: width of the input.
        width: number of units.
        tokens: the most tokens that it can read.
    """

    def __init__(self, inputs: int, width: int, tokens: int) -> None:
        super().__init__()
        self.weight_ih = Parameter(torch.empty(4 * width, inputs))
        self.weight_hh = Parameter(torch.empty(4 * width, width))
        self.bias_ih = Parameter(torch.empty(4 * width))
        self.bias_hh = Parameter(torch.empty(4 * width))
        self.width = width
        for parameter in self.parameters():
            # As in torch.nn.LSTMCell.
            torch.nn.init.uniform_(parameter, -1 / math.sqrt(width), 1 / math.sqrt(width))
        self.hook_i, self.hook_f = hooks_by_token(tokens), hooks_by_token(tokens)
        self.hook_g, self.hook_o = hooks_by_token(tokens), hooks_by_token(tokens)
        self.hook_c, self.hook_h = hooks_by_token(tokens), hooks_by_token(tokens)

    def first_state(self, rows: int) -> State:
        """Return the state before the first token: zeros."""
        zeros = self.weight_hh.new_zeros(rows, self.width)
        return zeros, zeros

    def forward(self, x: Float[Tensor, "row input"], state: State, token: int) -> State:
        """Return the state after one more token.

        Args:
            x: the input.
            state: the state after the previous token, or `first_state`.
            token: its number, from 0.
        """
        return self.advance(self.project(x), state, token)

    def project(self, x: Float[Tensor, "*rows input"]) -> Float[Tensor, "*rows gates"]:
        """Return what inputs add to the gates. This needs no state, so it can be computed for many tokens at once."""
        return linear(x, self.weight_ih, self.bias_ih)

    def advance(self, projected: Float[Tensor, "row gates"], state: State, token: int) -> State:
        """Return the state after one more token, from what `project` returned for it."""
        h, c = state
        i, f, g, o = (projected + linear(h, self.weight_hh, self.bias_hh)).chunk(4, -1)
        i, f = self.hook_i[token](i.sigmoid()), self.hook_f[token](f.sigmoid())
        g, o = self.hook_g[token](g.tanh()), self.hook_o[token](o.sigmoid())
        c = self.hook_c[token](f * c + i * g)
        h = self.hook_h[token](o * c.tanh())
        return h, c


def layer_maps(layers: int, width: int) -> tuple[ActivationMap, ...]:
    """Return the parts of all layers that can be named and drawn; each layer has `width` units."""
    return tuple(
        ActivationMap(
            site=Site(layer, part=part),
            hook=f"layers.{layer}.hook_{part}",
            title=title,
            units=width,
            signed=part not in GATES,
            bound=None if part == "c" else 1.0,
            privileged=part in ("h", "c"),
        )
        for layer in range(layers)
        for part, title in PARTS.items()
    )


def layer_wholes(layers: int) -> dict[Site, tuple[Site, ...]]:
    """Return, for each whole layer's site, the parts that it stands for: the states that the layer carries on."""
    return {Site(layer): (Site(layer, part="c"), Site(layer, part="h")) for layer in range(layers)}


def carried_on(wholes: Mapping[Site, tuple[Site, ...]]) -> tuple[Site, ...]:
    """Return the states of all layers, hidden states before cell states, then the whole layers."""
    return (*(part for cell, hidden in wholes.values() for part in (hidden, cell)), *wholes)


def not_at_first(layers: int, width: int) -> dict[Site, slice]:
    """Return the parts of all layers that have no effect at the first token, before which both states are zero.

    These are the forget gate, and the weights that multiply the hidden state.
    """
    forget = slice(width, 2 * width)
    parts = {"f": slice(None), "weight_hh": slice(None)}
    parts |= dict.fromkeys(("weight_ih", "bias_ih", "bias_hh"), forget)
    return {Site(layer, part=part): rows for layer in range(layers) for part, rows in parts.items()}
