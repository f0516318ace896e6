"""Numbers of the probe against transformers' own model, and against a real incremental decoder."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

from playground.inference import Model
from playground.interventions import Intervention, Mean, Zero, parse, parse_all

TOLERANCE = 1e-4

POSITIONS = ["", "@{last}", "@>{last}..", "@{first}..{middle}", "@..{middle}"]
SITES = [
    "L0H0",
    "L1H3",
    "L2H1",
    "L0.attn",
    "L1.attn",
    "L2.mlp",
    "L0.mlp",
    "L1.mlp[17]",
    "L0.mlp[3:40]",
    "L1",
    "L2",
]


@pytest.fixture(scope="module")
def reference(random_folder) -> GPT2LMHeadModel:
    return AutoModelForCausalLM.from_pretrained(random_folder, attn_implementation="eager").eval()


def fill(positions: str, model: Model) -> str:
    answers = model.world.answers
    return positions.format(first=model.world.inputs[0], middle=answers[0], last=answers[1])


@contextmanager
def edited(
    reference: GPT2LMHeadModel, intervention: Intervention, values: dict, position: int
) -> Iterator[None]:
    """Put the change of one intervention into transformers' modules, while they see position `position`.

    Heads: their part of what goes into c_proj. Neurons: what the nonlinearity returns. Attention and MLP: what comes out. Nothing of the code
    under test is used but the names of layer and head.
    """
    site = intervention.site
    block = reference.transformer.h[site.layer]
    size = reference.config.n_embd // reference.config.n_head
    zero = isinstance(intervention, Zero)

    def head(module, arguments):
        changed = arguments[0].clone()
        part = slice(site.head * size, (site.head + 1) * size)
        changed[..., part] = 0.0 if zero else values["z", site.layer][position, part]
        return (changed,)

    def neurons(module, arguments, result):
        changed, part = result.clone(), site.units.slice
        changed[..., part] = 0.0 if zero else values["neurons", site.layer][position, part]
        return changed

    def output(name):
        def hook(module, arguments, result):
            first = result[0] if isinstance(result, tuple) else result
            new = torch.zeros_like(first) if zero else values[name, site.layer][position].expand_as(first)
            return (new, *result[1:]) if isinstance(result, tuple) else new

        return hook

    with ExitStack() as stack:
        if site.head is not None:
            stack.callback(block.attn.c_proj.register_forward_pre_hook(head).remove)
        if site.units:
            stack.callback(block.mlp.act.register_forward_hook(neurons).remove)
        if site.head is None and site.part in (None, "attn"):
            stack.callback(block.attn.register_forward_hook(output("attn")).remove)
        if site.head is None and site.part in (None, "mlp") and not site.units:
            stack.callback(block.mlp.register_forward_hook(output("mlp")).remove)
        yield


def mean_values(reference: GPT2LMHeadModel, tokens: Tensor) -> dict:
    """Return the unedited means over all states, by module and layer, from transformers' modules."""
    values = {}
    with ExitStack() as stack, torch.no_grad():
        for layer, block in enumerate(reference.transformer.h):

            def keep_input(module, arguments, layer=layer):
                values["z", layer] = arguments[0].mean(0)

            def keep(name, layer):
                def hook(module, arguments, result):
                    first = result[0] if isinstance(result, tuple) else result
                    values[name, layer] = first.mean(0)

                return hook

            stack.callback(block.attn.c_proj.register_forward_pre_hook(keep_input).remove)
            stack.callback(block.attn.register_forward_hook(keep("attn", layer)).remove)
            stack.callback(block.mlp.act.register_forward_hook(keep("neurons", layer)).remove)
            stack.callback(block.mlp.register_forward_hook(keep("mlp", layer)).remove)
        reference(tokens)
    return values


