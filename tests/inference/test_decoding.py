"""Decoding all at once equals decoding token by token; what runs side by side stays apart."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

import pytest
import torch

from playground.inference import decode, open_model
from playground.inference.edits import make_edits
from playground.interventions import parse_all
from playground.models import Edit, Pass
from tests.conftest import random_checkpoint


@pytest.mark.parametrize("seed", range(6))
def test_equal_to_token_by_token_on_random_weights(spec, tmp_path, seed):
    model = open_model(random_checkpoint(spec, tmp_path / "gpt2", seed=seed), "cpu")
    template = model.template
    tokens = torch.from_numpy(template.truth[:, : template.prompt_length])
    while tokens.shape[1] < template.length:
        written = model.network.forward(tokens).logits[:, -1:].argmax(-1)
        tokens = torch.cat([tokens, written], dim=1)
    assert torch.equal(model.clean.tokens, tokens)
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
    assert torch.equal(run.tokens, random_model.clean.tokens)
    assert (run.logits - random_model.clean.logits).abs().max() < 1e-4


def test_a_good_guess_needs_one_pass_and_a_bad_one_at_most_one_a_token(random_model):
    template, passes = random_model.template, []

    def forward(tokens) -> Pass:
        passes.append(len(tokens))
        return random_model.network.forward(tokens)

    decode(forward, random_model.clean.tokens.clone(), template.prompt_length)
    assert passes == [len(template.truth)]
    passes.clear()
    decode(forward, torch.zeros_like(random_model.clean.tokens), template.prompt_length)
    assert 1 < len(passes) <= template.length - template.prompt_length + 1


def test_a_model_is_given_its_tokens_on_its_own_device(random_model):
    """What a model on another device returns cannot be compared with tokens that stayed here."""
    model = random_model
    assert model.clean.tokens.device == model.network.device
    assert model.network.forward(model.clean.tokens).logits.device == model.network.device


def test_weights_stay_as_they_are(random_model):
    before = {name: weight.clone() for name, weight in random_model.network.weights().items()}
    for site in random_model.network.sites:
        random_model.run(f"zero:{site};mean:{site}")
    after = random_model.network.weights()
    assert all(torch.equal(after[name], weight) for name, weight in before.items())
    assert len(before) > 30


def test_an_error_in_the_middle_of_a_pass_leaves_nothing_behind(random_model):
    clean = random_model.network.forward(random_model.clean.tokens).logits

    def fail(value, positions):
        raise RuntimeError("in the middle")

    hook = random_model.network.places(random_model.network.elements[0])[0].hook
    everywhere = tuple(range(random_model.template.length))
    zero = Edit("blocks.0.hook_mlp_out", everywhere, lambda value, positions: torch.zeros_like(value))
    with pytest.raises(RuntimeError, match="in the middle"):
        random_model.network.forward(random_model.clean.tokens, [zero, Edit(hook, everywhere, fail)])
    assert torch.equal(random_model.network.forward(random_model.clean.tokens).logits, clean)


def test_two_threads_on_one_model_never_see_each_other(random_model):
    """1,000 passes: each thread draws its own conditions, each result is the lone one's, bit for bit."""
    model, name = random_model, random_model.world.answers[1]
    texts = ["", "zero:L0H0", "mean:L1.attn", "zero:L2", f"zero:L1H1@>{name}..", "mean:L0H2"]
    edits = {text: make_edits(parse_all(text), model.network, model.means) for text in texts}
    tokens, hooks = model.clean.tokens[:4], model.network.pattern_hooks
    alone = {text: model.network.forward(tokens, edits[text], hooks) for text in texts}
    wrong: list[str] = []
    done: list[int] = []
    start = threading.Barrier(2)

    def work(seed: int) -> None:
        draw = random.Random(seed)
        start.wait()
        for _ in range(500):
            text = draw.choice(texts)
            result = model.network.forward(tokens, edits[text], hooks)
            same = torch.equal(result.logits, alone[text].logits) and all(
                torch.equal(result.recorded[hook], alone[text].recorded[hook]) for hook in hooks
            )
            if not same:
                wrong.append(text)
            done.append(seed)

    _run_side_by_side(work)
    assert len(done) == 1_000
    assert wrong == []
    assert len({alone[text].logits.sum().item() for text in texts}) == len(texts)


def test_two_threads_get_the_boards_that_each_would_get_alone(random_model):
    texts = ["zero:L0H0", "mean:L1.attn", "zero:L2", "mean:L0H2"]
    alone = {text: random_model.run(text) for text in texts}
    wrong: list[str] = []

    def work(seed: int) -> None:
        draw = random.Random(seed)
        for _ in range(15):
            text = draw.choice(texts)
            run = random_model.run(text)
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
