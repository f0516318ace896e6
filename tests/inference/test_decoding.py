"""Decoding all at once equals decoding token by token; what runs side by side stays apart."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
import torch

from playground.inference import Model, decode, make_plan, open_model
from playground.interventions import parse_all, parse_site
from playground.models import Edit, Pass, WeightEdit
from tests.conftest import random_checkpoint


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
def test_equal_to_token_by_token_on_random_weights(spec, tmp_path, seed):
    model = open_model(random_checkpoint(spec, tmp_path / "gpt2", seed=seed), "cpu")
    template = model.template
    tokens = torch.from_numpy(template.truth[:, : template.prompt_length])
    while tokens.shape[1] < template.length:
        written = model.network.forward(tokens).logits[:, -1:].argmax(-1)
        tokens = torch.cat([tokens, written], dim=1)
    assert torch.equal(model.baseline_run.tokens, tokens)
    assert len({tuple(row.tolist()) for row in tokens[:, template.prompt_length :]}) > 1


@pytest.mark.parametrize("guess", ["truth", "zeros", "noise"])
def test_the_guess_does_not_matter(random_model, guess):
    template = random_model.template
    tokens = torch.from_numpy(template.truth.copy())
    if guess != "truth":
        generator = torch.Generator().manual_seed(0)
        noise = torch.randint(len(template.vocabulary), tokens.shape, generator=generator)
        completion = slice(template.prompt_length, None)
        tokens[:, completion] = 0 if guess == "zeros" else noise[:, completion]
    run = decode(random_model.network.forward, tokens, template.prompt_length)
    assert torch.equal(run.tokens, random_model.baseline_run.tokens)
    assert (run.logits - random_model.baseline_run.logits).abs().max() < 1e-4


def test_a_good_guess_needs_one_pass_and_a_bad_one_at_most_one_a_token(random_model):
    template, passes = random_model.template, []

    def forward(tokens) -> Pass:
        passes.append(len(tokens))
        return random_model.network.forward(tokens)

    decode(forward, random_model.baseline_run.tokens.clone(), template.prompt_length)
    assert passes == [len(template.truth)]
    passes.clear()
    decode(forward, torch.zeros_like(random_model.baseline_run.tokens), template.prompt_length)
    assert 1 < len(passes) <= template.length - template.prompt_length + 1


@pytest.mark.parametrize("seed", range(3))
def test_with_a_cache_nothing_is_read_twice_and_little_behind_a_wrong_guess(spec, tmp_path, seed):
    model = open_model(random_checkpoint(spec, tmp_path / "gpt2", seed=seed), "cpu")
    template, cache, read = model.template, model.network.make_cache(), []

    def forward(tokens) -> Pass:
        read.append(tokens.shape[1])
        return model.network.forward(tokens, cache=cache)

    tokens = torch.from_numpy(template.truth.copy())
    tokens[:, template.prompt_length :] = 0
    run = decode(forward, tokens, template.prompt_length, cache=cache)
    assert torch.equal(run.tokens, model.baseline_run.tokens)
    assert (run.logits - model.baseline_run.logits).abs().max() < 1e-4
    assert read[0] == template.length
    assert max(read[1:]) <= template.length - template.prompt_length
    assert sum(read[1:]) <= 3 * (template.length - template.prompt_length)


def test_the_opposite_of_what_is_written_where_no_score_is_the_highest(random_model):
    """With no unembedding all scores are zero, and greedy decoding takes the first token: 0."""
    template = random_model.template
    for output in random_model.world.outputs:
        position = template.positions[output]
        assert (random_model.run_all("nuke:W_U").tokens[:, position] == template.ids["0"]).all()
        opposite = random_model.run_all(f"nuke:W_U;force:{output}=!").tokens[:, position]
        assert (opposite == template.ids["1"]).all()


def test_a_model_is_given_its_tokens_on_its_own_device(random_model):
    """What a model on another device returns cannot be compared with tokens that stayed here."""
    model = random_model
    assert model.baseline_run.tokens.device == model.network.device
    assert model.network.forward(model.baseline_run.tokens).logits.device == model.network.device


def conditions(model: Model) -> list[str]:
    """Return some of every kind."""
    world = model.world
    name, one, other = world.answers[1], _text(world.states[1]), _text(world.states[-2])
    return [
        "zero:L0H0",
        "mean:L1.attn",
        f"resample:L1H1@>{name}..<{one}",
        f"scale:L2.mlp~2.5@{name}",
        f"steer:L1.resid~1.5<{one}>{other}",
        f"patch:embed@{name}<{other}",
        "flip:L0.mlp.W_in~20%#3",
        f"nuke:L1H2.W_O@>{name}..",
        "noise:W_E~0.5#2",
        f"flip:W_U[3,:]@>{name}..",
        f"force:{world.outputs[0]}=!",
    ]


def _text(state) -> str:
    return ",".join(map(str, state))


@pytest.mark.slow
def test_weights_stay_as_they_are(random_model):
    network, tokens = random_model.network, random_model.baseline_run.tokens
    before = {name: weight.clone() for name, weight in network.parameters().items()}
    clean = network.forward(tokens).logits
    for site in list(network.sites)[::3]:
        random_model.run_all(f"zero:{site};mean:{site}", shown=False)
    for number, site in enumerate(list(network.weights)[::4]):
        kind = ("flip:{}", "nuke:{}", "noise:{}~2")[number % 3]
        # What is added to all keys alike cancels out.
        where = f"@{random_model.world.answers[0]}" if str(site).endswith("b_K") else ""
        random_model.run_all(kind.format(site) + where, shown=False)
    for text in (*conditions(random_model), ";".join(conditions(random_model))):
        random_model.run_all(text)
    after = network.parameters()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert len(before) > 30
    assert torch.equal(network.forward(tokens).logits, clean)


def test_an_error_in_the_middle_of_a_pass_leaves_nothing_behind(random_model):
    network, tokens = random_model.network, random_model.baseline_run.tokens
    clean = network.forward(tokens).logits
    before = {name: weight.clone() for name, weight in network.parameters().items()}

    def fail(*_):
        raise RuntimeError("in the middle")

    everywhere = tuple(range(random_model.template.length))
    hook = network.hook_locations(network.elements[-1])[0].hook
    zero = Edit("blocks.0.hook_mlp_out", everywhere, lambda value, positions: torch.zeros_like(value))
    turned = [WeightEdit(site, (1, 2), torch.neg) for site in network.weights]
    for weights in ([], turned):
        with pytest.raises(RuntimeError, match="in the middle"):
            network.forward(tokens, [zero, Edit(hook, everywhere, fail)], weights=weights)
        assert torch.equal(network.forward(tokens).logits, clean)
    with pytest.raises(RuntimeError, match="in the middle"):
        network.forward(tokens, weights=[*turned, WeightEdit(turned[0].weight, everywhere, fail)])
    assert torch.equal(network.forward(tokens).logits, clean)
    assert all(torch.equal(network.parameters()[name], weight) for name, weight in before.items())


@pytest.mark.slow
def test_two_threads_on_one_model_never_see_each_other(random_model):
    """400 passes: each thread draws its own conditions, each result is the lone one's, bit for bit."""
    model = random_model
    texts = ["", *(text for text in conditions(model) if not text.startswith("force"))]
    plans = {text: make_plan(parse_all(text), model.network, model.values) for text in texts}
    tokens, hooks = model.baseline_run.tokens[:4], model.network.pattern_hooks

    def run(text: str) -> Pass:
        return model.network.forward(tokens, plans[text].edits, hooks, plans[text].weights)

    alone = {text: run(text) for text in texts}
    wrong: list[str] = []
    done: list[int] = []
    start = threading.Barrier(2)

    def work(seed: int) -> None:
        draw = random.Random(seed)
        start.wait()
        for _ in range(200):
            text = draw.choice(texts)
            result = run(text)
            same = torch.equal(result.logits, alone[text].logits) and all(
                torch.equal(result.recorded[hook], alone[text].recorded[hook]) for hook in hooks
            )
            if not same:
                wrong.append(text)
            done.append(seed)

    _run_side_by_side(work)
    assert len(done) == 400
    assert wrong == []
    assert len({alone[text].logits.sum().item() for text in texts}) == len(texts)


