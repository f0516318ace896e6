"""CNN: causal dilated convolutions with residual connections (Bai, Kolter and Koltun 2018; WaveNet 2016).

    x^0_t = W_E[token_t]
    y^l_t = ReLU(b^l + sum_k W^l_k x^l_{t - (2 - k) d_l})     kernel 3: k = 0, 1, 2; dilation d_l = 2^l
    x^{l+1}_t = x^l_t + y^l_t
    logits_t = W_U x^last_t + b_U

y^l are the feature maps. Positions before the text are zero. The receptive field of a token is
1 + 2 (2^layers - 1) tokens: itself and the tokens before it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

import numpy as np
from jaxtyping import Bool, Float
from torch import Tensor
from torch.nn import Conv1d, Embedding, Linear, Module, ModuleList
from torch.nn.functional import pad
from transformer_lens import HookedRootModule
from transformer_lens.hook_points import HookPoint
from typing_extensions import override

from playground.datasets import Template
from playground.errors import Fault
from playground.models.hooked import HookedArchitecture, embedding_map, weights_of
from playground.models.interface.anatomy import Anatomy
from playground.models.interface.architecture import Size, TrainingDefaults
from playground.models.interface.sites import ActivationMap, Edit, Site
from playground.models.interface.trace import PassTrace, Tokens
from playground.models.interface.weights import WeightEdit, make_layer
from playground.models.interface.whole_text import WholeTextNetwork

KERNEL = 3
MOST_LAYERS = 12
"""The dilation doubles at each layer; with more layers it would exceed the length of any text here."""


def receptive_field(layers: int) -> int:
    """Return how many tokens a token sees through that many layers, including itself."""
    return 1 + (KERNEL - 1) * (2**layers - 1)


class CausalConvolution(Module):
    """One layer: a causal convolution and its nonlinearity, without the residual connection.

    Args:
        width: channels in and out.
        dilation: distance between the tokens that the kernel combines.
    """

    def __init__(self, width: int, dilation: int) -> None:
        super().__init__()
        self.conv = Conv1d(width, width, KERNEL, dilation=dilation)
        self.dilation = dilation
        self.hook_conv = HookPoint()

    def forward(self, x: Float[Tensor, "row token channel"]) -> Float[Tensor, "row token channel"]:
        """Return the feature maps."""
        # Padded on the left only, so that no token sees a later one.
        padded = pad(x.mT, ((KERNEL - 1) * self.dilation, 0))
        return self.hook_conv(self.conv(padded).relu().mT)


class CnnModel(HookedRootModule):
    """A causal CNN over tokens.

    Args:
        vocabulary: number of different tokens.
        width: channels of each layer.
        layers: number of layers.
    """

    def __init__(self, *, vocabulary: int, width: int, layers: int) -> None:
        super().__init__()
        self.embed = Embedding(vocabulary, width)
        self.hook_embed = HookPoint()
        self.layers = ModuleList(CausalConvolution(width, 2**layer) for layer in range(layers))
        self.hook_resid = ModuleList(HookPoint() for _ in range(layers))
        self.unembed = Linear(width, vocabulary)
        self.setup()

    def forward(self, tokens: Tokens) -> Float[Tensor, "row token vocabulary"]:
        """Return the scores of the next token, at every token."""
        x = self.hook_embed(self.embed(tokens))
        for layer, hook in zip(self.layers, self.hook_resid, strict=True):
            x = hook(x + layer(x))
        return self.unembed(x)


class CnnNetwork(WholeTextNetwork):
    """A trained CNN under its hooks; for the arguments see `WholeTextNetwork`."""

    def __init__(self, architecture: str, model: CnnModel, template: Template, anatomy: Anatomy) -> None:
        # A convolution's output has channels before tokens.
        layers = (
            make_layer(model.embed, model.embed, "embed"),
            *(
                make_layer(layer.conv, layer.conv, f"layers.{number}.conv", axis=2, alone=False)  # pyright: ignore[reportArgumentType]
                for number, layer in enumerate(model.layers)
            ),
            make_layer(model.unembed, model.unembed, "unembed"),
        )
        super().__init__(architecture, model, template, anatomy, layers)
        self._depth = len(model.layers)

    @override
    def receptive_field(self, drawn: ActivationMap, position: int) -> tuple[int, ...]:
        return self._reach(drawn.site.layer, position)

    @override
    def acting_tokens(
        self, site: Site, meant: Bool[np.ndarray, ...] | None, position: int
    ) -> tuple[int, ...]:
        if (site.part or "").startswith("unembed"):
            return (position,)
        found = self._reach(site.layer, position)
        if site.part != "conv.weight" or meant is None:
            return found
        # A tap that reaches before the text reads zeros.
        _, _, which = (*site.slices, *[slice(None)] * 3)[:3]
        taps = np.arange(KERNEL)[which][meant.any(axis=(0, 1))]
        nearest = (KERNEL - 1 - int(taps.max())) * 2 ** (site.layer or 0)
        return tuple(token for token in found if token >= nearest)

    def _reach(self, layer: int | None, position: int) -> tuple[int, ...]:
        """Return the tokens at which a layer's output (None: the embedding) can change the scores at a position."""
        reached = {position}
        for above in range(self._depth - 1, -1 if layer is None else layer, -1):
            reached = {token - tap * 2**above for token in reached for tap in range(KERNEL)}
        return tuple(sorted(token for token in reached if token >= 0))

    @override
    def trace(
        self, tokens: Tokens, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()
    ) -> PassTrace:
        return self._pass_trace(tokens, edits, weights)

    @override
    def layers(self, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()) -> None:
        return None

    @override
    def make_cache(self) -> None:
        return None


