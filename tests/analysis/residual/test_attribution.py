"""Direct logit attribution against TransformerLens' own, against transformers' modules, and by hand."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module
from transformer_lens.tools.analysis import direct_logit_attribution

from playground.analysis import measure_attribution
from playground.analysis.base.answers import chained_answers
from playground.interventions import parse_all
from tests.analysis.references import CONDITIONS, Step, condition
from tests.inference.references.baselines import Decoder as BaselineDecoder
from tests.models.references import as_arrays

TOLERANCE = 1e-4
ROWS = (5, -1)
"""States that the baselines' equations are written out for, which takes its time."""

CHANGED = {
    CONDITIONS[1]: ("L1.attn",),
    CONDITIONS[3]: ("L1.resid", "embed"),
    CONDITIONS[4]: ("L0.attn", "L2.resid"),
}
"""Where the interventions put something in the place of what the parts add up to."""

BASELINE_CONDITIONS = (
    "",
    "scale:L1.{unit}~1.5@>{last}..",
    "zero:L0;noise:embed.weight~0.5#5",
    "noise:unembed.weight~0.5#3@{first}..{middle};flip:unembed.bias@>{last}..",
    "patch:{patched}@>{middle}..<{state}",
)


def bridge_of(reference):
    return build_bridge_from_module(deepcopy(reference), "GPT2LMHeadModel", hf_config=reference.config)


def named(attribution, *, answer: int) -> dict[str, np.ndarray]:
    """Return what each component adds to one answer, by state."""
    return dict(zip(attribution.components, attribution.values[answer].T, strict=True))


def test_stack_of_transformer_lens(shipped, shipped_reference):
    """Heads, MLPs and embeddings by its helpers, which know no weights of a final norm that is not folded."""
    attribution = measure_attribution(shipped, answers=shipped.world.answers)
    bridge = bridge_of(shipped_reference)
    with torch.no_grad():
        logits, cache = bridge.run_with_cache(shipped.baseline_run.tokens.clone())
    norm = shipped_reference.transformer.ln_f
    for answer, name in enumerate(attribution.answers):
        at = shipped.template.positions[name] - 1
        parts, labels = cache.decompose_resid(pos_slice=at, return_labels=True)
        heads, head_labels = cache.stack_head_results(pos_slice=at, return_labels=True)
        biases = torch.stack([bridge.b_O[layer].expand_as(parts[0]) for layer in range(4)])
        stack = cache.apply_ln_to_stack(torch.cat([parts, heads, biases]), pos_slice=at)
        right, wrong = (torch.from_numpy(each[answer]) for each in (attribution.right, attribution.wrong))
        direction = (bridge.W_U[:, right] - bridge.W_U[:, wrong]).T
        expected = (stack * norm.weight * direction).sum(-1).detach().numpy()
        found = named(attribution, answer=answer)
        names = {"embed": "W_E", "pos_embed": "W_pos"} | {f"{n}_mlp_out": f"L{n}.mlp" for n in range(4)}
        labels = [*labels, *head_labels, *(f"L{layer}.attn.b_O" for layer in range(4))]
        kept = [label for label in labels if not label.endswith("attn_out")]
        assert {names.get(label, label) for label in kept} | {"ln_final.b"} == set(attribution.components)
        for label, values in zip(labels, expected, strict=True):
            if label in kept:
                assert found[names.get(label, label)] == pytest.approx(values, abs=TOLERANCE), label
        difference = logits[:, at].gather(1, right[:, None]) - logits[:, at].gather(1, wrong[:, None])
        assert attribution.difference[answer] == pytest.approx(
            difference[:, 0].detach().numpy(), abs=TOLERANCE
        )
        # The bias of the norm is what is left.
        bias = (direction @ norm.bias).detach().numpy()
        assert found["ln_final.b"] == pytest.approx(bias, abs=TOLERANCE)


def test_direct_logit_attribution_of_transformer_lens(shipped, shipped_reference):
    """Its own tool, which folds the final norm and tells attention layers, not heads."""
    attribution = measure_attribution(shipped)
    bridge = bridge_of(shipped_reference)
    bridge.enable_compatibility_mode(disable_warnings=True)
    for answer, name in enumerate(attribution.answers):
        found = named(attribution, answer=answer)
        with torch.no_grad():
            result = direct_logit_attribution(
                bridge,
                shipped.baseline_run.tokens.clone(),
                answer_tokens=torch.from_numpy(attribution.right[answer]),
                incorrect_tokens=torch.from_numpy(attribution.wrong[answer]),
                pos=shipped.template.positions[name] - 1,
                unit="component",
            )
        expected = dict(zip(result.labels, result.attribution.numpy(), strict=True))
        assert found["W_E"] == pytest.approx(expected["embed"], abs=TOLERANCE)
        assert found["W_pos"] == pytest.approx(expected["pos_embed"], abs=TOLERANCE)
        for layer in range(4):
            heads = sum(found[f"L{layer}H{head}"] for head in range(4)) + found[f"L{layer}.attn.b_O"]
            assert heads == pytest.approx(expected[f"{layer}_attn_out"], abs=TOLERANCE)
            assert found[f"L{layer}.mlp"] == pytest.approx(expected[f"{layer}_mlp_out"], abs=TOLERANCE)


