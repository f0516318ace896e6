"""Numbers of the probe against transformers' own model, and against a real incremental decoder."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor
from transformers import AutoModelForCausalLM, GPT2LMHeadModel

from playground.inference import Model
from playground.interventions import KINDS, parse, parse_all, parse_site
from tests.inference.references.conditions import (
    ACTIVATION_KINDS,
    WEIGHT_KINDS,
    activation_text,
    fill,
    one_each,
    some_positions,
    weight_texts,
)
from tests.inference.references.gpt2 import Decoder

TOLERANCE = 1e-4

SITES = [
    "L0H0",
    "L1H3",
    "L2H1[3]",
    "L1H2[2:7]",
    "L0.attn",
    "L1.attn[7]",
    "L2.mlp",
    "L1.mlp[17]",
    "L0.mlp[3:40]",
    "L0.resid",
    "L2.resid[2:9]",
    "embed",
    "embed[4]",
    "L1",
]
OF_HEADS = ["W_Q", "W_K", "W_V", "W_O", "b_Q", "b_K", "b_V"]
OF_LAYERS = [*(f"attn.{name}" for name in (*OF_HEADS, "b_O"))]
OF_LAYERS += ["mlp.W_in", "mlp.b_in", "mlp.W_out", "mlp.b_out", "ln1.w", "ln1.b", "ln2.w", "ln2.b"]
OF_NONE = ["W_E", "W_pos", "W_U", "ln_final.w", "ln_final.b"]
WEIGHTS = [
    *OF_NONE,
    *(f"L{number % 3}.{name}" for number, name in enumerate(OF_LAYERS)),
    *(f"L{number % 3}H{number % 4}.{name}" for number, name in enumerate(OF_HEADS)),
]


@pytest.fixture(scope="module")
def reference(random_folder) -> GPT2LMHeadModel:
    return AutoModelForCausalLM.from_pretrained(random_folder, attn_implementation="eager").eval()


@pytest.fixture(scope="module")
def decoder(reference, random_model) -> Decoder:
    return Decoder(reference, random_model.template)


def check(model: Model, decoder: Decoder, text: str) -> float:
    """Compare one condition with the decoder; return by how much it moves the scores."""
    tokens, logits = decoder.write(parse_all(text))
    run = model.run_all(text, shown=False)
    assert torch.equal(run.tokens, tokens), text
    assert (run.logits - logits).abs().max() < TOLERANCE, text
    return float((run.logits - model.baseline_run.logits).abs().max())


def test_logits_and_attention_patterns(random_model, reference, decoder):
    tokens = random_model.baseline_run.tokens.clone()
    assert torch.equal(decoder.baseline_run[0], tokens)
    with torch.no_grad():
        result = reference(tokens, output_attentions=True)
    assert (random_model.baseline_run.logits - result.logits).abs().max() < TOLERANCE
    for hook, pattern in zip(random_model.network.pattern_hooks, result.attentions, strict=True):
        assert (random_model.baseline_run.recorded[hook] - pattern).abs().max() < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("kind", ACTIVATION_KINDS)
def test_every_kind_on_every_activation(random_model, decoder, kind, turn):
    for number, site in enumerate(SITES):
        positions = some_positions(number, kind, turn)
        check(random_model, decoder, activation_text(kind, site, positions, random_model.template))


@pytest.mark.slow
@pytest.mark.parametrize("kind", WEIGHT_KINDS)
def test_every_kind_on_every_weight(random_model, decoder, kind):
    for text in one_each(kind, [parse_site(name) for name in WEIGHTS], random_model.network):
        check(random_model, decoder, text)


@pytest.mark.slow
@pytest.mark.parametrize("kind", WEIGHT_KINDS)
def test_every_part_of_a_weight(random_model, decoder, kind):
    """All of it, a range, one number, a random share: of matrices of heads, of layers, and of vectors."""
    for name in ("L1H2.W_K", "L0.attn.W_O", "W_E", "L1.attn.b_V"):
        for text in weight_texts(kind, parse_site(name), "@>{last}..", random_model.network):
            assert check(random_model, decoder, text) > TOLERANCE, text


@pytest.mark.slow
def test_all_parts_are_among_those_that_are_compared(random_model):
    """The comparisons above mean nothing for what they leave out, or if nothing is changed."""
    network, clean = random_model.network, random_model.baseline_run.logits
    assert {"force", *ACTIVATION_KINDS, *WEIGHT_KINDS} == set(KINDS)
    layers, heads = range(3), range(4)
    assert {str(site) for site in network.sites} == {
        "embed",
        *(f"L{layer}{part}" for layer in layers for part in ("", ".attn", ".mlp", ".resid")),
        *(f"L{layer}H{head}" for layer in layers for head in heads),
    }
    assert {str(site) for site in network.weights} == {
        *OF_NONE,
        *(f"L{layer}.{name}" for layer in layers for name in OF_LAYERS),
        *(f"L{layer}H{head}.{name}" for layer in layers for head in heads for name in OF_HEADS),
    }
    where = fill("@>{last}..", random_model.template)
    texts = [
        activation_text(kind, site, "@>{last}..", random_model.template)
        for site in SITES
        for kind in ("zero", "mean")
    ]
    texts += [f"nuke:{name}{where}" for name in WEIGHTS]
    for text in texts:
        assert (random_model.run_all(text, shown=False).logits - clean).abs().max() > TOLERANCE, text


def test_weights_are_oriented_as_transformer_lens_does(random_model, random_folder, reference):
    """TransformerLens' own view of the same model."""
    from transformer_lens.model_bridge.sources._bridge_builder import build_bridge_from_module

    bridge = build_bridge_from_module(
        AutoModelForCausalLM.from_pretrained(random_folder),
        architecture="GPT2LMHeadModel",
        hf_config=reference.config,
    )
    weights = random_model.network.weights
    for name in ("W_E", "W_pos", "W_U"):
        assert torch.equal(weights[parse_site(name)], getattr(bridge, name)), name
    for layer in range(reference.config.n_layer):
        for name in OF_HEADS:
            theirs = getattr(bridge, name)[layer]
            assert torch.equal(weights[parse_site(f"L{layer}.attn.{name}")], theirs), name
            for head in range(reference.config.n_head):
                assert torch.equal(weights[parse_site(f"L{layer}H{head}.{name}")], theirs[head]), name
        for name in ("b_O", "W_in", "b_in", "W_out", "b_out"):
            part = "attn" if name == "b_O" else "mlp"
            assert torch.equal(weights[parse_site(f"L{layer}.{part}.{name}")], getattr(bridge, name)[layer])


