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
from tests.inference.references.changes import active, change_value, change_weight, forced_tokens


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
    transformer, width, heads = model.transformer, model.config.n_embd, model.config.n_head
    if site.layer is None:
        return {
            "W_E": _own(transformer.wte.weight),
            "W_pos": _own(transformer.wpe.weight),
            "W_U": _own(model.lm_head.weight).T,
            "ln_final.w": _own(transformer.ln_f.weight),
            "ln_final.b": _own(transformer.ln_f.bias),
        }[site.part]
    block = transformer.h[site.layer]
    whole = {
        "ln1.w": block.ln_1.weight,
        "ln1.b": block.ln_1.bias,
        "ln2.w": block.ln_2.weight,
        "ln2.b": block.ln_2.bias,
        "mlp.W_in": block.mlp.c_fc.weight,
        "mlp.b_in": block.mlp.c_fc.bias,
        "mlp.W_out": block.mlp.c_proj.weight,
        "mlp.b_out": block.mlp.c_proj.bias,
        "attn.b_O": block.attn.c_proj.bias,
    }
    if site.part in whole:
        return _own(whole[site.part])
    sort, letter = site.part.removeprefix("attn.").split("_")
    if letter == "O":
        by_head = _own(block.attn.c_proj.weight).reshape(heads, -1, width)
    else:
        columns = slice("QKV".index(letter) * width, ("QKV".index(letter) + 1) * width)
        if sort == "W":
            by_head = _own(block.attn.c_attn.weight)[:, columns].reshape(width, heads, -1).transpose(1, 0, 2)
        else:
            by_head = _own(block.attn.c_attn.bias)[columns].reshape(heads, -1)
    return by_head if site.head is None else by_head[site.head]


def _own(tensor: Tensor) -> np.ndarray:
    """Return a tensor's own numbers: who writes to them writes to the model."""
    return tensor.detach().numpy()


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
    def baseline_run(self) -> tuple[Tensor, Tensor, DynamicCache]:
        """What the unedited model writes in every state, its scores, and the cache that it leaves behind."""
        cache = DynamicCache()
        return *self._go_on((), self.prompts, [], cache), cache

    def known(self, site: Site) -> list[Tensor]:
        """Return the unedited values of an activation, state x token x unit, at each of its points."""
        if site not in self._known:
            kept: list[Tensor] = []
            texts = self.baseline_run[0]
            with ExitStack() as stack, torch.no_grad():
                for point in find_points(self.model, site):
                    units = point.units
                    stack.enter_context(
                        point.hooked(lambda value, units=units: kept.append(value[..., units]))
                    )
                self.model(texts)
            self._known[site] = kept
        return self._known[site]

    def write(
        self, interventions: Sequence[Intervention], given: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return what is written behind the beginnings `given`, or the prompts; and the scores."""
        for each in interventions:
            if isinstance(each, ActivationIntervention):
                self.known(each.site)  # Looked up before anything is changed.
        if given is not None:
            return self._go_on(interventions, given, [], DynamicCache())
        # Until something acts a decoder does what the unedited one did.
        start = min(each.positions.mask(self.template).argmax() for each in interventions)
        tokens, logits, cache = self.baseline_run
        cache = deepcopy(cache)
        cache.crop(int(start) - self.template.length)
        begun = tokens[:, : max(start + 1, self.template.prompt_length)]
        return self._go_on(interventions, begun, list(logits[:, :start].unbind(1)), cache)

    def _go_on(
        self,
        interventions: Sequence[Intervention],
        tokens: Tensor,
        logits: list[Tensor],
        cache: DynamicCache,
    ) -> tuple[Tensor, Tensor]:
        """Return texts and scores, after the tokens whose scores there are and whose keys are in the cache."""
        forced = forced_tokens(interventions, self.template)
        weights = active(interventions, WeightIntervention, self.template)
        activations = active(interventions, ActivationIntervention, self.template)
        models = {(): self.model}
        with torch.no_grad():
            for position in range(len(logits), self.template.length):
                if weights[position] not in models:
                    models[weights[position]] = self._edited_copy(weights[position])
                model = models[weights[position]]
                with ExitStack() as stack:
                    for each in activations[position]:
                        self._hook(stack, model, each, position)
                    result = model(tokens[:, position : position + 1], past_key_values=cache, use_cache=True)
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
            assert any(np.shares_memory(view, _own(own)) for own in model.parameters())
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