def terms_of(step: Step, tokens: torch.Tensor, position: int) -> dict[str, torch.Tensor]:
    """Return what is added to the stream of transformers' model, by component, at one token."""
    model, values = step.model, step.values
    transformer, config = model.transformer, model.config
    size = config.n_embd // config.n_head
    terms = {
        "W_E": transformer.wte.weight[tokens[:, position]],
        "W_pos": transformer.wpe.weight[position].expand(len(tokens), -1),
    }
    terms["change of embed"] = values["embed"] - terms["W_E"] - terms["W_pos"]
    stream = values["embed"]
    for layer, block in enumerate(transformer.h):
        added = values[f"attn{layer}"] - block.attn.c_proj.bias
        for head in range(config.n_head):
            units = slice(head * size, (head + 1) * size)
            own = values[f"z{layer}"][:, units] @ block.attn.c_proj.weight[units]
            terms[f"L{layer}H{head}"] = own
            added = added - own
        terms[f"L{layer}.attn.b_O"] = block.attn.c_proj.bias.expand(len(tokens), -1)
        terms[f"change of L{layer}.attn"] = added
        terms[f"L{layer}.mlp"] = values[f"mlp{layer}"]
        summed = stream + values[f"attn{layer}"] + values[f"mlp{layer}"]
        stream = values[f"resid{layer}"]
        terms[f"change of L{layer}.resid"] = stream - summed
    return terms


@pytest.mark.parametrize("text", CONDITIONS)
def test_under_interventions(random_model, reading, text):
    template = random_model.template
    changes = dict.fromkeys((f"change of {site}" for site in CHANGED.get(text, ())), 0.0)
    text = condition(text, template)
    tokens, steps = reading(text)
    attribution = measure_attribution(random_model, text, random_model.world.answers)
    for answer, name in enumerate(attribution.answers):
        at = template.positions[name] - 1
        step, right = steps[at], torch.from_numpy(template.truth[:, at + 1])
        scores = step.logits.clone().scatter(1, right[:, None], -torch.inf)
        wrong = (1 - right) if name in random_model.world.outputs else scores.argmax(-1)
        assert attribution.right[answer].tolist() == right.tolist()
        assert attribution.wrong[answer].tolist() == wrong.tolist()
        rows = torch.arange(len(right))
        difference = (step.logits[rows, right] - step.logits[rows, wrong]).numpy()
        assert attribution.difference[answer] == pytest.approx(difference, abs=TOLERANCE)
        # Nothing is missing.
        assert attribution.values[answer].sum(-1) == pytest.approx(difference, abs=TOLERANCE)
        with torch.no_grad():
            direction = step.model.lm_head.weight[right] - step.model.lm_head.weight[wrong]
            norm, stream = step.model.transformer.ln_f, step.values["resid2"]
            scale = (stream.var(-1, correction=0, keepdim=True) + norm.eps).sqrt()
            expected = {"ln_final.b": (direction @ norm.bias).numpy()}
            for component, term in terms_of(step, tokens, at).items():
                centred = term - term.mean(-1, keepdim=True)
                expected[component] = (centred / scale * norm.weight * direction).sum(-1).numpy()
        found = named(attribution, answer=answer)
        assert set(found) <= set(expected)
        for component, values in expected.items():
            assert found.get(component, 0 * values) == pytest.approx(values, abs=TOLERANCE), component
        for component in changes:
            changes[component] = max(changes[component], np.abs(found[component]).max())
    assert {name for name in attribution.components if name.startswith("change")} == set(changes)
    assert all(most > 100 * TOLERANCE for most in changes.values())


