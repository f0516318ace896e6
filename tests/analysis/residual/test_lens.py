"""The logit lens against transformers' hidden states and TransformerLens' own helpers, and by hand."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

from playground.analysis import measure_lens
from playground.errors import RequestError
from playground.interventions import parse_all
from tests.analysis.references import CONDITIONS, condition
from tests.inference.references.baselines import Decoder as BaselineDecoder
from tests.models.references import as_arrays

TOLERANCE = 1e-4
CNN_CONDITIONS = (
    "",
    "scale:L1.conv~2@>{last}..;zero:L2.resid[3:9]",
    "noise:unembed.weight~0.5#3@{first}..{middle};flip:unembed.bias@>{last}..",
)


def check(lens, model, logits: dict[str, np.ndarray]) -> None:
    """Compare a lens with scores by part, state x token x vocabulary (token: the one that was read)."""
    template = model.template
    assert lens.parts == tuple(logits)
    for answer, name in enumerate(lens.answers):
        at = template.positions[name]
        right = template.truth[:, at]
        assert (lens.truth[answer] == right).all()
        for part, scores in enumerate(logits.values()):
            written = scores[:, at - 1].astype(float)
            of_right = np.array([row[token] for row, token in zip(written, right, strict=True)])
            others = [max(np.delete(row, token)) for row, token in zip(written, right, strict=True)]
            margin = of_right - np.array(others)
            assert np.abs(lens.margin[answer, part] - margin).max() < TOLERANCE
            clear = np.abs(margin) > TOLERANCE
            assert (lens.right[answer, part] == (margin > 0))[clear].all()
            assert (lens.top[answer, part] == written.argmax(-1))[clear].all()


def test_hidden_states_of_transformers(shipped, shipped_reference):
    """Which transformers gives for every layer but the last, whose are behind the final norm."""
    with torch.no_grad():
        result = shipped_reference(shipped.baseline_run.tokens.clone(), output_hidden_states=True)
        *hidden, last = result.hidden_states
        final = shipped_reference.transformer.ln_f
        logits = [shipped_reference.lm_head(final(each)).numpy() for each in hidden]
        logits.append(shipped_reference.lm_head(last).numpy())
    lens = measure_lens(shipped)
    whole = ["embed", *(f"L{layer}.mlp" for layer in range(4))]
    of_layers = [lens.parts.index(part) for part in whole]
    chosen = type(lens)(
        **{
            **vars(lens),
            "parts": tuple(whole),
            **{name: getattr(lens, name)[:, of_layers] for name in ("top", "margin")},
        }
    )
    check(chosen, shipped, dict(zip(whole, logits, strict=True)))
    assert lens.answers == ("newA", "newB", "newC", "newD", "sum2")
    assert lens.accuracy_seen[:, -1].tolist() == [1.0] * 5


def test_accumulated_resid_of_transformer_lens(shipped, shipped_reference):
    bridge = build_bridge_from_module(
        deepcopy(shipped_reference), "GPT2LMHeadModel", hf_config=shipped_reference.config
    )
    with torch.no_grad():
        _, cache = bridge.run_with_cache(shipped.baseline_run.tokens.clone())
        streams, labels = cache.accumulated_resid(incl_mid=True, apply_ln=True, return_labels=True)
        logits = (streams @ bridge.W_U).numpy()
    assert labels == ["0_pre", "0_mid", "1_pre", "1_mid", "2_pre", "2_mid", "3_pre", "3_mid", "final_post"]
    parts = ["embed", *(f"L{layer}.{part}" for layer in range(4) for part in ("attn", "mlp"))]
    lens = measure_lens(shipped, answers=shipped.world.answers)
    check(lens, shipped, dict(zip(parts, logits, strict=True)))


@pytest.mark.slow
@pytest.mark.parametrize("text", CONDITIONS)
def test_under_interventions(random_model, reading, text):
    text = condition(text, random_model.template)
    logits: dict[str, list] = {}
    for step in reading(text)[1]:

        def look(name, stream, step=step):
            with torch.no_grad():
                scores = step.model.lm_head(step.model.transformer.ln_f(stream))
            logits.setdefault(name, []).append(scores.numpy())

        stream = step.values["embed"]
        look("embed", stream)
        for layer in range(3):
            look(f"L{layer}.attn", stream + step.values[f"attn{layer}"])
            stream = step.values[f"resid{layer}"]
            look(f"L{layer}.mlp", stream)
    lens = measure_lens(random_model, text, random_model.world.answers)
    check(lens, random_model, {name: np.stack(each, 1) for name, each in logits.items()})
    board = random_model.board(text)
    assert np.abs(lens.margin[:, -1].T - board.margin).max() < TOLERANCE
    free = [name not in board.forced for name in lens.answers]
    assert (board.written[:, free] == lens.top[free, -1].T).all()


@pytest.mark.parametrize("text", CNN_CONDITIONS)
def test_the_cnn_by_its_equations(random_baseline, text):
    if random_baseline.network.architecture != "cnn":
        return
    text = condition(text, random_baseline.template)
    asked, decoder = parse_all(text), BaselineDecoder(random_baseline)
    lens = measure_lens(random_baseline, text)
    change, others = decoder._edit(asked), decoder._others(asked)
    run = random_baseline.run_all(text, shown=False)
    logits = {
        part: np.zeros(run.logits.shape) for part in ("embed", *(f"L{layer}.conv" for layer in range(4)))
    }
    for row in range(len(run.tokens)):

        def edit(name, position, value, row=row):
            value = change(name, position, value)
            if name == "embed" or name.endswith("resid"):
                weights = others.get(position, decoder.weights)
                scores = weights["unembed.weight"] @ value + weights["unembed.bias"]
                logits[name.replace("resid", "conv")][row, position] = scores
            return value

        written, _ = decoder._write(decoder._prompt(row), edit=edit, others=others)
        assert written == run.tokens[row].tolist()
    check(lens, random_baseline, logits)


@pytest.mark.parametrize("text", ["", "zero:L2"])
def test_from_where_on_it_is_right(shipped, text):
    lens = measure_lens(shipped, text)
    board = shipped.board()
    for answer, state in np.ndindex(lens.first.shape):
        first = len(lens.parts)
        while first > 0 and lens.right[answer, first - 1, state]:
            first -= 1
        assert lens.first[answer, state] == first
    assert len(np.unique(lens.first)) > 2, "they differ"
    for answer, part in np.ndindex(lens.accuracy.shape):
        right = [bool(each) for each in lens.right[answer, part]]
        seen = [each for each, held_out in zip(right, board.held_out, strict=True) if not held_out]
        unseen = [each for each, held_out in zip(right, board.held_out, strict=True) if held_out]
        assert lens.accuracy[answer, part] == pytest.approx(sum(right) / len(right))
        assert lens.accuracy_seen[answer, part] == pytest.approx(sum(seen) / len(seen))
        assert lens.accuracy_held_out[answer, part] == pytest.approx(sum(unseen) / len(unseen))


def test_without_held_out_states_and_the_model_stays_as_it_is(all_seen):
    model = all_seen
    before, logits = as_arrays(model.network.parameters()), model.baseline_run.logits.clone()
    lens = measure_lens(model, "flip:W_U;zero:L1.resid")
    assert lens.accuracy_held_out is None
    assert np.array_equal(lens.accuracy, lens.accuracy_seen)
    assert all(
        np.array_equal(before[name], each) for name, each in as_arrays(model.network.parameters()).items()
    )
    assert torch.equal(model.network.forward(model.baseline_run.tokens).logits, logits)


def test_a_model_without_a_residual_stream(random_baseline):
    architecture = random_baseline.network.architecture
    if architecture == "cnn":
        return
    with pytest.raises(RequestError, match=f"has no residual stream.* got {architecture}, which has"):
        measure_lens(random_baseline)
