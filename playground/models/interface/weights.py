"""Weights by name, and passes in which some weights have other values at some tokens.

The learnt tensors are never written to. At the tokens where an edit is in force, its layer computes with a changed
copy of the weight; at all others, with the weight itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass, field

import torch
from torch import Tensor
from torch.func import functional_call
from torch.nn import Module

from playground.models.interface.sites import Site


def as_it_is(tensor: Tensor) -> Tensor:
    """Return the tensor."""
    return tensor


@dataclass(frozen=True)
class Weight:
    """Where a named weight lies.

    Args:
        parameter: name of the parameter that it is a part of.
        view: returns, of a tensor with the parameter's shape, a view of the named part, oriented as its name says.
    """

    parameter: str
    view: Callable[[Tensor], Tensor] = as_it_is


@dataclass(frozen=True)
class WeightEdit:
    """A change of a named weight while some tokens are read.

    Args:
        weight: its name, without an index.
        positions: the tokens, in ascending order.
        change: takes the weight after earlier edits and returns it changed, without writing to its argument.
        index: which part of the weight that is; () for all of it.
    """

    weight: Site
    positions: tuple[int, ...]
    change: Callable[[Tensor], Tensor]
    index: tuple[slice, ...] = field(default=(), hash=False)


@dataclass(frozen=True)
class Regime:
    """What is in force at some tokens.

    Args:
        positions: the tokens, in ascending order.
        parameters: name of a parameter -> its edited copy.
    """

    positions: tuple[int, ...]
    parameters: Mapping[str, Tensor]


def regimes(
    edits: Sequence[WeightEdit], weights: Mapping[Site, Weight], parameters: Mapping[str, Tensor]
) -> tuple[Regime, ...]:
    """Return which weights are in force where; tokens without an edit belong to none.

    Edits of one parameter act in their order.
    """
    tokens: dict[tuple[WeightEdit, ...], list[int]] = {}
    for position in sorted({position for edit in edits for position in edit.positions}):
        active = tuple(edit for edit in edits if position in edit.positions)
        tokens.setdefault(active, []).append(position)
    found = []
    for active, positions in tokens.items():
        changed: dict[str, Tensor] = {}
        for edit in active:
            weight = weights[edit.weight]
            if weight.parameter not in changed:
                changed[weight.parameter] = parameters[weight.parameter].detach().clone()
            part = weight.view(changed[weight.parameter])[edit.index]
            part.copy_(edit.change(part))
        found.append(Regime(tuple(positions), changed))
    return tuple(found)


class InForce:
    """Finds which weights are in force where, once for the many passes of a run.

    Args:
        weights: of the model, by name.
        parameters: that these are parts of.
    """

    def __init__(self, weights: Mapping[Site, Weight], parameters: Mapping[str, Tensor]) -> None:
        self._weights, self._parameters = weights, parameters
        self._last: tuple[tuple[WeightEdit, ...], tuple[Regime, ...]] = ((), ())

    def __call__(self, edits: Sequence[WeightEdit]) -> tuple[Regime, ...]:
        """Return what `regimes` does, without recomputing it for the edits of the last call."""
        asked, found = self._last
        if edits is not asked:
            # A later caller may need gradients even if this one does not.
            with torch.inference_mode(mode=False), torch.no_grad():
                found = regimes(edits, self._weights, self._parameters)
            if isinstance(edits, tuple):
                self._last = edits, found
        return found


def edited_weight(
    site: Site,
    edits: Sequence[WeightEdit],
    weights: Mapping[Site, Weight],
    parameters: Mapping[str, Tensor],
) -> Tensor:
    """Return a copy of a named weight with every edit made that changes it, under any name and at any tokens."""
    name = weights[site].parameter
    changed = parameters[name].detach().clone()
    for edit in edits:
        if weights[edit.weight].parameter == name:
            part = weights[edit.weight].view(changed)[edit.index]
            part.copy_(edit.change(part))
    return weights[site].view(changed)


@dataclass(frozen=True)
class Layer:
    """A part of a model that treats every token alike, so that its weights can differ at some of them.

    Args:
        module: is called with whole texts and returns a value for each token.
        twin: computes the same from the same parameters, without hooks.
        names: name of a parameter in the model -> its name in the twin.
        axis: of the tokens in what the module returns.
        alone: whether its output for a token depends only on its input for that token, on the same axis.
    """

    module: Module
    twin: Module
    names: Mapping[str, str]
    axis: int = 1
    alone: bool = True


def make_layer(module: Module, leaf: Module, prefix: str, axis: int = 1, *, alone: bool = True) -> Layer:
    """Return a layer whose twin shares the parameters of `leaf`, a module without parts.

    Args:
        module: where the value passes; often the leaf itself.
        leaf: has the parameters.
        prefix: of their names in the model.
        axis: see `Layer`.
        alone: see `Layer`.
    """
    parameters = dict(leaf.named_parameters())
    # A copy that shares the parameters.
    twin = deepcopy(leaf, {id(each): each for each in parameters.values()})
    return Layer(module, twin, {f"{prefix}.{name}": name for name in parameters}, axis, alone)


@contextmanager
def layers_edited(layers: Sequence[Layer], found: Sequence[Regime], first: int = 0) -> Iterator[None]:
    """Have layers compute with the weights that are in force, as long as the block runs.

    Args:
        layers: of the model.
        found: what is in force where.
        first: position of the first token that passes.
    """
    with ExitStack() as stack:
        for layer in layers:
            changes = [
                (
                    regime.positions,
                    {
                        layer.names[name]: each
                        for name, each in regime.parameters.items()
                        if name in layer.names
                    },
                )
                for regime in found
            ]
            changes = [(positions, tensors) for positions, tensors in changes if tensors]
            if changes:
                stack.callback(layer.module.register_forward_hook(_replace_at(layer, changes, first)).remove)
        yield


def _replace_at(
    layer: Layer, changes: list[tuple[tuple[int, ...], dict[str, Tensor]]], first: int
) -> Callable:
    def hook(module: Module, arguments: tuple, output: Tensor) -> Tensor:
        output = output.clone()
        for positions, tensors in changes:
            columns = [position - first for position in positions]
            inside = [column for column in columns if 0 <= column < output.shape[layer.axis]]
            if not inside:
                continue
            where = torch.tensor(inside, dtype=torch.long, device=output.device)
            if layer.alone:
                # The other tokens need not be computed.
                some = arguments[0].index_select(layer.axis, where)
                output.index_copy_(layer.axis, where, functional_call(layer.twin, tensors, (some,)))
            else:
                computed = functional_call(layer.twin, tensors, arguments[:1])
                output.index_copy_(layer.axis, where, computed.index_select(layer.axis, where))
        return output

    return hook


@torch.inference_mode()
def sweep(model: Module, weight: Weight, tokens: Tensor, values: Tensor) -> Tensor:
    """Return what a model computes on texts with each of several values of one weight.

    What comes before the weight is computed once for all of them.

    Args:
        model: takes tokens alone and returns scores.
        weight: which part of which of its parameters.
        tokens: the same for all variants.
        values: variant x the weight's shape.
    """
    parameter = model.get_parameter(weight.parameter).detach()
    stack = parameter.expand(len(values), *parameter.shape).clone()
    for variant, value in zip(stack, values, strict=True):
        weight.view(variant).copy_(value)

    def compute(variant: Tensor) -> Tensor:
        # Tied weights stay apart: what is named is one of them.
        return functional_call(model, {weight.parameter: variant}, (tokens,), tie_weights=False)

    return torch.vmap(compute)(stack)