@pytest.mark.slow
def test_one_number_in_transformers_own_tensor(random_model, random_folder, world):
    """No view, no name, no loop: numbers of the file, by hand."""
    size, width, tokens = 8, 32, random_model.baseline_run.tokens
    changes = {
        "flip:L1H2.W_Q[3,5]": lambda t: t.h[1].attn.c_attn.weight[3, 2 * size + 5].mul_(-1),
        "flip:L0H1.W_K[9,7]": lambda t: t.h[0].attn.c_attn.weight[9, width + size + 7].mul_(-1),
        "nuke:L2H3.W_V[31,:]": lambda t: t.h[2].attn.c_attn.weight[31, 2 * width + 3 * size :].zero_(),
        "flip:L1.attn.W_O[1,4,30]": lambda t: t.h[1].attn.c_proj.weight[size + 4, 30].mul_(-1),
        "nuke:L1H3.b_V": lambda t: t.h[1].attn.c_attn.bias[2 * width + 3 * size :].zero_(),
        "nuke:L0.mlp.W_in[12,:]": lambda t: t.h[0].mlp.c_fc.weight[12].zero_(),
        "flip:L2.mlp.W_out[40,12]": lambda t: t.h[2].mlp.c_proj.weight[40, 12].mul_(-1),
    }
    for text, change in changes.items():
        model = AutoModelForCausalLM.from_pretrained(random_folder, attn_implementation="eager").eval()
        with torch.no_grad():
            change(model.transformer)
            expected = model(tokens).logits
        run = random_model.run_all(text, shown=False)
        same = (run.tokens == tokens).all(-1)
        assert same.any()
        assert (run.logits - expected)[same].abs().max() < TOLERANCE, text


