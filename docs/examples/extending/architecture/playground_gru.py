"""GRU: gated recurrent units (Cho et al. 2014, arXiv 1406.1078), as `torch.nn.GRU` computes them.

r = sigmoid(W_ir x + b_ir + W_hr h + b_hr), z = sigmoid(W_iz x + b_iz + W_hz h + b_hz),
n = tanh(W_in x + b_in + r (W_hn h + b_hn)), h' = (1 - z) n + z h; logits = W_U h' + b_U.
"""

from collections.abc import Mapping
from typing import ClassVar

from torch import Tensor
from torch.nn import Embedding, GRUCell, Linear, Module, ModuleList
from typing_extensions import override

from playground.datasets import Template
from playground.errors import Fault
from playground.models import (
    ActivationMap,
    Anatomy,
    HookedArchitecture,
    RecurrentModel,
    RecurrentNetwork,
    Site,
    Size,
    TrainingDefaults,
    hooks_by_token,
    weights_of,
)


class GruModel(RecurrentModel):
    """A GRU over tokens; every value that can be edited passes a hook point of its token."""

    def __init__(self, vocabulary: int, tokens: int, size: Size) -> None:
        super().__init__()
        self.embed = Embedding(vocabulary, size.width)
        self.hook_embed = hooks_by_token(tokens)
        self.layers = ModuleList(GRUCell(size.width, size.width) for _ in range(size.layers))
        self.hook_h = ModuleList(hooks_by_token(tokens) for _ in range(size.layers))
        self.unembed = Linear(size.width, vocabulary)
        self.setup()

    @override
    def first_state(self, rows: int) -> list[Tensor]:
        return [self.embed.weight.new_zeros(rows, self.embed.embedding_dim) for _ in self.layers]

    @override
    def step(self, tokens: Tensor, state: list[Tensor], position: int) -> tuple[Tensor, list[Tensor]]:
        x, after = self.hook_embed[position](self.embed(tokens)), []
        for cell, hooks, before in zip(self.layers, self.hook_h, state, strict=True):
            x = hooks[position](cell(x, before))
            after.append(x)
        return self.unembed(x), after

    @override
    def forward(self, tokens: Tensor) -> Tensor:
        return self.step_through(tokens)


class Gru(HookedArchitecture):
    """GRU: width 64 and one layer unless asked otherwise."""

    name: ClassVar[str] = "gru"
    title: ClassVar[str] = "GRU"
    training: ClassVar[TrainingDefaults] = TrainingDefaults(learning_rate=4e-3)
    sweep_batch: ClassVar[int] = 16

    @override
    def default_size(self, template: Template) -> Size:
        return Size(width=64, layers=1)

    @override
    def faults(self, size: Size, template: Template) -> list[Fault]:
        return []

    @override
    def construct(self, *, vocabulary: int, tokens: int, size: Size, settings: Mapping[str, int]) -> GruModel:
        return GruModel(vocabulary, tokens, size)

    @override
    def network(self, model: Module, template: Template) -> RecurrentNetwork:
        layers, width = range(len(model.layers)), model.embed.embedding_dim
        embed = ActivationMap(Site(part="embed"), "hook_embed", "embedding", width, "dimension", detail=True)
        hidden = [Site(layer, part="h") for layer in layers]
        states = [
            ActivationMap(site, f"hook_h.{site.layer}", "hidden state", width, bound=1.0, privileged=True)
            for site in hidden
        ]
        anatomy = Anatomy(
            maps=(embed, *states),
            wholes={Site(site.layer): (site,) for site in hidden},
            weights=weights_of(model),
            elements=tuple(site.at(unit) for site in hidden for unit in range(width)),
            element_noun="unit",
            interchange_sites=(embed.site, *hidden),
            readout=(hidden[-1],),
            # Before the first token the state is zero, so these weights are multiplied with zeros.
            not_at_first={Site(layer, part="weight_hh"): slice(None) for layer in layers},
        )
        return RecurrentNetwork(self.name, model, template, anatomy)
