"""Path patching, held against transformers under plain hooks and against TransformerLens' direct paths."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module
from transformer_lens.patching import get_act_patch_direct_path
from transformers import GPT2LMHeadModel

from playground.analysis.edges.paths import Path, measure_path
from playground.errors import RequestError
from playground.inference import Model, load_model
from tests.analysis.small_gpt2 import HEADS, as_transformers, gathered, make_small


@pytest.fixture(scope="module")
def small(spec, tmp_path_factory) -> Model:
    return make_small(spec, tmp_path_factory.mktemp("small") / "gpt2")


@torch.no_grad()
def written(gpt2: GPT2LMHeadModel, tokens: Tensor, sender: str) -> Tensor:
    """Return what a sender adds to the residual stream on texts, up to a constant, by hooks of our own."""
    if sender == "embed":
        return gpt2.transformer.wte(tokens)
    layer, found = int(sender[1]), []
    block = gpt2.transformer.h[layer]
    if "H" in sender:
        head, width = int(sender[3]), gpt2.config.n_embd // HEADS
        matrix = block.attn.c_proj.weight[head * width : (head + 1) * width]
        return gathered(gpt2, tokens)[layer, head] @ matrix
    module = block.mlp if sender.endswith("mlp") else block.attn.c_proj
    handle = module.register_forward_hook(lambda module, arguments, output: found.append(output))
    gpt2(tokens)
    handle.remove()
    return found[0]


@torch.no_grad()
def patched(gpt2: GPT2LMHeadModel, tokens: Tensor, receiver: str, added: Tensor) -> Tensor:
    """Return the scores when one reader alone finds something added to the residual stream."""
    if receiver == "logits":
        handles = [gpt2.transformer.ln_f.register_forward_pre_hook(lambda module, given: (given[0] + added,))]
    else:
        block = gpt2.transformer.h[int(receiver[1])]
        if receiver.endswith("mlp"):
            # The skip path goes round this LayerNorm.
            handles = [block.ln_2.register_forward_pre_hook(lambda module, given: (given[0] + added,))]
        else:
            handles = [block.attn.c_attn.register_forward_hook(head_replaced(block, receiver, added))]
            streams: list[Tensor] = []
            handles.append(
                block.ln_1.register_forward_pre_hook(lambda module, given: streams.append(given[0]))
            )
            block.streams = streams
    scores = gpt2(tokens).logits
    for handle in handles:
        handle.remove()
    return scores


def head_replaced(block, receiver: str, added: Tensor):
    """Return a hook that computes a head's queries, keys or values again, from another stream."""
    width = block.attn.c_attn.weight.shape[0]
    parts, size, head = receiver.partition(".")[2] or "qkv", width // HEADS, int(receiver[3])

    def hook(module, arguments, output):
        other = block.ln_1.weight * torch.nn.functional.layer_norm(
            block.streams[0] + added, (width,), eps=block.ln_1.eps
        )
        again = (other + block.ln_1.bias) @ module.weight + module.bias
        changed = output.clone()
        for part in parts:
            columns = slice(
                "qkv".index(part) * width + head * size, "qkv".index(part) * width + (head + 1) * size
            )
            changed[..., columns] = again[..., columns]
        return changed

    return hook


def differences(model: Model, path: Path, scores: Tensor) -> np.ndarray:
    """Return the source's answer's score minus the base's of each pair and answer; 0 where they are the same."""
    truth, states = model.template.truth, [",".join(map(str, state)) for state in model.world.states]
    found = np.zeros((len(path.base), len(path.answers)))
    for pair, (base, source) in enumerate(zip(path.base, path.source, strict=True)):
        for answer, position in enumerate(model.template.answer_positions):
            to, away = (truth[states.index(each), position] for each in (source, base))
            found[pair, answer] = scores[pair, position - 1, to] - scores[pair, position - 1, away]
    return found


def rows_of(model: Model, path: Path) -> tuple[list[int], list[int]]:
    states = [",".join(map(str, state)) for state in model.world.states]
    return [states.index(each) for each in path.base], [states.index(each) for each in path.source]


@pytest.mark.parametrize(
    ("sender", "receiver", "where"),
    [
        ("L0H1", "L1H0.q", ""),
        ("L0H0", "L1H1.k", "@{first}.."),
        ("embed", "L1H0.v", "@{input}"),
        ("embed", "L0H1.v", ""),
        ("L0.mlp", "L1H1", ""),
        ("L0H1", "L0.mlp", "@>{first}"),
        ("L0.attn", "L1.mlp", ""),
        ("embed", "L0.mlp", ""),
        ("L1H0", "logits", ""),
        ("L1.mlp", "logits", "@>{first}"),
    ],
)
def test_a_path_does_what_transformers_does_if_one_reader_finds_something_else(
    small, sender, receiver, where
):
    path = measure_path(
        small, sender, receiver, where.format(first=small.world.outputs[0], input=small.world.inputs[0])
    )
    gpt2, tokens = as_transformers(small), torch.from_numpy(small.template.truth)
    base, source = rows_of(small, path)
    first = small.template.positions[small.world.outputs[0]]
    at = {
        "": slice(None),
        "@{input}": slice(1),
        "@{first}..": slice(first, None),
        "@>{first}": slice(first - 1, first),
    }[where]
    added = torch.zeros(len(base), tokens.shape[1], gpt2.config.n_embd)
    change = written(gpt2, tokens[source], sender) - written(gpt2, tokens[base], sender)
    added[:, at] = change[:, at]
    now = differences(small, path, patched(gpt2, tokens[base], receiver, added))
    with torch.no_grad():
        low, high = (differences(small, path, gpt2(tokens[rows]).logits) for rows in (base, source))
    np.testing.assert_allclose(path.moved, now - low, atol=2e-4)
    np.testing.assert_allclose(path.gap, high - low, atol=2e-4)
    assert np.abs(path.moved).max() > 1e-3
    for answer, effect in enumerate(path.effect):
        expected = (now - low)[:, answer].sum() / (high - low)[:, answer].sum()
        assert effect == pytest.approx(expected, rel=2e-2, abs=2e-2)