@pytest.mark.slow
def test_two_threads_get_the_boards_that_each_would_get_alone(random_model):
    texts = conditions(random_model)
    alone = {text: random_model.run_all(text, shown=False) for text in texts}
    wrong: list[str] = []

    def work(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(15):
            text = draw.choice(texts)
            run = random_model.run_all(text, shown=False)
            if not (
                torch.equal(run.tokens, alone[text].tokens) and torch.equal(run.logits, alone[text].logits)
            ):
                wrong.append(text)

    _run_side_by_side(work)
    assert wrong == []


def _run_side_by_side(work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(seed,)) for seed in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_sweep_is_a_pass_for_each_value(random_model):
    tokens, network = random_model.baseline_run.tokens[:5], random_model.network
    before = {key: value.clone() for key, value in network.parameters().items()}
    generator = torch.Generator().manual_seed(0)
    for name in ("L1H2.W_Q", "L0.attn.b_K", "L2.mlp.W_in", "W_E", "W_U", "W_pos", "L1.ln1.w", "ln_final.b"):
        site = parse_site(name)
        weight = network.weights[site]
        values = weight + torch.randn(3, *weight.shape, generator=generator)
        for value, logits in zip(values, network.sweep(tokens, site, values), strict=True):
            expected = _with_weight(network, tokens, site, value)
            assert (logits - expected).abs().max() < 1e-4, name
    assert all(torch.equal(network.parameters()[key], value) for key, value in before.items())


def _with_weight(network, tokens, site, value):
    everywhere = tuple(range(tokens.shape[1]))
    return network.forward(tokens, weights=[WeightEdit(site, everywhere, lambda weight: value)]).logits