def test_edited_weights_count_where_the_answer_is_written(random_model):
    """A head without W_O at some tokens adds nothing there, and elsewhere what it would."""
    first, last = random_model.world.answers[0], random_model.world.answers[-1]
    attribution = measure_attribution(random_model, f"nuke:L2H1.W_O@>{last}..", [first, last])
    clean = measure_attribution(random_model, "", [first, last])
    head = attribution.components.index("L2H1")
    assert (attribution.values[1, :, head] == 0).all()
    assert np.abs(attribution.values[0, :, head]).min() > 0
    assert attribution.values[0] == pytest.approx(clean.values[0], abs=TOLERANCE)


@pytest.mark.parametrize("text", BASELINE_CONDITIONS)
def test_the_baselines_by_their_equations(random_baseline, text):
    network, template = random_baseline.network, random_baseline.template
    cnn = network.architecture == "cnn"
    patched = {"rnn": "L1.h", "cnn": "L1.resid", "mann": "read"}[network.architecture]
    text = text.replace("{unit}", "conv" if cnn else "h").replace("{patched}", patched)
    if network.architecture == "mann":
        text = text.replace("L1.", "L0.")
    text = condition(text, template)
    attribution = measure_attribution(random_baseline, text)
    assert attribution.answers == chained_answers(random_baseline.world)
    asked, decoder = parse_all(text), BaselineDecoder(random_baseline)
    others = decoder._others(asked)
    change = decoder._edit(asked)
    for row in ROWS:
        values: dict[tuple[str, int], np.ndarray] = {}

        def edit(name, position, value, values=values):
            values[name, position] = change(name, position, value)
            return values[name, position]

        _, logits = decoder._write(decoder._prompt(row), edit=edit, others=others)
        for answer, name in enumerate(attribution.answers):
            at = template.positions[name] - 1
            right, wrong = attribution.right[answer, row], attribution.wrong[answer, row]
            assert right == template.truth[row, at + 1]
            if name in random_baseline.world.outputs:
                assert {right, wrong} == {template.ids["0"], template.ids["1"]}
            else:
                ranked = [int(token) for token in np.argsort(-logits[at]) if token != right]
                assert wrong == ranked[0]
            difference = logits[at, right] - logits[at, wrong]
            assert attribution.difference[answer, row] == pytest.approx(difference, abs=TOLERANCE)
            assert attribution.values[answer, row].sum() == pytest.approx(difference, abs=TOLERANCE)
            weights = others.get(at, decoder.weights)
            direction = weights["unembed.weight"][right] - weights["unembed.weight"][wrong]
            expected = {"unembed.bias": weights["unembed.bias"][right] - weights["unembed.bias"][wrong]}
            if cnn:
                expected |= cnn_terms(values, at, direction)
            else:
                expected |= recurrent_terms(values, at, direction)
            found = {each: value[row] for each, value in named(attribution, answer=answer).items()}
            assert set(found) <= set(expected)
            for component, value in expected.items():
                assert found.get(component, 0.0) == pytest.approx(value, abs=TOLERANCE), component


def cnn_terms(values, at: int, direction: np.ndarray) -> dict[str, float]:
    stream = values["embed", at]
    terms = {"embed": stream @ direction}
    for layer in range(4):
        added, after = values[f"L{layer}.conv", at], values[f"L{layer}.resid", at]
        terms[f"L{layer}.conv"] = added @ direction
        terms[f"change of L{layer}.resid"] = (after - stream - added) @ direction
        stream = after
    return terms


def recurrent_terms(values, at: int, direction: np.ndarray) -> dict[str, float]:
    last = max(name for name, _ in values if name.endswith(".h") and name.startswith("L"))
    hidden = values[last, at]
    terms = {f"{last}[{unit}]": hidden[unit] * direction[unit] for unit in range(len(hidden))}
    if ("read", at) in values:
        terms["read"] = values["read", at] @ direction[len(hidden) :]
    return terms


def test_means(random_model):
    model = random_model
    before = as_arrays(model.network.parameters())
    attribution = measure_attribution(model, "flip:W_U;zero:L1H1")
    after = as_arrays(model.network.parameters())
    assert all(np.array_equal(before[name], each) for name, each in after.items())
    groups = {True: [], False: []}
    for state, values in zip(model.world.states, attribution.values.swapaxes(0, 1), strict=True):
        groups[state in model.dataset.held_out].append(values)
    assert attribution.mean == pytest.approx(sum(groups[True] + groups[False]) / len(model.world.states))
    assert attribution.mean_seen == pytest.approx(sum(groups[False]) / len(groups[False]))
    assert attribution.mean_held_out == pytest.approx(sum(groups[True]) / len(groups[True]))


def test_without_held_out_states(all_seen):
    attribution = measure_attribution(all_seen)
    assert attribution.mean_held_out is None
    assert np.array_equal(attribution.mean_seen, attribution.mean)