def test_several_at_once_act_in_order(random_model, decoder):
    template = random_model.template
    for text in (
        "zero:L0H1;mean:L1.attn@>{last}..;zero:L2H0;mean:L2.mlp",
        "zero:L1H2;mean:L1H2",
        "mean:L1.mlp;zero:L1@{last}",
        "scale:L1.resid~2;steer:L1.resid~1<{one}>{other};scale:L1.resid[3]~-1@>{last}..",
        "nuke:L1.attn.W_Q;noise:L1H2.W_Q~1#3@>{last}..;flip:L1.attn.W_Q[2,:,:]@{last}",
        "flip:L0.mlp.W_in~50%#1;flip:L0.mlp.W_in~50%#2@{middle}..;noise:L0.mlp.W_in~0.2",
        "nuke:W_U[:,0]@{last}..;flip:W_E@{first}..{middle};zero:embed[3];nuke:W_pos@>{last}",
        "flip:L0.ln1.w[3:9];zero:L0H1@>{last}..;force:{middle}=!;nuke:L1H2.W_O;patch:L1.resid@{last}<{one}",
        "scale:L2~0.5;force:{middle}=1;force:{last}=!;noise:L2.mlp.b_out~2@>{last}..",
    ):
        assert check(random_model, decoder, _filled(text, template)) > TOLERANCE


def _filled(text: str, template) -> str:
    states = [",".join(map(str, state)) for state in template.world.states]
    return fill(text.replace("{one}", states[-2]).replace("{other}", states[1]), template)


def test_what_is_turned_twice_is_as_it_was(random_model):
    for site in ("L1.attn.W_V", "W_E", "L0.ln2.w"):
        run = random_model.run_all(f"flip:{site};flip:{site}")
        assert (run.logits - random_model.baseline_run.logits).abs().max() < TOLERANCE


@pytest.mark.slow
@pytest.mark.parametrize("value", ["0", "1", "!"])
def test_what_follows_a_forced_token(random_model, decoder, value):
    for name in random_model.world.outputs:
        text = f"force:{name}={value}"
        check(random_model, decoder, text)
        check(random_model, decoder, f"{text};zero:L1.attn@>{name}..")
        if value == "!":
            position = random_model.template.positions[name]
            clean, run = random_model.baseline_run, random_model.run_all(text)
            bits = [random_model.template.ids[bit] for bit in "01"]
            wrote_bit = (clean.tokens[:, position, None] == torch.tensor(bits)).any(-1)
            assert (run.tokens[:, position] != clean.tokens[:, position]).all()
            assert wrote_bit.any()


def test_tied_embeddings_are_edited_one_by_one(random_model, decoder):
    one = random_model.run_all("nuke:W_E", shown=False).logits
    other = random_model.run_all("nuke:W_U", shown=False).logits
    assert (one - other).abs().max() > 1
    assert other.abs().max() < TOLERANCE
    check(random_model, decoder, "nuke:W_E[:,3:9];flip:W_U[2,:]")


def test_an_error_is_told_where_nothing_would_be_changed(random_model):
    with pytest.raises(ValueError, match="nothing that is written depends on this part at these tokens"):
        random_model.run_all(f"flip:W_pos[0,:]@{random_model.world.answers[0]}")


def test_what_lies_before_the_positions_stays(random_model):
    model = random_model
    name = model.world.answers[1]
    start = model.template.positions[name] - 1
    for what in ("zero:L1", "nuke:L1.attn.W_V", "noise:W_E~1#2", "scale:L0.resid~2"):
        run = model.run_all(f"{what}@>{name}..")
        assert torch.equal(run.tokens[:, : start + 1], model.baseline_run.tokens[:, : start + 1])
        assert (run.logits[:, :start] - model.baseline_run.logits[:, :start]).abs().max() < TOLERANCE
        assert (run.logits[:, start] - model.baseline_run.logits[:, start]).abs().max() > TOLERANCE


