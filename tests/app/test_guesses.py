"""What a simple predictor gets right, as the pages show it."""

from __future__ import annotations

from api import predictors
from playground.datasets import (
    SHIPPED_HOLD_OUT,
    DatasetSpec,
    find_consistent_formulas,
    guess,
    parse_hold_out,
    random_hold_out,
)
from playground.worlds import World


def shown(spec: DatasetSpec) -> dict:
    return predictors.predictors_data(spec, guess(spec), find_consistent_formulas(spec))


def test_what_counts_alone_make_hard_is_said(default_world: World):
    held_out = parse_hold_out(SHIPPED_HOLD_OUT, default_world)
    data = shown(DatasetSpec(world=default_world, held_out=held_out))
    # As the predictors of scikit-learn have it: a tree finds all four rules, and cannot count.
    tree = next(each for each in data["predictors"] if each["name"] == "decision tree")
    assert tree["by_answer"][:4] == [6, 6, 6, 6]
    assert (tree["outputs"], tree["whole"]) == (6, 0)
    assert "has one of the 6 held-out states right. Counts aside, it would be 6 of 6." in data["summary"]
    # 0,0,0,0,0 is the only state whose sum is 0, and 1,1,1,1,1 the only one whose sum is 5.
    assert data["never_seen"] == ["No seen state has sum = 0 or 5."]


def test_formulas_stand_below_outputs_and_not_below_counts(default_world: World):
    spec = DatasetSpec(world=default_world, held_out=random_hold_out(default_world, 3, 1))
    data, found = shown(spec), find_consistent_formulas(spec)
    cells = data["formulas"]["by_answer"]
    assert [cell is None for cell in cells] == [False] * 4 + [True] * 2
    assert cells[0]["count"] == found.outputs[0].count
    assert found.outputs[0].smallest in cells[0]["title"]
    assert [each["state"] for each in data["states"]] == [
        ",".join(map(str, state)) for state in spec.held_out
    ]


def test_with_nothing_held_out_there_is_nothing_to_guess(second_world: World):
    spec = DatasetSpec(world=second_world)
    data = shown(spec)
    assert data["held"] == 0
    assert "No state is held out" in data["summary"]
    assert predictors.tally(spec) is None
    assert predictors.scores(spec) is None


def test_until_something_is_found_the_page_says_so(default_world: World):
    spec = DatasetSpec(world=default_world, held_out=default_world.states[:2])
    data = predictors.predictors_data(spec, None, None)
    assert "Being computed" in data["summary"]
    assert data["predictors"] == []


def test_scores_beside_models_are_the_best_of_each_answer(second_spec: DatasetSpec):
    [right, held] = predictors.tally(second_spec)
    scores = predictors.scores(second_spec)["scores"]
    assert scores[0] == (right, held) == (max(g.tally[0] for g in guess(second_spec).guesses), 1)
    for answer in range(2):
        assert scores[1 + answer][0] == max(
            int(
                g.values[second_spec.world.states.index((1, 1, 0)), answer]
                == second_spec.world.truth_table[6, answer]
            )
            for g in guess(second_spec).guesses
        )
