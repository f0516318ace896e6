"""Models that learn side by side: losses, gradients and logits are those of transformers and of autograd."""

from __future__ import annotations

import copy
from itertools import combinations

import pytest
import torch
from torch.nn import Module
from torch.nn.functional import cross_entropy
from transformers import GPT2Config, GPT2LMHeadModel

from playground.models import ARCHITECTURES
from playground.models.gpt2.trainer import Gpt2Ensemble
from playground.models.interface.ensemble import Solo
from tests.conftest import BASELINES, SMALL

VOCABULARY, LENGTH = 11, 13
SIZES = [(4, 1, 4), (16, 2, 1), (24, 3, 2), (32, 1, 4)]
"""Width, layers and heads."""


def make_gpt2s(width, layers, heads, *, count, dtype=torch.float64) -> list[GPT2LMHeadModel]:
    """Return models in which every parameter matters, none of them at its usual first value."""
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=LENGTH,
        n_embd=width,
        n_layer=layers,
        n_head=heads,
        bos_token_id=None,
        eos_token_id=None,
        attn_implementation="eager",
    )
    generator = torch.Generator().manual_seed(width)
    models = [GPT2LMHeadModel(config).to(dtype).eval() for _ in range(count)]
    with torch.no_grad():
        for parameter in (each for model in models for each in model.parameters()):
            parameter.add_(0.3 * torch.randn(parameter.shape, generator=generator, dtype=dtype))
    return models


def draw_tokens(models: int, samples: int, length: int = LENGTH) -> torch.Tensor:
    generator = torch.Generator().manual_seed(samples)
    return torch.randint(VOCABULARY, (models, samples, length), generator=generator)


def ensemble_of(models, dropout=0.0, seed=0) -> Gpt2Ensemble:
    return Gpt2Ensemble(models, dropout, torch.Generator().manual_seed(seed))


def loss_of(model: GPT2LMHeadModel, rows: torch.Tensor) -> torch.Tensor:
    """Return transformers' loss; that is in single precision, so in double it is taken from its logits."""
    if model.dtype == torch.float32:
        return model(rows, labels=rows).loss
    scores = model(rows[:, :-1]).logits
    return cross_entropy(scores.flatten(0, 1), rows[:, 1:].flatten())


def gradient_of(model: Module) -> torch.Tensor:
    """Return the gradient in the order in which transformers names the parameters."""
    slopes = [torch.zeros_like(each) if each.grad is None else each.grad for each in model.parameters()]
    return torch.cat([slope.flatten() for slope in slopes])


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-10), (torch.float32, 1e-6)])
@pytest.mark.parametrize("count", [1, 3])
@pytest.mark.parametrize("size", SIZES)
def test_losses_and_gradients_are_those_of_transformers(size, count, dtype, tolerance):
    models = make_gpt2s(*size, count=count, dtype=dtype)
    ensemble, tokens = ensemble_of(models), draw_tokens(count, 5)
    for _ in range(2):  # What was found before must not be added to.
        losses = ensemble.learn(tokens)
    for model, rows, loss, gradient in zip(models, tokens, losses, ensemble.gradients, strict=True):
        expected = loss_of(model, rows)
        expected.backward()
        assert (loss - expected).abs() < tolerance
        assert gradient_of(model).abs().max() > 0.01
        assert (gradient - gradient_of(model)).abs().max() < tolerance


@pytest.mark.parametrize(("samples", "length"), [(1, LENGTH), (4, 6), (1, 2)])
def test_texts_may_be_shorter_than_the_longest(samples, length):
    (model,) = make_gpt2s(16, 2, 2, count=1)
    ensemble, tokens = ensemble_of([model]), draw_tokens(1, samples, length)
    loss = ensemble.learn(tokens)
    expected = loss_of(model, tokens[0])
    expected.backward()
    assert (loss[0] - expected).abs() < 1e-10
    assert (ensemble.gradients[0] - gradient_of(model)).abs().max() < 1e-10


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("dropout", [0.0, 0.5])
def test_logits_are_those_of_transformers_and_nothing_is_dropped(size, dropout):
    models = make_gpt2s(*size, count=2)
    tokens = draw_tokens(2, 4)
    found = ensemble_of(models, dropout).logits(tokens)
    for model, rows, scores in zip(models, tokens, found, strict=True):
        assert (scores - model(rows).logits).abs().max() < 1e-10


