"""Training: same seed, same weights; against a loop written here; what is written and what is not."""

from __future__ import annotations

import json
import math
from itertools import pairwise

import pytest
import torch
from torch.nn.functional import log_softmax

from playground.datasets import DatasetSpec, Sizes, generate, load_dataset
from playground.errors import RequestError
from playground.inference import open_model
from playground.models import ARCHITECTURES, Size
from playground.training import RECIPES, Recipe, train, train_model
from playground.training.loop import next_token_loss

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def dataset(spec, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "d"
    generate(
        DatasetSpec(world=spec.world, held_out=spec.held_out, sizes=Sizes(train=96, valid=20, test=4)), folder
    )
    return load_dataset(folder)


def run(dataset, folder, **recipe):
    return list(start(dataset, folder, **recipe))


def start(dataset, folder, architecture="gpt2", size=None, **recipe):
    kind = ARCHITECTURES[architecture]
    size = size or kind.default_size(dataset.spec.template)
    recipe = Recipe(**{"threads": 1, **recipe})
    return train_model(kind, size, dataset, folder, recipe, CPU, "the tests")


def make_gpt2(template, *, seed):
    return ARCHITECTURES["gpt2"].make(template, Size(width=16, layers=1, heads=2), seed)


def test_same_seed_same_weights(dataset, tmp_path):
    run(dataset, tmp_path / "a", epochs=1, seed=5)
    torch.rand(7)  # What else draws random numbers must not matter.
    run(dataset, tmp_path / "b", epochs=1, seed=5)
    run(dataset, tmp_path / "c", epochs=1, seed=6)
    a, b, c = ((tmp_path / name / "model.safetensors").read_bytes() for name in "abc")
    assert a == b != c


def test_training_leaves_random_numbers_and_threads_as_they_were(dataset, tmp_path):
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    run(dataset, tmp_path / "a", epochs=0.5, threads=2)
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)


def test_steps_equal_a_loop_written_out(dataset):
    """AdamW with a linearly falling rate and a clipped gradient, from the papers' equations."""
    recipe = Recipe(epochs=1, batch_size=16, seed=2, threads=1)
    samples = torch.from_numpy(dataset.train)
    ours = make_gpt2(dataset.spec.template, seed=2).double()
    theirs = make_gpt2(dataset.spec.template, seed=2).double()
    for model in (ours, theirs):
        for module in model.modules():
            if isinstance(module, torch.nn.Dropout):
                module.p = 0.0
        for block in model.transformer.h:
            block.attn.attn_dropout.p = 0.0
    losses = [step.loss for step in train(ours, lambda t: ours(t).logits, samples, recipe)]

    order = torch.randperm(len(samples), generator=torch.Generator().manual_seed(2))
    total, moments = 6, {}
    for number, batch in enumerate(samples[order].split(16)):
        scores = log_softmax(theirs(batch).logits[:, :-1], -1)
        loss = -scores.gather(-1, batch[:, 1:, None]).mean()
        assert loss.item() == pytest.approx(losses[number], abs=1e-9)
        theirs.zero_grad()
        loss.backward()
        parameters = list(theirs.parameters())
        norm = math.sqrt(sum(float((p.grad**2).sum()) for p in parameters))
        clip = min(1.0, 1.0 / (norm + 1e-6))
        rate = 5e-4 * (1 - number / total)
        with torch.no_grad():
            for index, parameter in enumerate(parameters):
                first, second = moments.get(index, (0.0, 0.0))
                gradient = parameter.grad * clip
                first, second = 0.9 * first + 0.1 * gradient, 0.999 * second + 0.001 * gradient**2
                moments[index] = first, second
                step = number + 1
                change = (first / (1 - 0.9**step)) / ((second / (1 - 0.999**step)).sqrt() + 1e-8)
                parameter.sub_(rate * change)
    for mine, other in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(mine, other, atol=1e-9)


def test_the_loss_is_that_of_transformers(dataset):
    model = make_gpt2(dataset.spec.template, seed=0).eval()
    batch = torch.from_numpy(dataset.train[:8])
    with torch.no_grad():
        result = model(batch, labels=batch)
        assert next_token_loss(result.logits, batch).item() == pytest.approx(result.loss.item(), abs=1e-6)


