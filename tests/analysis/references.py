"""What transformers' GPT-2 computes while it reads texts token by token, really edited: all that an analysis needs.

See `tests/inference/references/gpt2.py`; activations are watched behind the hooks that change them.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

import torch
from torch import Tensor
from transformers import DynamicCache, GPT2LMHeadModel

from playground.datasets import Template
from playground.interventions import ActivationIntervention, Intervention, WeightIntervention
from playground.worlds import state_text
from tests.inference.references.changes import active
from tests.inference.references.conditions import fill
from tests.inference.references.gpt2 import Decoder, Point

CONDITIONS = (
    "",
    "zero:L1;scale:L2.mlp~0.5",
    "mean:L2H3@>{last}..;force:{middle}=!",
    "patch:L1.resid@>{last}<{state};steer:embed~1.5@{first}..{middle}<{state}>{other}",
    "scale:L0.attn~2.5@>{last}..;zero:L2.resid[2:9]",
    "zero:L0H1;noise:L0.attn.W_Q~0.5#3@>{last}..;nuke:L2H1.W_O@{first}..{middle};flip:L1.attn.b_O",
    "noise:ln_final.w~0.5#7@>{last}..;flip:ln_final.b;noise:W_U~0.5#1@{first}..{middle}",
    "flip:W_E[:,0:9];noise:W_pos~1#2@{first}..{middle};noise:L2.mlp.W_out~1#4",
)
"""On what heads, layers, the stream, the readout and the embeddings do; everywhere, and at some tokens."""


def condition(text: str, template: Template) -> str:
    """Return a condition with the names and two states of a world."""
    states = template.world.states
    for name, state in (("{state}", states[len(states) // 2 + 1]), ("{other}", states[2])):
        text = text.replace(name, state_text(state))
    return fill(text, template)


@dataclass(frozen=True)
class Step:
    """What is computed while one token of each text is read.

    Args:
        model: with the weights that are in force.
        attentions: of each layer, state x head x key.
        logits: scores of the next token.
        values: what passes after all changes, by name: `embed`, and `z`, `attn`, `mlp`, `resid` with the layer's number.
    """

    model: GPT2LMHeadModel
    attentions: list[Tensor]
    logits: Tensor
    values: dict[str, Tensor] = field(default_factory=dict)


def read(decoder: Decoder, interventions: Sequence[Intervention], tokens: Tensor) -> list[Step]:
    """Return what is computed at every token of some texts."""
    template, steps, cache = decoder.template, [], DynamicCache()
    weights = active(interventions, WeightIntervention, template)
    activations = active(interventions, ActivationIntervention, template)
    for each in interventions:
        if isinstance(each, ActivationIntervention):
            decoder.known(each.site)  # Looked up before anything is changed.
    models = {(): decoder.model}
    with torch.no_grad():
        for position in range(template.length):
            if weights[position] not in models:
                models[weights[position]] = decoder._edited_copy(weights[position])
            model, values = models[weights[position]], {}
            with ExitStack() as stack:
                for each in activations[position]:
                    decoder._hook(stack, model, each, position)
                _watch(stack, model, values)
                result = model(
                    tokens[:, position : position + 1],
                    past_key_values=cache,
                    use_cache=True,
                    output_attentions=True,
                )
            attentions = [each[:, :, 0] for each in result.attentions]
            steps.append(Step(model, attentions, result.logits[:, 0], values))
    return steps


def _watch(stack: ExitStack, model: GPT2LMHeadModel, values: dict[str, Tensor]) -> None:
    points = {"embed": Point(model.transformer.drop, slice(None))}
    for layer, block in enumerate(model.transformer.h):
        points[f"z{layer}"] = Point(block.attn.c_proj, slice(None), incoming=True)
        points[f"attn{layer}"] = Point(block.attn, slice(None))
        points[f"mlp{layer}"] = Point(block.mlp, slice(None))
        points[f"resid{layer}"] = Point(block, slice(None))
    for name, point in points.items():
        stack.enter_context(point.hooked(lambda value, name=name: values.update({name: value[:, 0]})))
