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
    """Return the tensor unchanged."""
    return tensor


@dataclass(frozen=True)
class Weight:
    """Where a named weight lies.

    Args:
        parameter: name of the parameter that it is a part of.
        view: takes a tensor of the parameter's shape and returns a view of the named part, oriented as its name says.
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
        index: the part of the weight that changes; () for all of it.
    """

    weight: Site
    positions: tuple[int, ...]
    change: Callable[[Tensor], Tensor]
    index: tuple[slice, ...] = field(default=(), hash=False)


@dataclass(frozen=True)
class Regime:
    """The edited parameters in force at some tokens.

    Args:
        positions: the tokens, in ascending order.
        parameters: name of a parameter -> its edited copy.
    """

    positions: tuple[int, ...]
    parameters: Mapping[str, Tensor]


class NamedWeights:
    """The learnt weights of a model by name, and their edited copies.

    Args:
        places: where each weight lies.
        module: has the parameters.

    Attributes:
        values: the weights, oriented as their names say.
    """

    def __init__(self, places: Mapping[Site, Weight], module: Module) -> None:
        self._places = places
        names = dict.fromkeys(weight.parameter for weight in places.values())
        self._parameters = {name: module.get_parameter(name).detach() for name in names}
        self.values = {
            site: weight.view(self._parameters[weight.parameter]) for site, weight in places.items()
        }
        self._last: tuple[tuple[WeightEdit, ...], tuple[Regime, ...]] = ((), ())

    def in_force(self, edits: Sequence[WeightEdit]) -> tuple[Regime, ...]:
        """Return the edited weights, grouped by the tokens where they apply; tokens without edits are in no group.

        The many passes of a run have the same edits, so the result of the last call is cached.
        """
        asked, found = self._last
        if edits is not asked:
            # A later caller may need gradients even if this one does not.
            with torch.inference_mode(mode=False), torch.no_grad():
                found = self._regimes(edits)
            if isinstance(edits, tuple):
                self._last = edits, found
        return found

    def _regimes(self, edits: Sequence[WeightEdit]) -> tuple[Regime, ...]:
        tokens: dict[tuple[WeightEdit, ...], list[int]] = {}
        for position in sorted({position for edit in edits for position in edit.positions}):
            active = tuple(edit for edit in edits if position in edit.positions)
            tokens.setdefault(active, []).append(position)
        return tuple(Regime(tuple(positions), self._changed(active)) for active, positions in tokens.items())

    def edited(self, site: Site, edits: Sequence[WeightEdit]) -> Tensor:
        """Return a copy of a named weight with all edits that change it, under any name and at any tokens."""
        weight = self._places[site]
        own = [edit for edit in edits if self._places[edit.weight].parameter == weight.parameter]
        changed = self._changed(own).get(weight.parameter)
        return weight.view(self._parameters[weight.parameter].clone() if changed is None else changed)

    def _changed(self, edits: Sequence[WeightEdit]) -> dict[str, Tensor]:
        """Return edited copies of the parameters that change, with the edits made in their order."""
        changed: dict[str, Tensor] = {}
        for edit in edits:
            weight = self._places[edit.weight]
            if weight.parameter not in changed:
                changed[weight.parameter] = self._parameters[weight.parameter].clone()
            part = weight.view(changed[weight.parameter])[edit.index]
            part.copy_(edit.change(part))
        return changed


@dataclass(frozen=True)
class Layer:
    """A part of a model that treats every token alike, so that its weights can differ at some tokens.

    Args:
        module: is called with whole texts and returns a value for each token.
        twin: computes the same from the same parameters, without hooks.
        names: name of a parameter in the model -> its name in the twin.
        axis: token axis of the module's output.
        alone: whether the output at a token depends only on the input at that token; both have the same token axis.
    """

    module: Module
    twin: Module
    names: Mapping[str, str]
    axis: int = 1
    alone: bool = True


def make_layer(module: Module, leaf: Module, prefix: str, axis: int = 1, *, alone: bool = True) -> Layer:
    """Return a layer whose twin shares the parameters of `leaf`, a module without submodules.

    Args:
        module: the module whose output changes; often the leaf itself.
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
    """Make layers compute with the weights in force, inside a `with` block.

    Args:
        layers: of the model.
        found: the edited parameters, with their tokens.
        first: position of the first token of the pass.
    """
    with ExitStack() as stack:
        for layer in layers:
            changes = []
            for regime in found:
                tensors = {
                    layer.names[name]: each for name, each in regime.parameters.items() if name in layer.names
                }
                if tensors:
                    changes.append((regime.positions, tensors))
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
    """Return a model's scores on texts, for each of several values of one weight.

    Everything before the weight is computed only once.

    Args:
        model: takes only tokens and returns scores.
        weight: the part of a parameter.
        tokens: the same for all variants.
        values: variant x the weight's shape.
    """
    parameter = model.get_parameter(weight.parameter).detach()
    stack = parameter.expand(len(values), *parameter.shape).clone()
    for variant, value in zip(stack, values, strict=True):
        weight.view(variant).copy_(value)

    def compute(variant: Tensor) -> Tensor:
        # Tied weights are varied separately: the name means only one of them.
        return functional_call(model, {weight.parameter: variant}, (tokens,), tie_weights=False)

    return torch.vmap(compute)(stack)
