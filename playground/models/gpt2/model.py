"""GPT-2 (Radford et al. 2019): transformers' `GPT2LMHeadModel`, probed through TransformerLens.

With residual stream x, for each layer: x += attention(LayerNorm(x)), then x += MLP(LayerNorm(x)); the
logits are LayerNorm(x) times the transposed token embedding. The weights are used as they were trained:
no LayerNorm is folded and nothing is centred, so every number is transformers' own.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch
import transformers
from jaxtyping import Bool, Float, Int
from torch import Tensor
from torch.nn import GELU, Module
from transformers import DynamicCache, GenerationConfig, GPT2Config, GPT2LMHeadModel
from typing_extensions import override

from playground.datasets import Template
from playground.errors import Fault, count_of
from playground.models.gpt2.config import Gpt2Document, check_config, read_gpt2_config
from playground.models.gpt2.layers import Gpt2Layers
from playground.models.gpt2.parts import acting_tokens, find_weights, maps_of
from playground.models.gpt2.trace import Gpt2Trace
from playground.models.gpt2.trainer import Gpt2Ensemble
from playground.models.interface.architecture import Architecture, Size, axis, count_layers
from playground.models.interface.hooks import hooks_for
from playground.models.interface.network import Cache, Network
from playground.models.interface.sites import ActivationMap, Edit, HookLocation, Site
from playground.models.interface.trace import Pass, PassTrace, Trace
from playground.models.interface.weights import InForce, WeightEdit, edited_weight, layers_edited, sweep
from playground.seeds import check_seed


class KeysAndValues(Cache):
    """Keys and values of every layer and head, as transformers keeps them."""

    def __init__(self) -> None:
        self.inner = DynamicCache()

    @property
    @override
    def length(self) -> int:
        return self.inner.get_seq_length()

    @override
    def keep(self, rows: Int[Tensor, " kept"], length: int) -> None:
        self.inner.batch_select_indices(rows)
        if length < self.length:
            self.inner.crop(length - self.length)


class Gpt2Network(Network):
    """A trained GPT-2 under the hooks of TransformerLens' bridge.

    Args:
        model: the trained model. The bridge takes it apart: do not use it elsewhere.
        template: the form of its texts.

    Raises:
        RequestError: if its configuration has settings that are not honoured, see `gpt2_config`.
    """

    def __init__(self, model: GPT2LMHeadModel, template: Template) -> None:
        check_config(model.config)
        # Imported here: training needs none of it.
        from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

        self._template = template
        self._parameters = dict(model.named_parameters())
        self._device = model.device
        _fuse_nonlinearities(model)
        self._bridge = build_bridge_from_module(
            model.eval(), architecture="GPT2LMHeadModel", hf_config=model.config
        )
        self._config = config = model.config
        layers, heads = range(config.n_layer), range(config.n_head)
        self._heads = tuple(Site(layer, head=head) for layer in layers for head in heads)
        self._patterns = tuple(f"blocks.{layer}.attn.hook_pattern" for layer in layers)
        self._maps = maps_of(config.n_layer, config.n_embd, config.n_inner or 4 * config.n_embd)
        self._sites = {each.site: each.shape for each in self._maps}
        self._sites |= dict.fromkeys(self._heads, (config.n_embd // config.n_head,))
        self._sites |= {Site(layer): () for layer in layers}
        self._weights, self._layers = find_weights(self._bridge, config.n_head)
        self._tensors = {
            weight.parameter: self._bridge.get_parameter(weight.parameter).detach()
            for weight in self._weights.values()
        }
        self._named = {
            site: weight.view(self._tensors[weight.parameter]) for site, weight in self._weights.items()
        }
        self._in_force = InForce(self._weights, self._tensors)
        # Hooks are state of the module, so a pass with its hooks is one critical section.
        self._lock = threading.Lock()

    @property
    @override
    def architecture(self) -> str:
        return Gpt2.name

    @property
    @override
    def template(self) -> Template:
        return self._template

    @property
    @override
    def device(self) -> torch.device:
        return self._device

    @property
    @override
    def sites(self) -> Mapping[Site, tuple[int, ...]]:
        return self._sites

    @property
    @override
    def weights(self) -> Mapping[Site, Tensor]:
        return self._named

    @override
    def edited_weight(self, weight: Site, edits: Sequence[WeightEdit]) -> Tensor:
        return edited_weight(weight, edits, self._weights, self._tensors)

    @property
    @override
    def embedding(self) -> Site:
        return Site(part="W_E")

    @override
    def acting_tokens(
        self, site: Site, meant: Bool[np.ndarray, ...] | None, position: int
    ) -> tuple[int, ...]:
        found = acting_tokens(site, position, self._config.n_layer)
        if site.part != "W_pos" or meant is None:
            return found
        rows = np.arange(len(self._named[site.whole]))[site.slices[:1]][meant.any(axis=1)]
        return tuple(token for token in found if token in rows)

    @override
    def cancels(self, weight: Site, tokens: Sequence[int], position: int) -> bool:
        # What is added to all keys that a query sees adds the same to all its scores, which softmax passes over.
        name = (weight.part or "").removeprefix("attn.")
        return name == "b_K" and set(range(position + 1)) <= set(tokens)

    @property
    @override
    def elements(self) -> tuple[Site, ...]:
        return self._heads

    @property
    @override
    def element_noun(self) -> str:
        return "head"

    @override
    def receptive_field(self, drawn: ActivationMap, position: int) -> tuple[int, ...]:
        return tuple(range(position + 1))

    @override
    def hook_locations(self, site: Site) -> tuple[HookLocation, ...]:
        block = f"blocks.{site.layer}"
        if site.head is not None:
            return (HookLocation(f"{block}.attn.hook_z", (slice(site.head, site.head + 1), *site.slices)),)
        match site.part:
            case "embed":
                return (HookLocation("blocks.0.hook_resid_pre", site.slices),)
            case "resid":
                return (HookLocation(f"{block}.hook_resid_post", site.slices),)
            case "mlp" if site.index:
                return (HookLocation(f"{block}.mlp.hook_post", site.slices),)
            case "attn" | "mlp":
                return (HookLocation(f"{block}.hook_{site.part}_out", site.slices),)
            case _:
                return tuple(HookLocation(f"{block}.hook_{part}_out") for part in ("attn", "mlp"))

    @property
    @override
    def pattern_hooks(self) -> tuple[str, ...]:
        return self._patterns

    @property
    @override
    def maps(self) -> tuple[ActivationMap, ...]:
        return self._maps

    @override
    def forward(
        self,
        tokens: Int[Tensor, "row token"],
        edits: Sequence[Edit] = (),
        record: Sequence[str] = (),
        weights: Sequence[WeightEdit] = (),
        cache: Cache | None = None,
    ) -> Pass:
        with torch.inference_mode():
            return self._compute(tokens, edits, record, weights, cache)

    def _compute(
        self,
        tokens: Int[Tensor, "row token"],
        edits: Sequence[Edit],
        record: Sequence[str],
        weights: Sequence[WeightEdit],
        cache: Cache | None = None,
    ) -> Pass:
        recorded: dict[str, Tensor] = {}
        first, options = 0, {}
        if cache is not None:
            assert isinstance(cache, KeysAndValues), "caches are those of `make_cache`"
            first, options = cache.length, {"past_key_values": cache.inner, "use_cache": True}
        hooks = hooks_for(edits, record, recorded, first)
        with self._lock, layers_edited(self._layers, self._in_force(weights), first):
            logits = self._bridge.run_with_hooks(tokens.to(self._device), fwd_hooks=hooks, **options)
        return Pass(logits, recorded)

    def layers(self, edits: Sequence[Edit] = (), weights: Sequence[WeightEdit] = ()) -> Gpt2Layers:
        """Return what the model computes layer by layer, with weights that are others at all tokens."""
        named = {site: self.edited_weight(site, weights) for site in self._named} if weights else self._named
        return Gpt2Layers(self._config, named, edits)

    @override
    def trace(
        self,
        tokens: Int[Tensor, "row token"],
        edits: Sequence[Edit] = (),
        weights: Sequence[WeightEdit] = (),
    ) -> Trace:
        tokens = tokens.to(self._device)
        if all(len(each.positions) == self._template.length for each in weights):
            return Gpt2Trace(self.layers(edits, weights), tokens)
        hooks = {place.hook: None for site in self._sites for place in self.hook_locations(site)}
        hooks |= {f"blocks.{layer}.hook_mlp_out": None for layer in range(self._config.n_layer)}
        return PassTrace(
            tokens,
            list(hooks),
            lambda tokens, more, record: self._compute(tokens, (*edits, *more), record, weights),
        )

    @override
    def make_cache(self) -> KeysAndValues:
        return KeysAndValues()

    @override
    def sweep(
        self, tokens: Int[Tensor, "row token"], weight: Site, values: Float[Tensor, "variant ..."]
    ) -> Float[Tensor, "variant row token vocabulary"]:
        with self._lock:
            return sweep(self._bridge, self._weights[weight], tokens.to(self._device), values)

    @override
    def parameters(self) -> Mapping[str, Tensor]:
        return self._parameters


def _fuse_nonlinearities(model: GPT2LMHeadModel) -> None:
    """Have GELU, which transformers composes of eight operations, computed by one: a third of a pass."""
    if model.config.activation_function == "gelu_new":
        for block in model.transformer.h:
            block.mlp.act = GELU(approximate="tanh")  # pyright: ignore[reportAttributeAccessIssue]


class Gpt2(Architecture):
    """GPT-2: width 128, four layers of four heads unless said; saved as transformers saves it."""

    name: ClassVar[str] = "gpt2"
    title: ClassVar[str] = "GPT-2"
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
        transformers.utils.logging.disable_progress_bar()  # It would write over the training's own.
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
