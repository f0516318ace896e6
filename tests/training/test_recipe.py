"""Recipes: what is wrong with one is told at once; how many steps, at what rate, with which snapshots."""

from __future__ import annotations

import json
from itertools import pairwise

import pytest

from playground.errors import RequestError
from playground.models import ARCHITECTURES
from playground.training import Recipe, TrainingOverrides, default_recipe, longest_first


@pytest.mark.parametrize(
    "wrong",
    [
        {"epochs": 0},
        {"epochs": float("nan")},
        {"epochs": -1},
        {"epochs": 1e306},
        {"threads": 0},
        {"batch_size": 0},
        {"evaluate_every": 0},
        {"gradient_norm": 0},
        {"evaluations_running": 0},
        {"cap": 2},
        {"cap": float("nan")},
        {"cap": 1e7},
        {"learning_rate": 0},
        {"learning_rate": 1e30},
        {"learning_rate_floor": 1.5},
        {"learning_rate_floor": -0.1},
        {"weight_decay": -1},
        {"weight_decay": float("inf")},
        {"dropout": 1},
        {"dropout": -0.1},
        {"dropout": float("nan")},
    ],
)
def test_recipes_that_are_wrong(wrong):
    (name,) = wrong
    with pytest.raises(RequestError) as caught:
        Recipe(**wrong)
    (fault,) = caught.value.faults
    said = "epochs" if wrong == {"cap": 1e7} else name  # As many epochs as that are too many for either.
    assert fault.message == f"invalid {said.replace('_', ' ')}"
    assert str(getattr(Recipe(), said)) in fault.hint


def test_all_that_is_wrong_with_a_recipe_is_told_at_once():
    wrong = {"epochs": -1, "dropout": 2, "weight_decay": -1, "threads": 0, "learning_rate": 7}
    with pytest.raises(RequestError) as caught:
        Recipe(**wrong)
    rules = {fault.message.removeprefix("invalid ").replace(" ", "_") for fault in caught.value.faults}
    assert rules == wrong.keys()
    assert {fault.got for fault in caught.value.faults} == {"-1", "2", "0", "7"}


@pytest.mark.parametrize(
    "recipe",
    [
        *map(default_recipe, ARCHITECTURES),
        Recipe(
            epochs=0.5,
            cap=7,
            until_learned=True,
            evaluations_running=5,
            batch_size=3,
            learning_rate=0.25,
            learning_rate_floor=0.5,
            weight_decay=0.1,
            gradient_norm=2.5,
            dropout=0.2,
            evaluate_every=9,
            threads=4,
        ),
    ],
)
def test_a_recipe_is_read_as_it_was_written(recipe):
    document = json.loads(json.dumps(recipe.to_json()))
    assert Recipe.from_json(document) == recipe
    assert document["optimizer"] == "AdamW"
    for name in document.keys() - {"optimizer", "schedule"}:
        assert document[name] == getattr(recipe, name)


@pytest.mark.parametrize(
    ("recipe", "samples", "steps", "most"),
    [
        (Recipe(), 20_000, 3_750, 3_750),
        (Recipe(epochs=1, cap=2.5), 20_000, 1_250, 3_125),
        (Recipe(epochs=0.5), 56, 2, 2),
        (Recipe(epochs=1e-9), 56, 1, 1),
        (Recipe(epochs=3), 1, 3, 3),
        (Recipe(epochs=3), 17, 6, 6),
    ],
)
def test_how_many_steps_it_takes(recipe, samples, steps, most):
    assert recipe.steps(samples) == steps
    assert recipe.most_steps(samples) == most


@pytest.mark.parametrize(("steps", "seen"), [(0, 0), (1, 16), (3, 48), (4, 56), (5, 72), (8, 112)])
def test_how_many_samples_so_many_steps_see(steps, seen):
    batches = [16, 16, 16, 8] * 2
    assert Recipe().samples(steps, 56) == seen == sum(batches[:steps])


def test_the_learning_rate_falls_linearly_to_its_floor():
    recipe = Recipe(learning_rate=0.1, learning_rate_floor=0.25)
    rates = [recipe.learning_rate_at(share) for share in (0, 0.25, 0.5, 0.75, 1, 2)]
    assert rates == pytest.approx([0.1, 0.075, 0.05, 0.025, 0.025, 0.025])
    assert Recipe(learning_rate=0.1).learning_rate_at(3) == 0


def test_baselines_may_take_ten_times_the_samples_of_gpt2():
    recipes = {name: default_recipe(name) for name in ARCHITECTURES}
    most = {name: recipe.most_steps(20_000) for name, recipe in recipes.items()}
    assert most == {"gpt2": 3_750} | dict.fromkeys(("rnn", "cnn", "mann"), 37_500)
    assert all(recipe.steps(20_000) == 3_750 for recipe in recipes.values())


def test_of_all_architectures_those_that_take_longest_begin_first():
    assert longest_first(ARCHITECTURES) == ["gpt2", "mann", "rnn", "cnn"]


def snapshots(steps: int) -> list[int]:
    """Return after which steps a training of so many keeps the model, but for the last."""
    recipe = Recipe(epochs=steps, batch_size=1)
    assert recipe.steps(1) == steps
    return [step for step in range(steps) if recipe.is_snapshot(step, 1)]


def test_one_that_is_to_learn_until_it_can_still_learns_after_its_usual_epochs():
    recipe = TrainingOverrides(until_learned=True).recipe("gpt2")
    assert recipe.cap == 10 * recipe.epochs
    assert recipe.learning_rate_at(0.5) == default_recipe("gpt2").learning_rate_at(0.5)
    assert recipe.learning_rate_at(5) == pytest.approx(0.1 * recipe.learning_rate)
    assert default_recipe("gpt2").learning_rate_at(1) == 0


def test_one_that_may_end_early_has_twenty_snapshots_by_then():
    recipe = TrainingOverrides(until_learned=True).recipe("gpt2")
    assert sum(recipe.is_snapshot(step, 20_000) for step in range(400)) >= 20


def test_snapshots_of_the_usual_recipe():
    assert snapshots(3_750) == [
        *range(0, 501, 50),
        *range(600, 1_001, 100),
        *range(1_200, 2_001, 200),
        *range(2_400, 3_750, 400),
    ]


@pytest.mark.parametrize("steps", [1, 2, 10, 19])
def test_a_short_training_has_a_snapshot_after_every_one_of_its_first_steps(steps):
    assert snapshots(steps)[:11] == list(range(min(steps, 11)))


def test_there_are_twenty_snapshots_of_a_training_of_forty_steps_and_never_many():
    lengths = [*range(40, 130), *range(130, 160, 5), 299, 300, 599, 600, 2_999, 3_000, 5_999, 6_000]
    few = {steps: len(snapshots(steps)) for steps in lengths}
    assert {steps: count for steps, count in few.items() if not 20 <= count <= 40} == {}


@pytest.mark.parametrize("steps", [40, 3_750])
def test_snapshots_are_closer_together_at_first(steps):
    kept = snapshots(steps)
    gaps = [later - earlier for earlier, later in pairwise(kept)]
    assert gaps == sorted(gaps)
    assert gaps[-1] >= 4 * gaps[0]
    # Round numbers: those that are easy to ask for.
    assert str(gaps[0]).strip("0") in ("1", "2", "5")