def test_run_json_says_what_was_done_and_what_came_of_it(dataset, tmp_path):
    records = run(dataset, tmp_path / "gpt2", epochs=1.5, evaluate_every=4, seed=3)
    document = json.loads((tmp_path / "gpt2" / "run.json").read_text())
    assert [record.step.number for record in records] == list(range(1, 10))
    assert [each["step"] for each in document["evaluations"]] == [4, 6, 8, 9]
    assert ["validation_on_seen_states" in each for each in document["evaluations"]] == [
        False,
        True,
        False,
        True,
    ]
    assert DatasetSpec.from_json(document["dataset"], "") == dataset.spec
    assert document["recipe"]["seed"] == 3
    assert document["steps"] == 9
    assert document["operations"] > 6 * document["parameters"]
    board = open_model(tmp_path / "gpt2", "cpu").board()
    assert document["accuracy"] == {"seen": board.accuracy.seen, "held_out": board.accuracy.held_out}
    assert records[-1].evaluation.board.tokens.tolist() == board.tokens.tolist()


def test_validation_is_the_mean_over_the_samples(dataset, tmp_path):
    last = run(dataset, tmp_path / "gpt2", epochs=1)[-1].evaluation
    model = open_model(tmp_path / "gpt2", "cpu")
    samples = torch.from_numpy(dataset.valid)
    scores = model.network.forward(samples).logits
    assert last.validation.loss == pytest.approx(next_token_loss(scores, samples).item(), abs=1e-5)
    right = {s: bool(c) for s, c in zip(model.world.states, model.board().correct, strict=True)}
    states = [tuple(row[: dataset.spec.template.prompt_length : 2].tolist()) for row in samples]
    assert last.validation.accuracy == pytest.approx(sum(right[s] for s in states) / len(states))


def test_training_learns(default_world, tmp_path):
    generate(DatasetSpec(world=default_world, sizes=Sizes(train=3_200, valid=20, test=20)), tmp_path / "d")
    records = run(load_dataset(tmp_path / "d"), tmp_path / "gpt2", epochs=1)
    assert records[0].step.loss > 1.5
    assert records[-1].step.loss < 0.3
    assert records[-1].evaluation.board.accuracy.all > 0.4


def test_an_interrupted_training_leaves_the_old_run(dataset, tmp_path):
    run(dataset, tmp_path / "gpt2", epochs=0.5)
    before = {path.name: path.read_bytes() for path in (tmp_path / "gpt2").iterdir()}
    records = start(dataset, tmp_path / "gpt2", epochs=1)
    next(records)
    records.close()
    assert {path.name: path.read_bytes() for path in (tmp_path / "gpt2").iterdir()} == before
    run(dataset, tmp_path / "gpt2", epochs=0.5, seed=9)
    assert (tmp_path / "gpt2.previous" / "model.safetensors").read_bytes() == before["model.safetensors"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gpt2", "gpt2.previous"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": float("nan")},
        {"epochs": -1},
        {"seed": -1},
        {"seed": 2**63},
        {"threads": 0},
        {"cap": 2},
        {"learning_rate_floor": 1.5},
        {"evaluations_running": 0},
        {"epochs": 1e306},
        {"learning_rate": 1e30},
    ],
)
def test_recipes_that_are_wrong(wrong):
    with pytest.raises(RequestError, match="of a training"):
        Recipe(**wrong)


def test_all_that_is_wrong_with_a_recipe_is_told_at_once():
    with pytest.raises(RequestError) as caught:
        Recipe(epochs=-1, seed=-1, weight_decay=-1)
    assert len(caught.value.faults) == 3


@pytest.mark.parametrize("architecture", ["rnn", "cnn", "mann"])
def test_baselines_learn_by_the_same_loop(dataset, tmp_path, architecture):
    size = Size(width=16, layers=ARCHITECTURES[architecture].default_size(dataset.spec.template).layers)
    records = list(start(dataset, tmp_path / architecture, architecture, size, epochs=4, learning_rate=1e-2))
    assert records[-1].step.loss < 0.9 * records[0].step.loss
    document = json.loads((tmp_path / architecture / "run.json").read_text())
    assert document["architecture"] == architecture
    assert document["size"] == {"width": 16, "layers": size.layers}
    assert document["recipe"]["learning_rate"] == 1e-2
    assert document["samples"] == 4 * 96
    assert document["operations"] > document["parameters"]
    model = open_model(tmp_path / architecture, "cpu")
    assert document["parameters"] == sum(weight.numel() for weight in model.network.parameters().values())
    assert records[-1].evaluation.board.tokens.tolist() == model.board().tokens.tolist()
    list(start(dataset, tmp_path / "again" / architecture, architecture, size, epochs=4, learning_rate=1e-2))
    weights = [tmp_path / each / architecture / "model.safetensors" for each in ("", "again")]
    assert weights[0].read_bytes() == weights[1].read_bytes()


