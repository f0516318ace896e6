"""The named parts of a GPT-2 under TransformerLens' bridge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from torch import Tensor
from torch.nn import Module
from transformers import GPT2Config

from playground.models.interface.anatomy import Anatomy
from playground.models.interface.sites import ActivationMap, HookLocation, Site
from playground.models.interface.weights import Layer, Weight, as_it_is, make_layer


def dissect(config: GPT2Config, weights: Mapping[Site, Weight]) -> Anatomy:
    """Return the named parts of a GPT-2, given its weights by name."""
    layers, numbers = range(config.n_layer), range(config.n_head)
    maps = _maps_of(config.n_layer, config.n_embd, config.n_inner or 4 * config.n_embd)
    heads = {
        Site(layer, head=head): (
            config.n_embd // config.n_head,
            HookLocation(f"blocks.{layer}.attn.hook_z", (slice(head, head + 1),)),
        )
        for layer in layers
        for head in numbers
    }
    return Anatomy(
        maps=maps,
        heads=heads,
        wholes={Site(layer): (Site(layer, part="attn"), Site(layer, part="mlp")) for layer in layers},
        weights=weights,
        embedding=Site(part="W_E"),
        elements=tuple(heads),
        element_noun="head",
        interchange_sites=(*(each.site for each in maps), *heads),
        readout=(maps[-1].site,),
        pattern_hooks=tuple(f"blocks.{layer}.attn.hook_pattern" for layer in layers),
        # Adding the same vector to all keys shifts all scores of a query equally, which softmax ignores.
        cancelled=frozenset(site for site in weights if (site.part or "").removeprefix("attn.") == "b_K"),
    )


def _maps_of(layers: int, width: int, neurons: int) -> tuple[ActivationMap, ...]:
    """Return the activations of a GPT-2 that can be drawn as units x tokens."""

    def stream(site: Site, hook: str, title: str, *, adds: bool = False) -> ActivationMap:
        return ActivationMap(site, hook, title, width, "dimension", adds=adds)

    found = [stream(Site(part="embed"), "blocks.0.hook_resid_pre", "embedding and position")]
    for layer in range(layers):
        block = f"blocks.{layer}"
        mlp = ActivationMap(
            Site(layer, part="mlp"),
            f"{block}.mlp.hook_post",
            "neurons of the MLP",
            neurons,
            "neuron",
            whole_hook=f"{block}.hook_mlp_out",
            adds=True,
            privileged=True,
        )
        found += [
            stream(Site(layer, part="attn"), f"{block}.hook_attn_out", "what attention adds", adds=True),
            mlp,
            stream(Site(layer, part="resid"), f"{block}.hook_resid_post", "residual stream"),
        ]
    return tuple(found)


def find_weights(bridge: Module, heads: int) -> tuple[dict[Site, Weight], tuple[Layer, ...]]:
    """Return the weights of a bridge under TransformerLens' names, and the layers that they belong to."""
    names = {id(module): name for name, module in bridge.named_modules()}
    weights: dict[Site, Weight] = {}
    layers: list[Layer] = []

    def add(component: Any, named: Mapping[Site, tuple[str, Callable]], *, whole: bool = False) -> None:
        """Take a component's weights; `whole` if it computes with them itself, not through its leaf."""
        leaf = component.original_component
        prefix = names[id(leaf)]
        layers.append(make_layer(component if whole else leaf, leaf, prefix))
        for site, (name, view) in named.items():
            weights[site] = Weight(f"{prefix}.{name}", view)

    def split(site: str, layer: int, name: str, by_head: Callable) -> dict[Site, tuple[str, Callable]]:
        """Return a weight of all heads of a layer together, and each head's part of it."""
        shared = {Site(layer, part=f"attn.{site}"): (name, by_head)}
        return shared | {
            Site(layer, head, site): (name, lambda tensor, head=head: by_head(tensor)[head])
            for head in range(heads)
        }

    def rows(tensor: Tensor) -> Tensor:
        return tensor.unflatten(0, (heads, -1))

    add(bridge.embed, {Site(part="W_E"): ("weight", as_it_is)})
    add(bridge.pos_embed, {Site(part="W_pos"): ("weight", as_it_is)})
    for layer, block in enumerate(bridge.blocks):  # pyright: ignore[reportArgumentType]
        for norm in ("ln1", "ln2"):
            add(getattr(block, norm), _norm_weights(layer, norm), whole=True)
        for name in ("q", "k", "v"):
            matrix = split(f"W_{name.upper()}", layer, "weight", lambda tensor: rows(tensor).mT)
            add(getattr(block.attn, name), matrix | split(f"b_{name.upper()}", layer, "bias", rows))
        output = split("W_O", layer, "weight", rows)
        add(block.attn.o, output | {Site(layer, part="attn.b_O"): ("bias", as_it_is)})
        for name in ("in", "out"):
            matrix = {Site(layer, part=f"mlp.W_{name}"): ("weight", as_it_is)}
            add(getattr(block.mlp, name), matrix | {Site(layer, part=f"mlp.b_{name}"): ("bias", as_it_is)})
    add(bridge.ln_final, _norm_weights(None, "ln_final"), whole=True)
    add(bridge.unembed, {Site(part="W_U"): ("weight", lambda tensor: tensor.mT)})
    return weights, tuple(layers)


def _norm_weights(layer: int | None, name: str) -> dict[Site, tuple[str, Callable]]:
    return {
        Site(layer, part=f"{name}.w"): ("weight", as_it_is),
        Site(layer, part=f"{name}.b"): ("bias", as_it_is),
    }


def acting_tokens(site: Site, position: int, layers: int) -> tuple[int, ...]:
    """Return the tokens at which a change of a part can change the scores at a position, see `Network.acting_tokens`.

    Later tokens can see everything below the last layer, and the last layer's keys and values.

    Args:
        site: an activation or a weight; `W_pos` stands for all its rows.
        position: of the token whose next-token scores are meant.
        layers: number of layers.
    """
    seen, own = tuple(range(position + 1)), (position,)
    name = (site.part or "").removeprefix("attn.").removeprefix("mlp.")
    if site.layer is None:
        return own if name == "W_U" or name.startswith("ln_final") else seen
    if name in ("W_K", "b_K"):
        # The first token attends only to itself, whatever its key is.
        return seen if position else ()
    if name in ("W_V", "b_V") or name.startswith("ln1"):
        return seen
    written = seen if site.layer < layers - 1 else own
    return tuple(token for token in written if token or name not in ("W_Q", "b_Q"))
