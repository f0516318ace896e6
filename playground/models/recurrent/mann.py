"""MANN: a Neural Turing Machine (Graves, Wayne and Danihelka 2014, arXiv 1410.5401).

An LSTM controller with a memory M of slots x components, one write head and one read head. For each token
(numbers of equations are those of the paper):

    h_t, c_t = LSTM([W_E[token_t], r_{t-1}])      controller; its input includes the last read
    write head, from h_t: w^w_t by addressing M_{t-1}, erase vector e_t in (0, 1), add vector a_t
    M_t(i) = M_{t-1}(i) [1 - w^w_t(i) e_t] + w^w_t(i) a_t          (3), (4)
    read head, from h_t: w^r_t by addressing M_t
    r_t = sum_i w^r_t(i) M_t(i)                                    (2)
    logits_t = W_U [h_t, r_t] + b_U

Addressing, for both heads: with key k, strength b > 0, interpolation gate g in (0, 1), shift s (a
distribution over -1, 0, 1) and sharpening y >= 1, all from h_t,

    content(i) = softmax_i(b cos(k, M(i)))                         (5), (6)
    gated = g content + (1 - g) w_{t-1}                            (7)
    shifted(i) = sum_j gated(i - j) s(j)      around a circle      (8)
    w_t(i) = shifted(i)^y / sum_j shifted(j)^y                     (9)

The paper leaves open which memory a head sees and what the initial values are. Here the write head sees the memory
after the previous token, and the read head sees the memory after the write of this token. The initial memory is a
small constant; the initial weights and the initial read vector are learnt. To avoid division by zero, the norms in
(6) and the bases of the powers in (9) are bounded below. Several controller layers are stacked as in `rnn.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from jaxtyping import Float, Int
from torch import Tensor
from torch.nn import Embedding, Linear, Module, ModuleList, Parameter
from torch.nn.functional import softplus
from typing_extensions import override

from playground.datasets import Template
from playground.errors import Fault
from playground.models.hooked import HookedArchitecture, HookedDocument, Length, embedding_map, weights_of
from playground.models.interface.anatomy import Anatomy
from playground.models.interface.architecture import Size, TrainingDefaults
from playground.models.interface.sites import ActivationMap, Site
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

SHIFTS = (-1, 0, 1)
FIRST_MEMORY = 1e-6
SMALLEST_NORM = 1e-8


class Head(Module):
    """A head, which addresses the memory.

    Args:
        width: units of the controller.
        slots: of the memory.
        components: of a slot.
        tokens: the most tokens of a text.
        extra: how many numbers, besides those for addressing, are computed from the controller's state.
    """

    def __init__(self, *, width: int, slots: int, components: int, tokens: int, extra: int = 0) -> None:
        super().__init__()
        self.sizes = [components, 1, 1, len(SHIFTS), 1, extra]
        self.linear = Linear(width, sum(self.sizes))
        self.first_weights = Parameter(0.1 * torch.randn(slots))
        self.hook_key, self.hook_strength = hooks_by_token(tokens), hooks_by_token(tokens)
        self.hook_gate, self.hook_shift = hooks_by_token(tokens), hooks_by_token(tokens)
        self.hook_sharpening, self.hook_weights = hooks_by_token(tokens), hooks_by_token(tokens)

    def forward(
        self,
        h: Float[Tensor, "row unit"],
        memory: Float[Tensor, "row slot component"],
        before: Float[Tensor, "row slot"],
        token: int,
    ) -> tuple[Float[Tensor, "row slot"], Float[Tensor, "row extra"]]:
        """Return the weights over the slots, and the extra numbers.

        Args:
            h: the controller's hidden state.
            memory: the memory to address.
            before: the weights at the previous token.
            token: its number, from 0.
        """
        key, strength, gate, shift, sharpening, extra = self.linear(h).split(self.sizes, -1)
        key = self.hook_key[token](key.tanh())
        strength = self.hook_strength[token](softplus(strength))
        gate = self.hook_gate[token](gate.sigmoid())
        shift = self.hook_shift[token](shift.softmax(-1))
        sharpening = self.hook_sharpening[token](1 + softplus(sharpening))
        dot = (memory @ key[:, :, None])[:, :, 0]
        cosine = dot / (memory.norm(dim=-1) * key.norm(dim=-1, keepdim=True)).clamp_min(SMALLEST_NORM)
        content = (strength * cosine).softmax(-1)
        gated = torch.lerp(before, content, gate)
        neighbours = torch.stack([gated.roll(-1, -1), gated, gated.roll(1, -1)], -1)
        shifted = (neighbours @ shift[:, :, None])[:, :, 0]
        # Bounded away from zero, where a power has no finite gradient. With logarithms of ratios to the largest,
        # the powers never all underflow, and the large ones are the most exact.
        above = shifted.clamp_min(torch.finfo(shifted.dtype).tiny ** 0.5)
        logarithms = (above / above.amax(-1, keepdim=True)).log()
        return self.hook_weights[token]((sharpening * logarithms).softmax(-1)), extra


@dataclass(frozen=True)
class Carried:
    """The state that is carried on from token to token.

    Args:
        controller: states of the controller's layers.
        memory: the content of the slots.
        read_weights: where the last token read.
        write_weights: where the last token wrote.
        read: what the last token read.
    """

    controller: list[State]
    memory: Float[Tensor, "row slot component"]
    read_weights: Float[Tensor, "row slot"]
    write_weights: Float[Tensor, "row slot"]
    read: Float[Tensor, "row component"]


class MannModel(RecurrentModel):
    """A Neural Turing Machine over tokens.

    Args:
        vocabulary: number of different tokens.
        tokens: the most tokens of a text.
        width: of the embedding, and units of each layer of the controller.
        layers: of the controller.
        slots: of the memory.
        components: of a slot.
    """

    def __init__(
        self, *, vocabulary: int, tokens: int, width: int, layers: int, slots: int, components: int
    ) -> None:
        super().__init__()
        self.embed = Embedding(vocabulary, width)
        self.hook_embed = hooks_by_token(tokens)
        self.layers = ModuleList(
            LstmCell(width if layer else width + components, width, tokens) for layer in range(layers)
        )
        sizes = {"width": width, "slots": slots, "components": components, "tokens": tokens}
        self.write_head = Head(**sizes, extra=2 * components)
        self.read_head = Head(**sizes)
        self.first_read = Parameter(0.1 * torch.randn(components))
        self.unembed = Linear(width + components, vocabulary)
        self.shape = (slots, components)
        self.hook_erase, self.hook_add = hooks_by_token(tokens), hooks_by_token(tokens)
        self.hook_memory_before, self.hook_memory = hooks_by_token(tokens), hooks_by_token(tokens)
        self.hook_read = hooks_by_token(tokens)
        self.setup()

    @override
    def forward(self, tokens: Int[Tensor, "row token"]) -> Float[Tensor, "row token vocabulary"]:
        return self.step_through(tokens)

    @override
    def first_state(self, rows: int) -> Carried:
        return Carried(
            controller=[cell.first_state(rows) for cell in self.layers],  # pyright: ignore[reportCallIssue]
            memory=self.first_read.new_full((rows, *self.shape), FIRST_MEMORY),
            read_weights=self.read_head.first_weights.softmax(-1).expand(rows, -1),
            write_weights=self.write_head.first_weights.softmax(-1).expand(rows, -1),
            read=self.first_read.expand(rows, -1),
        )

    @override
    def step(self, tokens: Int[Tensor, " row"], state: Carried, position: int) -> Stepped:
        embedded = self.hook_embed[position](self.embed(tokens))
        h, controller = torch.cat([embedded, state.read], -1), []
        for cell, before in zip(self.layers, state.controller, strict=True):
            controller.append(cell(h, before, position))
            h = controller[-1][0]
        memory = self.hook_memory_before[position](state.memory)
        written, extra = self.write_head(h, memory, state.write_weights, position)
        erase, add = extra.chunk(2, -1)
        erase, add = self.hook_erase[position](erase.sigmoid()), self.hook_add[position](add.tanh())
        slots = written[:, :, None]
        memory = self.hook_memory[position](memory * (1 - slots * erase[:, None]) + slots * add[:, None])
        weights, _ = self.read_head(h, memory, state.read_weights, position)
        read = self.hook_read[position]((weights[:, None] @ memory)[:, 0])
        logits = self.unembed(torch.cat([h, read], -1))
        return logits, Carried(controller, memory, weights, written, read)


class MannDocument(HookedDocument):
    """The `config.json` of a MANN."""

    slots: Length
    components: Length


class Mann(HookedArchitecture):
    """Neural Turing Machine: by default a controller of one layer, 128 wide, and 16 slots of 24."""

    name: ClassVar[str] = "mann"
    title: ClassVar[str] = "MANN"
    training: ClassVar[TrainingDefaults] = TrainingDefaults(learning_rate=4e-3)
    training_seconds: ClassVar[float] = 450.0
    sweep_batch: ClassVar[int] = 16
    config: ClassVar[type[HookedDocument]] = MannDocument
    settings: ClassVar[Mapping[str, int]] = {"slots": 16, "components": 24}
    settings_at: ClassVar[Mapping[str, tuple[str, int]]] = {
        "slots": ("read_head.first_weights", 0),
        "components": ("first_read", 0),
    }

    @override
    def default_size(self, template: Template) -> Size:
        return Size(width=128, layers=1)

    @override
    def faults(self, size: Size, template: Template) -> list[Fault]:
        return []

    @override
    def construct(
        self, *, vocabulary: int, tokens: int, size: Size, settings: Mapping[str, int]
    ) -> MannModel:
        return MannModel(
            vocabulary=vocabulary, tokens=tokens, width=size.width, layers=size.layers, **settings
        )

    @override
    def network(self, model: Module, template: Template) -> RecurrentNetwork:
        assert isinstance(model, MannModel)
        slots, components = model.shape
        layers, width = len(model.layers), model.embed.embedding_dim
        embedding, wholes = embedding_map(width), layer_wholes(layers)
        slot = {"units": slots, "noun": "slot"}
        memory = (
            _map("read_weights", "read_head.hook_weights", "read weights", **slot, signed=False),
            _map("write_weights", "write_head.hook_weights", "write weights", **slot, signed=False),
            _map("read", "hook_read", "read vector", components),
            _map(
                "memory",
                "hook_memory",
                "memory, as it is read",
                **slot,
                components=components,
                privileged=True,
            ),
        )
        detail = {"units": components, "bound": 1.0, "detail": True}
        anatomy = Anatomy(
            maps=(
                *memory,
                *_addressing_maps("read_head", components),
                *_addressing_maps("write_head", components),
                _map("erase", "hook_erase", "erase vector", **detail, signed=False),
                _map("add", "hook_add", "add vector", **detail),
                embedding,
                *layer_maps(layers, width),
            ),
            wholes=wholes,
            weights=weights_of(model),
            elements=tuple(Site(part="memory").at(slot) for slot in range(slots)),
            element_noun="slot",
            interchange_sites=(*(each.site for each in memory), embedding.site, *carried_on(wholes)),
            readout=(Site(layers - 1, part="h"), Site(part="read")),
            before_all=frozenset(
                Site(part=part)
                for part in ("first_read", "read_head.first_weights", "write_head.first_weights")
            ),
            not_at_first=not_at_first(layers, width) | _not_at_first(components),
        )
        return RecurrentNetwork(self.name, model, template, anatomy)


def _not_at_first(components: int) -> dict[Site, slice]:
    """Return the parts of the write head without effect at the first token: all slots of the initial memory are alike."""
    rows = slice(0, components + 1)
    weights = {Site(part=f"write_head.linear.{name}"): rows for name in ("weight", "bias")}
    return weights | {Site(part=f"write_head.{name}"): slice(None) for name in ("key", "strength")}


def _addressing_maps(head: str, components: int) -> tuple[ActivationMap, ...]:
    """Return the values from which a head computes its weights over the slots."""
    title = head.replace("_", " ")
    values = {
        "key": {"units": components, "bound": 1.0},
        "strength": {"units": 1, "signed": False},
        "gate": {"units": 1, "signed": False, "bound": 1.0},
        "shift": {"units": len(SHIFTS), "signed": False, "bound": 1.0},
        "sharpening": {"units": 1, "signed": False},
    }
    return tuple(
        _map(f"{head}.{name}", f"{head}.hook_{name}", f"{title}: {name}", **about, detail=True)
        for name, about in values.items()
    )


def _map(part: str, *about: Any, **more: Any) -> ActivationMap:
    return ActivationMap(Site(part=part), *about, **more)