def test_it_is_the_direct_path_of_transformer_lens(small):
    gpt2 = as_transformers(small)
    bridge = build_bridge_from_module(gpt2, architecture="GPT2LMHeadModel", hf_config=gpt2.config)
    path, tokens = measure_path(small, "L0H1", "L1H0.k"), torch.from_numpy(small.template.truth)
    base, source = (tokens[rows] for rows in rows_of(small, path))
    scores: list[Tensor] = []
    get_act_patch_direct_path(
        bridge,
        base,
        bridge.run_with_cache(source)[1],
        bridge.run_with_cache(base)[1],
        lambda logits: scores.append(logits.detach()) or logits.sum(),
        src_layer=0,
        src_head=1,
        component="k",
        verbose=False,
    )
    # Its receivers come in their order: L1H0 is the first behind L0.
    with torch.no_grad():
        low = differences(small, path, bridge(base))
    np.testing.assert_allclose(path.moved, differences(small, path, scores[0]) - low, atol=2e-4)
    assert np.abs(path.moved).max() > 1e-2


def test_who_is_compared_with_whom(small):
    path = measure_path(small, "embed", "L0H0.v")
    world, count = small.world, len(small.world.inputs)
    assert len(path.base) == len(world.states) * count
    for base, source, name in zip(path.base, path.source, path.input, strict=True):
        apart = [a != b for a, b in zip(base.split(","), source.split(","), strict=True)]
        assert [world.inputs[each] for each in range(count) if apart[each]] == [name]
    base, source = rows_of(small, path)
    answers = small.template.truth[:, small.template.answer_positions]
    assert (path.differs == (answers[base] != answers[source])).all()
    assert not path.gap[~path.differs].any()
    assert not path.moved[~path.differs].any()
    name = world.inputs[1]
    chosen = np.array(path.input) == name
    for answer, effect in enumerate(path.effect_of(name)):
        gap = path.gap[chosen, answer].sum()
        assert (effect is None) == (not path.differs[chosen, answer].any())
        assert effect is None or effect == pytest.approx(path.moved[chosen, answer].sum() / gap)


def test_an_answer_flips_where_the_sources_takes_its_place():
    model = load_model("shipped", "gpt2")
    whole = measure_path(model, "L0.attn", "L0.mlp")
    right = model.baseline.correct
    base, source = rows_of(model, whole)
    sure = right[base] & right[source]
    # All that the first MLP learns of other tokens it has from the first attention.
    assert whole.flipped[sure][whole.differs[sure]].mean() > 0.9
    none = measure_path(model, "embed", "logits")
    assert not none.flipped.any()
    assert none.effect == pytest.approx([0.0] * len(none.answers), abs=1e-6)
    assert none.positions[0] == model.world.inputs[0]


def test_interventions_count(small):
    path = measure_path(small, "L0H1", "L1.mlp", "", "zero:L0H1")
    assert path.interventions == ("zero:L0H1",)
    assert np.abs(path.moved).max() < 1e-5
    assert np.abs(measure_path(small, "L0H1", "L1.mlp").moved).max() > 1e-3
    assert path.gap.any()


@pytest.mark.parametrize(
    ("sender", "receiver", "where", "edits", "message"),
    [
        ("L9H0", "L1H9.q", "", "", "Write it like L0H1."),
        ("L0H1.q", "logits", "", "", "unknown sender"),
        ("L1H0", "L0H0.q", "", "", "the receiver comes before the sender"),
        ("L0H0", "L0H1.v", "", "", "expected a receiver behind L0H0"),
        ("L0H0", "L1", "", "", "unknown receiver"),
        ("L0H0", "L1.mlp", "@nowhere", "", "unknown position"),
        ("L0H0", "L1.mlp", "newB", "", "Put '@' before it."),
        ("L0H0", "L1.mlp", "", "zero:L1.attn", "paths take no intervention on a part"),
        ("L0H0", "L1.mlp", "", "force:newB=1", "paths take no intervention on what is written"),
    ],
)
def test_a_wrong_request_says_what_would_be_right(sender, receiver, where, edits, message):
    model = load_model("shipped", "gpt2")
    with pytest.raises(RequestError) as caught:
        measure_path(model, sender, receiver, where, edits)
    assert message in str(caught.value)


def test_both_ends_are_looked_at_at_once():
    with pytest.raises(RequestError) as caught:
        measure_path(load_model("shipped", "gpt2"), "L9H0", "L1H9.q")
    assert len(caught.value.faults) == 2