def test_a_model_is_given_back_as_it_is_at_the_time():
    models = make_gpt2s(16, 2, 2, count=3, dtype=torch.float32)
    ensemble, tokens = ensemble_of(models), draw_tokens(3, 2)
    for index, model in enumerate(models):
        given = ensemble.model(index).state_dict()
        assert given.keys() == model.state_dict().keys()
        assert all(torch.equal(given[name], value) for name, value in model.state_dict().items())
    before = {name: value.clone() for name, value in models[1].state_dict().items()}
    ensemble.parameters.mul_(0.5)
    changed = ensemble.model(1)
    assert all(torch.equal(value, before[name] / 2) for name, value in changed.state_dict().items())
    assert (changed.eval()(tokens[1]).logits - ensemble.logits(tokens)[1]).abs().max() < 1e-6
    assert all(torch.equal(value, before[name]) for name, value in models[1].state_dict().items())


@pytest.mark.parametrize("dropout", [0.1, 0.5])
@pytest.mark.parametrize("size", SIZES)
def test_with_dropout_losses_and_gradients_are_those_of_transformers_with_the_same_masks(
    size, dropout, monkeypatch
):
    models, tokens = make_gpt2s(*size, count=2), draw_tokens(2, 5)
    ensemble = ensemble_of(models, dropout, seed=4)
    losses = ensemble.learn(tokens)
    masks = list(ensemble_of(models, dropout, seed=4)._draw(tokens[:, :, :-1].shape))
    for index, model in enumerate(models):
        left = iter(masks)  # In the order in which transformers drops.

        def drop(x, p, training, *_, left=left, index=index):
            assert training
            return x * next(left).reshape(2, *x.shape)[index]

        monkeypatch.setattr(torch.nn.functional, "dropout", drop)
        expected = loss_of(model.train(), tokens[index])
        assert list(left) == []
        expected.backward()
        assert (losses[index] - expected).abs() < 1e-10
        assert (ensemble.gradients[index] - gradient_of(model)).abs().max() < 1e-10


@pytest.mark.parametrize("dropout", [0.1, 0.25, 0.9])
def test_dropout_drops_its_share_and_keeps_the_mean(dropout):
    models = make_gpt2s(16, 2, 2, count=2, dtype=torch.float32)
    masks = list(ensemble_of(models, dropout)._draw(torch.Size([2, 60, 12])))
    for mask in masks:
        error = 4.5 * (dropout * (1 - dropout) / mask.numel()) ** 0.5
        dropped = (mask == 0).float().mean().item()
        assert dropped == pytest.approx(dropout, abs=error)
        assert mask.mean().item() == pytest.approx(1, abs=error / (1 - dropout))
        assert mask[mask != 0].unique().tolist() == pytest.approx([1 / (1 - dropout)], rel=1e-3)
    stream = [half for mask in masks if mask.shape == masks[0].shape for half in mask]
    assert len(stream) == 2 * 5
    for one, other in combinations(stream, 2):  # Each of its own: they agree no more often than by chance.
        agreed, chance = ((one == 0) == (other == 0)).float().mean().item(), dropout**2 + (1 - dropout) ** 2
        assert agreed == pytest.approx(chance, abs=4.5 * (chance * (1 - chance) / one.numel()) ** 0.5)


def test_what_is_dropped_follows_from_the_generator_alone():
    models, tokens = make_gpt2s(16, 2, 2, count=1), draw_tokens(1, 4)
    one, other = (ensemble_of(models, 0.2, seed=7) for _ in range(2))
    before = torch.get_rng_state()
    first = [one.learn(tokens).item() for _ in range(3)]
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(3)
    assert [other.learn(tokens).item() for _ in range(3)] == first
    assert len(set(first)) == 3


@pytest.mark.parametrize("architecture", BASELINES)
def test_one_alone_learns_by_autograd(second_spec, architecture):
    model = ARCHITECTURES[architecture].make(second_spec.template, SMALL[architecture], 3)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    reference = copy.deepcopy(model)
    tokens = torch.from_numpy(second_spec.template.truth)
    solo = Solo(model)
    for _ in range(2):  # What was found before must not be added to.
        losses = solo.learn(tokens[None])
    expected = cross_entropy(reference(tokens)[:, :-1].flatten(0, 1), tokens[:, 1:].flatten())
    expected.backward()
    assert losses.tolist() == pytest.approx([expected.item()], abs=1e-6)
    assert (solo.gradients[0] - gradient_of(reference)).abs().max() < 1e-6
    assert (solo.logits(tokens[None])[0] - reference(tokens)).abs().max() < 1e-6
    own = solo.model(0).state_dict()
    assert all(torch.equal(own[name], value) for name, value in reference.state_dict().items())


def test_the_parameters_of_one_alone_are_those_of_its_model(second_spec):
    model = ARCHITECTURES["rnn"].make(second_spec.template, SMALL["rnn"], 3)
    solo, tokens = Solo(model), torch.from_numpy(second_spec.template.truth)
    before = solo.logits(tokens[None])
    solo.parameters.zero_()
    assert all(not parameter.any() for parameter in solo.model(0).parameters())
    assert before.any()
    assert not solo.logits(tokens[None]).any()