def test_values_are_those_of_the_models_own_texts(random_model, decoder):
    network = random_model.network
    for site in network.sites:
        places = network.hook_locations(site)
        for place, expected in zip(places, decoder.known(site), strict=True):
            own = random_model.values(place.hook)[(slice(None), slice(None), *place.index)]
            # The residual stream of random weights is in the tens.
            largest = max(1.0, float(expected.abs().max()))
            assert (own.reshape(expected.shape) - expected).abs().max() < TOLERANCE * largest


def test_one_state_is_its_row_of_all(random_model):
    world, name = random_model.world, random_model.world.answers[1]
    for text in ("", f"zero:L1H2@>{name}..;flip:L0.mlp.W_in~5%#3", f"force:{world.outputs[0]}=!;mean:L1"):
        every = random_model.run_all(text)
        for row in (0, 3, len(world.states) - 1):
            state = world.states[row]
            alone = random_model.run(state, text)
            prompt = random_model.template.prompt(state)
            completed = random_model.complete(prompt, text, shown=True)
            for run in (alone, completed, random_model.run(",".join(map(str, state)), parse_all(text))):
                assert torch.equal(run.tokens[0], every.tokens[row])
                assert (run.logits[0] - every.logits[row]).abs().max() < TOLERANCE
                assert run.recorded.keys() == every.recorded.keys()
                for hook, value in run.recorded.items():
                    assert (value[0] - every.recorded[hook][row]).abs().max() < TOLERANCE


def begun(model: Model, row: int, length: int) -> np.ndarray:
    """Return the beginning of what is right in a state, but for its first answer, which is not even a bit."""
    text = model.template.truth[row, :length].copy()
    text[model.template.answer_positions[0]] = model.template.ids[","]
    return text


def greedy(reference: GPT2LMHeadModel, ids: Tensor, length: int) -> Tensor:
    """Return how transformers' own `generate` goes on."""
    return reference.generate(
        ids, attention_mask=torch.ones_like(ids), max_new_tokens=length - ids.shape[1], do_sample=False
    )


def test_a_wrong_beginning_goes_on_as_transformers_does(random_model, reference, decoder):
    template = random_model.template
    for row in (0, 2, 5):
        for length in (template.answer_positions[0] + 1, template.answer_positions[1], template.length):
            ids = begun(random_model, row, length)
            run = random_model.complete(template.decode(ids))
            expected = torch.tensor(ids[None])
            if length < template.length:
                expected = greedy(reference, expected, template.length)
            assert torch.equal(run.tokens, expected)
            with torch.no_grad():
                assert (run.logits - reference(expected).logits).abs().max() < TOLERANCE
            name = random_model.world.answers[1]
            text = f"zero:L1H2@>{name}..;nuke:L0H1.W_V;patch:L1.resid@{name}<{_first(random_model)}"
            run = random_model.complete(template.decode(ids), text)
            tokens, logits = decoder.write(parse_all(text), torch.tensor(ids[None]))
            assert torch.equal(run.tokens, tokens)
            assert (run.logits - logits).abs().max() < TOLERANCE


def _first(model: Model) -> str:
    return ",".join(map(str, model.world.states[0]))


def test_a_short_beginning(random_model, reference):
    """Not even a whole prompt."""
    for text in ("0", "1,1", ",,1"):
        run = random_model.complete(text)
        ids = random_model.template.encode(text)
        expected = greedy(reference, torch.tensor([ids]), random_model.template.length)
        assert torch.equal(run.tokens, expected)


def test_a_force_may_lie_behind_what_is_given_and_not_before(random_model, decoder):
    template, (first, second, *_) = random_model.template, random_model.world.outputs
    ids = begun(random_model, 1, template.positions[first] + 1)
    run = random_model.complete(template.decode(ids), f"force:{second}=!")
    tokens, _ = decoder.write([parse(f"force:{second}=!")], torch.tensor(ids[None]))
    assert torch.equal(run.tokens, tokens)
    with pytest.raises(ValueError, match="stands in the text already"):
        random_model.complete(template.decode(ids), f"force:{first}=1")


@pytest.mark.parametrize("text", ["", "x", "0,1,1,1,0,1,1,1,1,1,1,1,1,1,1,1,1,1"])
def test_texts_that_no_model_goes_on_with(random_model, text):
    with pytest.raises(ValueError, match="expected"):
        random_model.complete(text)