class Cnn(HookedArchitecture):
    """Causal CNN: by default 128 wide, with just enough layers for the last token to see the whole text."""

    name: ClassVar[str] = "cnn"
    title: ClassVar[str] = "CNN"
    training: ClassVar[TrainingDefaults] = TrainingDefaults(learning_rate=2e-3)
    training_seconds: ClassVar[float] = 70.0

    @override
    def default_size(self, template: Template) -> Size:
        return Size(width=128, layers=_fewest_layers(template))

    @override
    def faults(self, size: Size, template: Template) -> list[Fault]:
        fewest = _fewest_layers(template)
        if fewest <= size.layers <= MOST_LAYERS:
            return []
        return [
            Fault(
                message="the receptive field does not fit the text",
                expected=f"at least {fewest} layers, which see {receptive_field(fewest)} tokens, and at most {MOST_LAYERS}",
                got=f"{size.layers}, which see {receptive_field(size.layers)} of {template.length}",
                hint="Leave --layers out for the fewest.",
            )
        ]

    @override
    def construct(self, *, vocabulary: int, tokens: int, size: Size, settings: Mapping[str, int]) -> CnnModel:
        return CnnModel(vocabulary=vocabulary, width=size.width, layers=size.layers)

    @override
    def network(self, model: Module, template: Template) -> CnnNetwork:
        assert isinstance(model, CnnModel)
        layers, width = range(len(model.layers)), model.embed.embedding_dim
        maps = [embedding_map(width)]
        for layer in layers:
            conv = ActivationMap(
                site=Site(layer, part="conv"),
                hook=f"layers.{layer}.hook_conv",
                title=f"feature maps, dilation {2**layer}",
                units=width,
                noun="channel",
                signed=False,
                adds=True,
                privileged=True,
            )
            resid = ActivationMap(
                site=Site(layer, part="resid"),
                hook=f"hook_resid.{layer}",
                title="residual stream",
                units=width,
                noun="dimension",
                detail=True,
            )
            maps += [conv, resid]
        anatomy = Anatomy(
            maps=tuple(maps),
            wholes={Site(layer): (Site(layer, part="conv"),) for layer in layers},
            weights=weights_of(model),
            elements=tuple(Site(layer, part="conv").at(unit) for layer in layers for unit in range(width)),
            element_noun="channel",
            interchange_sites=tuple(each.site for each in maps),
            readout=(maps[-1].site,),
        )
        return CnnNetwork(self.name, model, template, anatomy)


def _fewest_layers(template: Template) -> int:
    layers = 1
    while receptive_field(layers) < template.length:
        layers += 1
    return layers
