"""GPT-2 (Radford et al. 2019): transformers' `GPT2LMHeadModel`, probed through TransformerLens.

With residual stream x, for each layer: x += attention(LayerNorm(x)), then x += MLP(LayerNorm(x)); the
logits are LayerNorm(x) times the transposed token embedding. The weights are used as they were trained:
no LayerNorm is folded and nothing is centred, so every number is transformers' own.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence

import torch
from jaxtyping import Int
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel
from typing_extensions import override

from playground.datasets import Template
from playground.models.network import Network, Pass
from playground.models.sites import PARTS, Edit, Place, Site

ARCHITECTURE = "gpt2"


def make_gpt2(
    template: Template, *, seed: int, width: int = 128, layers: int = 4, heads: int = 4
) -> GPT2LMHeadModel:
    """Return an untrained GPT-2 for the texts of `template`, with dropout as in `GPT2Config`.

    Args:
        template: gives the vocabulary and the number of positions.
        seed: of the initial weights.
        width: of the residual stream; a multiple of `heads`.
        layers: number of layers.
        heads: attention heads of each layer.
    """
    config = GPT2Config(
        vocab_size=len(template.vocabulary),
        n_positions=template.length,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        bos_token_id=None,
        eos_token_id=None,
    )
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return GPT2LMHeadModel(config)


class Gpt2Network(Network):
    """A trained GPT-2 under the hooks of TransformerLens' bridge.

    Args:
        model: the trained model. The bridge takes it apart: do not use it elsewhere.
        template: the form of its texts.
    """

    def __init__(self, model: GPT2LMHeadModel, template: Template) -> None:
        # Imported here: training needs none of it.
        from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

        self._template = template
        self._weights = dict(model.named_parameters())
        self._layers, self._heads = model.config.n_layer, model.config.n_head
        self._sites = tuple(
            site
            for layer in range(self._layers)
            for site in (
                *(Site(layer, head=head) for head in range(self._heads)),
                *(Site(layer, part=part) for part in PARTS),
                Site(layer),
            )
        )
        self._device = model.device
        self._bridge = build_bridge_from_module(
            model.eval(), architecture="GPT2LMHeadModel", hf_config=model.config
        )
        # Hooks are state of the module, so a pass with its hooks is one critical section.
        self._lock = threading.Lock()

    @property
    @override
    def architecture(self) -> str:
        return ARCHITECTURE

    @property
    @override
    def template(self) -> Template:
        return self._template

    @property
    @override
    def layers(self) -> int:
        return self._layers

    @property
    @override
    def heads(self) -> int:
        return self._heads

    @property
    @override
    def device(self) -> torch.device:
        return self._device

    @property
    @override
    def sites(self) -> tuple[Site, ...]:
        return self._sites

    @override
    def places(self, site: Site) -> tuple[Place, ...]:
        block = f"blocks.{site.layer}"
        if site.head is not None:
            return (Place(f"{block}.attn.hook_z", site.head),)
        parts = (site.part,) if site.part else PARTS
        return tuple(Place(f"{block}.hook_{part}_out") for part in parts)

    @property
    @override
    def pattern_hooks(self) -> tuple[str, ...]:
        return tuple(f"blocks.{layer}.attn.hook_pattern" for layer in range(self.layers))

    @override
    def forward(
        self, tokens: Int[Tensor, "row token"], edits: Sequence[Edit] = (), record: Sequence[str] = ()
    ) -> Pass:
        recorded: dict[str, Tensor] = {}

        def keep(name: str) -> Callable:
            def hook(value: Tensor, hook: object) -> None:
                recorded[name] = value

            return hook

        hooks: list[tuple[str | Callable, Callable]] = [
            (edit.hook, lambda value, hook, edit=edit: edit.change(value)) for edit in edits
        ]
        hooks += [(name, keep(name)) for name in record]
        with self._lock, torch.inference_mode():
            logits = self._bridge.run_with_hooks(tokens.to(self._device), fwd_hooks=hooks)
        return Pass(logits, recorded)

    @override
    def weights(self) -> Mapping[str, Tensor]:
        return self._weights
