"""What guessing gives, against counting by hand, scikit-learn, and formulas that are written out one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import BernoulliNB
from sklearn.tree import DecisionTreeClassifier

from playground.datasets import SHIPPED_HOLD_OUT, DatasetSpec, guess, parse_hold_out, random_hold_out
from playground.worlds import World, parse_world


def with_counts(world: World) -> World:
    """Return a world of four inputs that has a count of many values and an output that is always the same."""
    return parse_world("inputs: P, Q, R, S\nx = P OR (Q AND R)\none = 1\ny = x XOR S\nsum(P+Q+R+S+x+y)")


def cases(world: World):
    for seed, count in enumerate((1, 2, len(world.states) // 2, len(world.states) - 1)):
        yield DatasetSpec(world=world, held_out=random_hold_out(world, count, seed))


def by_hand(spec: DatasetSpec, name: str) -> np.ndarray:
    """Return what majority and nearest neighbour say, counted state by state."""
    seen = [state for state in spec.world.states if state not in spec.held_out]
    truth = {state: spec.world.evaluate(state) for state in seen}
    table = []
    for state in spec.world.states:
        row = []
        distance = {other: sum(a != b for a, b in zip(state, other, strict=True)) for other in seen}
        near = [other for other in seen if distance[other] == min(distance.values())]
        for answer in spec.world.answers:
            all_votes = Counter(truth[other][answer] for other in seen)
            votes = Counter(truth[other][answer] for other in near)
            votes = all_votes if name == "majority" else votes
            row.append(min(votes, key=lambda value: (-votes[value], -all_votes[value], value)))
        table.append(row)
    return np.array(table)


@pytest.mark.parametrize("name", ["majority", "nearest neighbour"])
@pytest.mark.parametrize("change", [lambda world: world, with_counts])
def test_what_is_counted_is_what_counting_gives(world, name, change):
    for spec in cases(change(world)):
        [found] = [each for each in guess(spec).guesses if each.name == name]
        np.testing.assert_array_equal(found.values, by_hand(spec, name))


@pytest.mark.parametrize(
    ("name", "make"),
    [
        ("logistic regression", lambda: LogisticRegression(tol=1e-10, max_iter=10_000)),
        ("decision tree", lambda: DecisionTreeClassifier(random_state=0)),
        ("naive Bayes", BernoulliNB),
    ],
)
@pytest.mark.parametrize("change", [lambda world: world, with_counts])
def test_what_is_fitted_is_what_scikit_learn_fits(world, name, make, change):
    compared = 0
    for spec in cases(change(world)):
        [found] = [each for each in guess(spec).guesses if each.name == name]
        inputs = np.array(spec.world.states)
        seen = np.array([state not in spec.held_out for state in spec.world.states])
        for answer, truth in enumerate(spec.world.truth_table.T):
            if len(set(truth[seen])) == 1:
                assert (found.values[:, answer] == truth[seen][0]).all()
                continue
            fitted = make().fit(inputs[seen], truth[seen])
            probability = np.sort(fitted.predict_proba(inputs), axis=1)
            clear = probability[:, -1] - probability[:, -2] > 1e-4
            np.testing.assert_array_equal(
                found.values[clear, answer],
                fitted.predict(inputs)[clear],
                err_msg=f"{spec.held_out} {answer}",
            )
            compared += clear.sum()
    assert compared > 20


def test_what_is_equally_probable_is_what_is_frequent_then_what_is_small():
    """Of XOR nothing follows for logistic regression and naive Bayes: all is tied when all is seen, or nothing is."""
    world = parse_world("inputs: A, B\nx = A XOR B\ny = A AND B")
    guesses = guess(DatasetSpec(world=world))
    for name in ("logistic regression", "naive Bayes"):
        [found] = [each for each in guesses.guesses if each.name == name]
        assert found.values[:, 0].tolist() == [0, 0, 0, 0]
    assert [each.values[0, 0] for each in guesses.guesses if each.name == "decision tree"] == [0]


def test_shares_are_those_of_the_held_out_states(spec):
    guesses = guess(spec)
    truth = {state: tuple(spec.world.evaluate(state).values()) for state in spec.held_out}
    for each in guesses.guesses:
        said = {state: tuple(each.values[spec.world.states.index(state)]) for state in spec.held_out}
        right = [state for state in spec.held_out if said[state] == truth[state]]
        assert each.states_right == tuple(right)
        assert each.tally == (len(right), 2)
        assert each.whole == len(right) / 2
        for index, name in enumerate(spec.world.answers):
            share = np.mean([said[state][index] == truth[state][index] for state in spec.held_out])
            assert each.by_answer[name] == share
            assert guesses.best_by_answer[name].by_answer[name] >= share
        assert guesses.best is not None
        assert guesses.best.tally >= each.tally


def test_the_shipped_hold_out_is_no_evidence_for_the_outputs_and_all_for_the_counts(default_world):
    """All four outputs follow from the nearest neighbours, in all six states; no predictor has a whole answer."""
    guesses = guess(
        DatasetSpec(world=default_world, held_out=parse_hold_out(SHIPPED_HOLD_OUT, default_world))
    )
    assert guesses.best is not None
    assert guesses.best.tally == (0, 6)
    assert guesses.words() == "simple predictors: 0% (every predictor)"
    best = {name: each.by_answer[name] for name, each in guesses.best_by_answer.items()}
    assert [best[name] for name in default_world.outputs] == [1, 1, 1, 1]
    assert guesses.to_json() == {"predictor": guesses.best.name, "held_out": 0, "by_output": best}


def test_without_a_hold_out_there_is_no_share(world):
    guesses = guess(DatasetSpec(world=world))
    assert (guesses.best, guesses.best_by_answer, guesses.words(), guesses.to_json()) == (
        None,
        {},
        None,
        None,
    )
    for each in guesses.guesses:
        assert each.whole is None
        assert set(each.by_answer.values()) == {None}
    [tree] = [each for each in guesses.guesses if each.name == "decision tree"]
    assert tree.right.all()