@pytest.fixture(scope="module")
def eight_states(second_world, tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "d"
    held_out = ((1, 1, 0),)
    generate(
        DatasetSpec(world=second_world, held_out=held_out, sizes=Sizes(train=64, valid=8, test=4)), folder
    )
    return load_dataset(folder)


def test_with_a_cap_a_training_goes_on_until_every_seen_state_is_written_twice_running(
    eight_states, tmp_path
):
    cnn = ARCHITECTURES["cnn"].default_size(eight_states.spec.template)
    recipe = {
        "epochs": 0.5,
        "cap": 60,
        "learning_rate": 2e-3,
        "learning_rate_floor": 0.5,
        "evaluate_every": 3,
    }
    records = list(start(eight_states, tmp_path / "cnn", "cnn", cnn, **recipe))
    seen = [record.evaluation.board.accuracy.seen for record in records if record.fresh]
    assert seen[-2:] == [1.0, 1.0]
    assert not any(one == other == 1.0 for one, other in pairwise(seen[:-1]))
    assert 2 < records[-1].step.number < 60 * 4
    assert json.loads((tmp_path / "cnn" / "run.json").read_text())["learnt"] is True
    rates = [record.step.learning_rate for record in records]
    assert rates[:3] == pytest.approx([2e-3, 1e-3, 1e-3])
    assert set(rates[2:]) == {1e-3}


def test_a_training_that_has_learnt_by_the_end_of_its_epochs_ends_there(eight_states, tmp_path):
    cnn = ARCHITECTURES["cnn"].default_size(eight_states.spec.template)
    recipe = {"epochs": 40, "cap": 60, "learning_rate": 2e-3, "evaluate_every": 4}
    records = list(start(eight_states, tmp_path / "cnn", "cnn", cnn, **recipe))
    assert records[-1].step.number == 40 * 4
    assert records[-1].evaluation.learnt


def test_a_training_that_never_learns_ends_at_its_cap_and_says_so(eight_states, tmp_path):
    rnn = Size(width=8, layers=1)
    recipe = {"epochs": 1, "cap": 3, "learning_rate": 1e-9, "evaluate_every": 3}
    records = list(start(eight_states, tmp_path / "rnn", "rnn", rnn, **recipe))
    assert records[-1].step.number == 3 * 4
    assert [record.step.total for record in records[::4]] == [4, 12, 12]
    assert json.loads((tmp_path / "rnn" / "run.json").read_text())["learnt"] is False


def test_a_training_that_diverges_ends_there_and_leaves_nothing(eight_states, tmp_path, monkeypatch):
    make = ARCHITECTURES["rnn"].make

    def make_broken(*arguments):
        model = make(*arguments)
        with torch.no_grad():
            model.unembed.bias[0] = float("nan")
        return model

    monkeypatch.setattr(type(ARCHITECTURES["rnn"]), "make", lambda self, *arguments: make_broken(*arguments))
    with pytest.raises(ArithmeticError, match="the loss is nan at step 1: the training has diverged"):
        list(start(eight_states, tmp_path / "rnn", "rnn", Size(width=8, layers=1), epochs=3))
    assert list(tmp_path.iterdir()) == []


def test_a_size_that_cannot_be_built_is_told_before_anything_is_written(dataset, tmp_path):
    with pytest.raises(RequestError, match="none: CNN has no attention heads"):
        list(start(dataset, tmp_path / "cnn", "cnn", Size(width=16, layers=4, heads=2)))
    assert list(tmp_path.iterdir()) == []


def test_baselines_may_take_ten_times_the_samples_of_gpt2():
    most = {name: recipe.most_steps(20_000) for name, recipe in RECIPES.items()}
    assert most == {"gpt2": 3_750} | dict.fromkeys(("rnn", "cnn", "mann"), 37_500)
    assert all(recipe.steps(20_000) == 3_750 for recipe in RECIPES.values())
