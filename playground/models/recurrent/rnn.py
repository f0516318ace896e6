"""RNN: an LSTM language model (Graves 2013, "Generating Sequences With Recurrent Neural Networks").

    x_t = W_E[token_t]
    h^0_t, c^0_t = LSTM_0(x_t, h^0_{t-1}, c^0_{t-1})
    h^l_t, c^l_t = LSTM_l(h^{l-1}_t, h^l_{t-1}, c^l_{t-1})
    logits_t = W_U h^last_t + b_U

Information from earlier tokens reaches later ones only through the two states of each layer. The
equations of a layer are in `lstm.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import Embedding, Linear, Module, ModuleList
from typing_extensions import override

from playground.datasets import Template
from playground.errors import Fault
from playground.models.hooked import HookedArchitecture, embedding_map, weights_of
from playground.models.interface.anatomy import Anatomy
from playground.models.interface.architecture import Size, TrainingDefaults
from playground.models.interface.sites import Site
from playground.models.recurrent.base import RecurrentModel, RecurrentNetwork, Stepped
from playground.models.recurrent.lstm import (
    LstmCell,
    State,
    carried_on,
    hooks_by_token,
    layer_maps,
    layer_wholes,
    not_at_first,
)


class RnnModel(RecurrentModel):
    """An LSTM over tokens.

    Args:
        vocabulary: number of different tokens.
        tokens: the most tokens of a text.
        width: of the embedding, and units of each layer.
        layers: number of layers.
    """

    def __init__(self, *, vocabulary: int, tokens: int, width: int, layers: int) -> None:
        super().__init__()
        self.embed = Embedding(vocabulary, width)
        self.hook_embed = hooks_by_token(tokens)
        self.layers = ModuleList(LstmCell(width, width, tokens) for _ in range(layers))
        self.unembed = Linear(width, vocabulary)
        self.setup()

    @override
    def forward(self, tokens: Int[Tensor, "row token"]) -> Float[Tensor, "row token vocabulary"]:
        assert tokens.shape[1] <= len(self.hook_embed), "a text has at most as many tokens as hook points"
        embedded = self.embed(tokens).unbind(1)
        x = torch.stack([hook(value) for hook, value in zip(self.hook_embed, embedded, strict=False)], 1)
        for cell in self.layers:
            # Layer by layer, so that the inputs' contribution to the gates is one product for all tokens.
            projected, state, hidden = cell.project(x).unbind(1), cell.first_state(len(tokens)), []  # pyright: ignore[reportCallIssue]
            for position, each in enumerate(projected):
                state = cell.advance(each, state, position)  # pyright: ignore[reportCallIssue]
                hidden.append(state[0])
            x = torch.stack(hidden, 1)
        return self.unembed(x)

    @override
    def first_state(self, rows: int) -> list[State]:
        return [cell.first_state(rows) for cell in self.layers]  # pyright: ignore[reportCallIssue]

    @override
    def step(self, tokens: Int[Tensor, " row"], state: list[State], position: int) -> Stepped:
        x = self.hook_embed[position](self.embed(tokens))
        after = []
        for cell, before in zip(self.layers, state, strict=True):
            after.append(cell(x, before, position))
            x = after[-1][0]
        return self.unembed(x), after


class Rnn(HookedArchitecture):
    """LSTM: by default 128 wide, with two layers."""

    name: ClassVar[str] = "rnn"
    title: ClassVar[str] = "RNN"
    training: ClassVar[TrainingDefaults] = TrainingDefaults(learning_rate=4e-3)
    training_seconds: ClassVar[float] = 140.0
    sweep_batch: ClassVar[int] = 16

    @override
    def default_size(self, template: Template) -> Size:
        return Size(width=128, layers=2)

    @override
    def faults(self, size: Size, template: Template) -> list[Fault]:
        return []

    @override
    def construct(self, *, vocabulary: int, tokens: int, size: Size, settings: Mapping[str, int]) -> RnnModel:
        return RnnModel(vocabulary=vocabulary, tokens=tokens, width=size.width, layers=size.layers)

    @override
    def network(self, model: Module, template: Template) -> RecurrentNetwork:
        assert isinstance(model, RnnModel)
        layers, width = len(model.layers), model.embed.embedding_dim
        embedding, wholes = embedding_map(width), layer_wholes(layers)
        anatomy = Anatomy(
            maps=(embedding, *layer_maps(layers, width)),
            wholes=wholes,
            weights=weights_of(model),
            elements=tuple(
                Site(layer, part="h").at(unit) for layer in range(layers) for unit in range(width)
            ),
            element_noun="unit",
            interchange_sites=(embedding.site, *carried_on(wholes)),
            readout=(Site(layers - 1, part="h"),),
            not_at_first=not_at_first(layers, width),
        )
        return RecurrentNetwork(self.name, model, template, anatomy)
