"""GPT-2 (Radford et al. 2019): transformers' `GPT2LMHeadModel`, probed through TransformerLens.

With residual stream x, for each layer: x += attention(LayerNorm(x)), then x += MLP(LayerNorm(x)); the
logits are LayerNorm(x) times the transposed token embedding. The weights are used as they were trained:
no LayerNorm is folded and nothing is centred, so every number is transformers' own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import transformers
from jaxtyping import Bool, Int
from torch import Tensor
from torch.nn import GELU, Module
from transformers import DynamicCache, GenerationConfig, GPT2Config, GPT2LMHeadModel
from typing_extensions import override

from playground.datasets import Template
from playground.errors import Fault, count_of
from playground.models.gpt2.config import Gpt2Document, check_config, read_gpt2_config
from playground.models.gpt2.layers import Gpt2Layers
from playground.models.gpt2.parts import acting_tokens, dissect, find_weights
from playground.models.gpt2.trace import Gpt2Trace
from playground.models.gpt2.trainer import Gpt2Ensemble
from playground.models.interface.architecture import (
    WIDEST,
    Architecture,
    Size,
    SizeLimits,
    TrainingDefaults,
    axis,
    count_layers,
)
from playground.models.interface.network import Cache
from playground.models.interface.sites import ActivationMap, Edit, Site
from playground.models.interface.trace import Tokens, Trace
from playground.models.interface.weights import WeightEdit
from playground.models.interface.whole_text import WholeTextNetwork
from playground.seeds import check_seed


class KeysAndValues(Cache):
    """Keys and values of every layer and head, as transformers keeps them."""

    def __init__(self) -> None:
        self.inner = DynamicCache()

    @property
    @override
    def length(self) -> int:
        return self.inner.get_seq_length()

    @property
    @override
    def arguments(self) -> Mapping[str, Any]:
        return {"past_key_values": self.inner, "use_cache": True}

    @override
    def keep(self, rows: Int[Tensor, " kept"], length: int) -> None:
        self.inner.batch_select_indices(rows)
        if length < self.length:
            self.inner.crop(length - self.length)


class Gpt2Network(WholeTextNetwork):
    """A trained GPT-2 under the hooks of TransformerLens' bridge.

    Args:
        model: the trained model. The bridge takes it apart: do not use it elsewhere.
        template: the form of its texts.

    Raises:
        RequestError: if its configuration has settings that are not honoured, see `gpt2/config.py`.
    """

    def __init__(self, model: GPT2LMHeadModel, template: Template) -> None:
        check_config(model.config)
        # Imported here because training does not need it.
        from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

        parameters = dict(model.named_parameters())
        _fuse_nonlinearities(model)
        bridge = build_bridge_from_module(
            model.eval(), architecture="GPT2LMHeadModel", hf_config=model.config
        )
        self._config = model.config
        weights, layers = find_weights(bridge, model.config.n_head)
        super().__init__(
            Gpt2.name, bridge, template, dissect(model.config, weights), layers, parameters=parameters
        )

    @override
    def acting_tokens(
        self, site: Site, meant: Bool[np.ndarray, ...] | None, position: int
    ) -> tuple[int, ...]:
        found = acting_tokens(site, position, self._config.n_layer)
        if site.part != "W_pos" or meant is None:
            return found
        rows = np.arange(len(self.weights[site.whole]))[site.slices[:1]][meant.any(axis=1)]
        return tuple(token for token in found if token in rows)

    @override
    def receptive_field(self, drawn: ActivationMap, position: int) -> tuple[int, ...]:
        return tuple(range(position + 1))

    @override
    def layers(self, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()) -> Gpt2Layers:
        named = self.weights
        if weights:
            named = {site: self.edited_weight(site, weights) for site in named}
        return Gpt2Layers(self._config, named, edits)

    @override
    def trace(self, tokens: Tokens, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()) -> Trace:
        if all(len(each.positions) == self.template.length for each in weights):
            return Gpt2Trace(self.layers(edits, weights), tokens.to(self.device))
        return self._pass_trace(tokens, edits, weights)

    @override
    def make_cache(self) -> KeysAndValues:
        return KeysAndValues()


def _fuse_nonlinearities(model: GPT2LMHeadModel) -> None:
    """Compute GELU in one operation instead of transformers' eight, which saves a third of a pass."""
    if model.config.activation_function == "gelu_new":
        for block in model.transformer.h:
            block.mlp.act = GELU(approximate="tanh")  # pyright: ignore[reportAttributeAccessIssue]


