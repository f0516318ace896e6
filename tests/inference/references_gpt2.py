"""A real incremental decoder: transformers' GPT-2 with its key-value cache, really edited while it writes.

Before a token at which a weight is another, the model is exchanged for a deep copy whose weights have been
written to, and both go on with the same cache; activations are changed by hooks in transformers' own
modules, which are there while the token is read. Nothing of the code under test is used but the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from torch import Tensor
from torch.nn import Module, Parameter
from transformers import DynamicCache, GPT2LMHeadModel

from playground.datasets import Template
from playground.interventions import ActivationIntervention, Intervention, WeightIntervention
from playground.models import Site
from tests.inference.references_changes import active, change_value, change_weight, forced_tokens


@dataclass(frozen=True)
class Point:
    """Where an activation is found in transformers' modules.

    Args:
        module: computes it.
        units: which of the numbers there.
        incoming: whether it is what goes into the module, rather than what comes out.
    """

    module: Module
    units: slice
    incoming: bool = False

    @contextmanager
    def hooked(self, change) -> Iterator[None]:
        """Have `change` look at the values, row x token x unit, and return others or None."""

        def before(module, arguments):
            changed = change(arguments[0])
            return None if changed is None else (changed, *arguments[1:])

        def after(module, arguments, result):
            whole = result if isinstance(result, tuple) else (result,)
            changed = change(whole[0])
            if changed is None:
                return None
            return (changed, *whole[1:]) if isinstance(result, tuple) else changed

        register = (
            self.module.register_forward_pre_hook if self.incoming else self.module.register_forward_hook
        )
        handle = register(before if self.incoming else after)
        try:
            yield
        finally:
            handle.remove()


def find_points(model: GPT2LMHeadModel, site: Site) -> list[Point]:
    """Return where an activation is found; a whole layer is what its attention and its MLP add."""
    chosen = site.slices[0] if site.index else slice(None)
    if site.part == "embed":
        return [Point(model.transformer.drop, chosen)]
    block = model.transformer.h[site.layer]
    if site.head is not None:
        size = model.config.n_embd // model.config.n_head
        units = range(site.head * size, (site.head + 1) * size)[chosen]
        return [Point(block.attn.c_proj, slice(units.start, units.stop), incoming=True)]
    match site.part:
        case "mlp" if site.index:
            return [Point(block.mlp.act, chosen)]
        case "attn" | "mlp":
            return [Point(getattr(block, site.part), chosen)]
        case "resid":
            return [Point(block, chosen)]
        case None:
            return [Point(block.attn, chosen), Point(block.mlp, chosen)]
        case part:
            raise AssertionError(part)


def find_weight(model: GPT2LMHeadModel, site: Site) -> np.ndarray:
    """Return a weight by TransformerLens' name: a view of transformers' fused and transposed tensors.

    `c_attn.weight` has the queries of all heads in its first columns, then keys, then values.
    """
    transformer, width = model.transformer, model.config.n_embd
    size = width // model.config.n_head

    def own(tensor: Tensor) -> np.ndarray:
        return tensor.detach().numpy()

    match site.part:
        case "W_E":
            return own(transformer.wte.weight)
        case "W_pos":
            return own(transformer.wpe.weight)
        case "W_U":
            return own(model.lm_head.weight).T
        case "ln_final.w":
            return own(transformer.ln_f.weight)
        case "ln_final.b":
            return own(transformer.ln_f.bias)
    block, part = transformer.h[site.layer], site.part.removeprefix("attn.")
    heads = range(model.config.n_head) if site.head is None else [site.head]
    match part:
        case "ln1.w" | "ln1.b" | "ln2.w" | "ln2.b":
            norm = block.ln_1 if part.startswith("ln1") else block.ln_2
            return own(norm.weight if part.endswith("w") else norm.bias)
        case "mlp.W_in":
            return own(block.mlp.c_fc.weight)
        case "mlp.b_in":
            return own(block.mlp.c_fc.bias)
        case "mlp.W_out":
            return own(block.mlp.c_proj.weight)
        case "mlp.b_out":
            return own(block.mlp.c_proj.bias)
        case "b_O":
            return own(block.attn.c_proj.bias)
        case "W_O":
            by_head = own(block.attn.c_proj.weight).reshape(-1, size, width)
        case "W_Q" | "W_K" | "W_V":
            start = "QKV".index(part[-1]) * width
            columns = own(block.attn.c_attn.weight)[:, start : start + width]
            by_head = columns.reshape(width, -1, size).transpose(1, 0, 2)
        case _:
            start = "QKV".index(part[-1]) * width
            by_head = own(block.attn.c_attn.bias)[start : start + width].reshape(-1, size)
    return by_head if site.head is None else by_head[heads[0]]


class Decoder:
    """Transformers' model, decoding the states of a world one token at a time.

    Args:
        model: the reference; it stays as it is.
        template: the form of the texts.
    """

    def __init__(self, model: GPT2LMHeadModel, template: Template) -> None:
        # In double precision: what differs is then the library's own rounding.
        self.model, self.template = deepcopy(model).double().eval(), template
        self.prompts = torch.from_numpy(template.truth[:, : template.prompt_length])
        self._known: dict[Site, list[Tensor]] = {}

    @cached_property
    def clean(self) -> tuple[Tensor, Tensor]:
        """What the unedited model writes in every state, and its scores."""
        return self.write(())

    def known(self, site: Site) -> list[Tensor]:
        """Return the unedited values of an activation, state x token x unit, at each of its points."""
        if site not in self._known:
            kept: list[Tensor] = []
            with ExitStack() as stack, torch.no_grad():
                for point in find_points(self.model, site):
                    units = point.units
                    stack.enter_context(
                        point.hooked(lambda value, units=units: kept.append(value[..., units]))
                    )
                self.model(self.clean[0])
            self._known[site] = kept
        return self._known[site]

    def write(
        self, interventions: Sequence[Intervention], given: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return what is written behind the beginnings `given`, or the prompts; and the scores."""
        for each in interventions:
            if isinstance(each, ActivationIntervention):
                self.known(each.site)  # Looked up before anything is changed.
        tokens, cache, logits = self.prompts if given is None else given, DynamicCache(), []
        forced = forced_tokens(interventions, self.template)
        models = {(): self.model}
        with torch.no_grad():
            for position in range(self.template.length):
                weights = tuple(active(interventions, WeightIntervention, self.template, position))
                if weights not in models:
                    models[weights] = self._edited_copy(weights)
                activations = active(interventions, ActivationIntervention, self.template, position)
                with ExitStack() as stack:
                    for each in activations:
                        self._hook(stack, models[weights], each, position)
                    result = models[weights](
                        tokens[:, position : position + 1], past_key_values=cache, use_cache=True
                    )
                scores = result.logits[:, -1]
                logits.append(scores)
                if position + 1 == tokens.shape[1] and position + 1 < self.template.length:
                    written = scores.argmax(-1)
                    if position + 1 in forced:
                        written = torch.tensor([forced[position + 1](row) for row in scores])
                    tokens = torch.cat([tokens, written[:, None]], 1)
        return tokens, torch.stack(logits, 1)

    def _edited_copy(self, interventions: Sequence[WeightIntervention]) -> GPT2LMHeadModel:
        model = deepcopy(self.model)
        # The two matrices are one tensor; what is named is one of them.
        model.lm_head.weight = Parameter(model.lm_head.weight.detach().clone())
        for each in interventions:
            whole = each.site.whole
            view = find_weight(model, whole)
            assert any(np.shares_memory(view, own.detach().numpy()) for own in model.parameters())
            change_weight(each, view, find_weight(self.model, whole))
        return model

    def _hook(
        self, stack: ExitStack, model: GPT2LMHeadModel, intervention: ActivationIntervention, position: int
    ) -> None:
        known = self.known(intervention.site)
        for point, values in zip(find_points(model, intervention.site), known, strict=True):

            def change(value: Tensor, units: slice = point.units, values: Tensor = values) -> Tensor:
                changed = value.clone()
                changed[:, 0, units] = change_value(
                    intervention, value[:, 0, units], values[:, position], self.template.world.states
                )
                return changed

            stack.enter_context(point.hooked(change))