def decode_with_cache(
    reference: GPT2LMHeadModel, prompts: Tensor, length: int, interventions: list, masks: list, values: dict
) -> tuple[Tensor, Tensor]:
    """Decode token by token with transformers' key-value cache; return texts and logits.

    The model is changed at the tokens at which an intervention acts and put back after them; keys and
    values of all other tokens stay as they were computed.
    """
    tokens, cache, logits = prompts, None, []
    with torch.no_grad():
        for position in range(length):
            with ExitStack() as stack:
                for intervention, mask in zip(interventions, masks, strict=True):
                    if mask[position]:
                        stack.enter_context(edited(reference, intervention, values, position))
                result = reference(tokens[:, position : position + 1], past_key_values=cache, use_cache=True)
            cache = result.past_key_values
            logits.append(result.logits)
            if position + 1 == tokens.shape[1] and position + 1 < length:
                tokens = torch.cat([tokens, result.logits[:, -1:].argmax(-1)], dim=1)
    return tokens, torch.cat(logits, dim=1)


def check(model: Model, reference: GPT2LMHeadModel, interventions: list[Intervention]) -> None:
    template = model.template
    prompts = torch.from_numpy(template.truth[:, : template.prompt_length])
    values = mean_values(reference, model.clean.tokens.clone())
    masks = [each.positions.mask(template) for each in interventions]
    tokens, logits = decode_with_cache(reference, prompts, template.length, interventions, masks, values)
    run = model.run(interventions)
    assert torch.equal(run.tokens, tokens)
    assert (run.logits - logits).abs().max() < TOLERANCE


def test_logits_and_attention_patterns(random_model, reference):
    tokens = random_model.clean.tokens.clone()
    with torch.no_grad():
        result = reference(tokens, output_attentions=True)
    assert (random_model.clean.logits - result.logits).abs().max() < TOLERANCE
    for hook, pattern in zip(random_model.network.pattern_hooks, result.attentions, strict=True):
        assert (random_model.clean.recorded[hook] - pattern).abs().max() < TOLERANCE


@pytest.mark.parametrize("kind", ["zero", "mean"])
@pytest.mark.parametrize("site", SITES)
@pytest.mark.parametrize("positions", POSITIONS)
def test_every_ablation_against_an_incremental_decoder(random_model, reference, kind, site, positions):
    check(random_model, reference, [parse(f"{kind}:{site}{fill(positions, random_model)}")])


def test_several_at_once_act_in_order(random_model, reference):
    last = random_model.world.answers[1]
    check(random_model, reference, list(parse_all(f"zero:L0H1;mean:L1.attn@>{last}..;zero:L2H0;mean:L2.mlp")))
    check(random_model, reference, list(parse_all("zero:L1H2;mean:L1H2")))
    check(random_model, reference, list(parse_all(f"mean:L1.mlp;zero:L1@{last}")))


def test_an_ablation_moves_something(random_model):
    """The comparisons above mean nothing if nothing is changed."""
    clean = random_model.clean.logits
    for site in SITES:
        for kind in ("zero", "mean"):
            assert (random_model.run(f"{kind}:{site}").logits - clean).abs().max() > 100 * TOLERANCE


def test_what_lies_before_the_positions_stays(random_model):
    model = random_model
    name = model.world.answers[1]
    start = model.template.positions[name] - 1
    run = model.run(f"zero:L1@>{name}..")
    assert torch.equal(run.tokens[:, : start + 1], model.clean.tokens[:, : start + 1])
    assert (run.logits[:, :start] - model.clean.logits[:, :start]).abs().max() < TOLERANCE
    assert (run.logits[:, start] - model.clean.logits[:, start]).abs().max() > 100 * TOLERANCE


def test_means_are_those_of_the_models_own_texts(random_model, reference):
    values = mean_values(reference, random_model.clean.tokens.clone())
    for layer in range(len(reference.transformer.h)):
        z = random_model.means[f"blocks.{layer}.attn.hook_z"].flatten(1)
        assert (z - values["z", layer]).abs().max() < TOLERANCE
        for name in ("attn", "mlp"):
            mean = random_model.means[f"blocks.{layer}.hook_{name}_out"]
            assert (mean - values[name, layer]).abs().max() < TOLERANCE
    assert np.isfinite([float(v.abs().max()) for v in values.values()]).all()
    assert {type(each) for each in parse_all("zero:L0;mean:L0")} == {Zero, Mean}