class Gpt2(Architecture):
    """GPT-2: by default 128 wide, with four layers of four heads; saved as transformers saves it."""

    name: ClassVar[str] = "gpt2"
    title: ClassVar[str] = "GPT-2"
    training: ClassVar[TrainingDefaults] = TrainingDefaults(
        learning_rate=5e-4, cap=None, learning_rate_floor=0.0, dropout=0.1, threads=2
    )
    training_seconds: ClassVar[float] = 130.0
    limits: ClassVar[SizeLimits] = SizeLimits(heads=WIDEST)
    side_by_side: ClassVar[bool] = True

    @override
    def default_size(self, template: Template) -> Size:
        return Size(width=128, layers=4, heads=4)

    @override
    def faults(self, size: Size, template: Template) -> list[Fault]:
        if size.heads is None:
            message = "the number of heads is missing"
            return [
                Fault(message=message, expected="a number", got="none", hint="GPT-2 has some in each layer.")
            ]
        if size.width % size.heads == 0:
            return []
        below, above = size.width // size.heads, size.width // size.heads + 1
        near = " or ".join(str(times * size.heads) for times in (below, above) if times)
        return [
            Fault(
                message="the heads do not divide the width",
                expected=f"a width that is a multiple of {count_of(size.heads, 'head')}",
                got=str(size.width),
                hint=f"Write --width {near}, or another number of --heads.",
            )
        ]

    @override
    def make(self, template: Template, size: Size, seed: int) -> GPT2LMHeadModel:
        assert size.heads is not None, "`check` lets no other size pass"
        config = GPT2Config(
            vocab_size=len(template.vocabulary),
            n_positions=template.length,
            n_embd=size.width,
            n_layer=size.layers,
            n_head=size.heads,
            bos_token_id=None,
            eos_token_id=None,
        )
        with torch.random.fork_rng():
            torch.manual_seed(check_seed(seed))
            return GPT2LMHeadModel(config)

    @override
    def ensemble(self, models: Sequence[Module], dropout: float, generator: torch.Generator) -> Gpt2Ensemble:
        return Gpt2Ensemble(
            [model for model in models if isinstance(model, GPT2LMHeadModel)], dropout, generator
        )

    @override
    def save(self, model: Module, template: Template, size: Size, folder: Path) -> None:
        assert isinstance(model, GPT2LMHeadModel)
        model.generation_config = GenerationConfig(
            do_sample=False, max_new_tokens=template.length - template.prompt_length
        )
        transformers.utils.logging.disable_progress_bar()  # It would overwrite the training's own.
        model.save_pretrained(folder)

    @override
    def read_config(self, document: dict[str, Any], where: str) -> Gpt2Document:
        return read_gpt2_config(document, where)

    @override
    def sizes_of(self, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, int]:
        found = {
            "vocab_size": axis(shapes, "transformer.wte.weight", 0),
            "n_positions": axis(shapes, "transformer.wpe.weight", 0),
            "n_embd": axis(shapes, "transformer.wte.weight", 1),
            "n_inner": axis(shapes, "transformer.h.0.mlp.c_fc.weight", 1),
            "n_layer": count_layers(shapes, "transformer.h."),
        }
        return {name: length for name, length in found.items() if length}

    @override
    def build(self, config: Gpt2Document, template: Template) -> GPT2LMHeadModel:
        return GPT2LMHeadModel(config.to_config())

    @override
    def network(self, model: Module, template: Template) -> Gpt2Network:
        assert isinstance(model, GPT2LMHeadModel)
        return Gpt2Network(model, template)
