"""Simple predictors of a world's answers, fitted on some of its states.

Each is given the inputs of the seen states, every state once, and their values of one answer, and says how
probable each value is in every state of the world. What is said is the most probable value. Where several are
equally probable, as they often are in a world so regular, it is the one of them that most seen states have,
then the smallest: never what happens to stand first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from jaxtyping import Bool, Float, Int

from playground.worlds import World

TIED = 1e-6
"""Probabilities that differ by less count as equal: two ways of adding up the same are no reason to choose."""

Probabilities = Float[np.ndarray, "state value"]
Inputs = Float[np.ndarray, "_ input"]
Predictor = Callable[[Inputs, Int[np.ndarray, " seen"], Inputs], Probabilities]
"""Inputs of seen states, their values as indices, inputs of all states -> how probable each value is in each."""


def predict(world: World, seen: Bool[np.ndarray, " state"], name: str) -> Int[np.ndarray, "state answer"]:
    """Return the predictions of a predictor for all answers in all states.

    Args:
        world: gives states and answers.
        seen: the states that it is fitted on, at least one.
        name: one of `PREDICTORS`.
    """
    # Imported here: it takes a second, and a world and its samples need none of it.
    from sklearn import config_context

    inputs = np.array(world.states, dtype=np.float64)
    table = np.empty_like(world.truth_table)
    # What it would look for is known not to be there; looking takes longer than fitting.
    with config_context(assume_finite=True, skip_parameter_validation=True):
        for answer, truth in enumerate(world.truth_table.T):
            values, indices, counts = np.unique(truth[seen], return_inverse=True, return_counts=True)
            if len(values) == 1:
                table[:, answer] = values
                continue
            probability = PREDICTORS[name](inputs[seen], indices, inputs)
            frequent_first = np.lexsort((values, -counts))
            tied = probability >= probability.max(1, keepdims=True) - TIED
            table[:, answer] = values[frequent_first][tied[:, frequent_first].argmax(1)]
    return table


def _nearest_neighbour(inputs: Inputs, values: Int[np.ndarray, " seen"], everywhere: Inputs) -> Probabilities:
    """Return the shares of each value among the nearest seen states: all of them that differ in fewest inputs.

    scikit-learn's own takes a fixed number of neighbours, and of those equally near the ones that stand first.
    """
    from scipy.spatial.distance import cdist

    distance = cdist(everywhere, inputs, "cityblock")
    nearest = distance == distance.min(1, keepdims=True)
    return nearest @ np.eye(values.max() + 1)[values] / nearest.sum(1, keepdims=True)


def _fitted(make: Callable[[], Any]) -> Predictor:
    """Return the predictor that fits an estimator of scikit-learn."""

    def predictor(inputs: Inputs, values: Int[np.ndarray, " seen"], everywhere: Inputs) -> Probabilities:
        return make().fit(inputs, values).predict_proba(everywhere)

    return predictor


def _majority() -> Any:
    from sklearn.dummy import DummyClassifier

    return DummyClassifier(strategy="prior")


def _logistic_regression() -> Any:
    from sklearn.linear_model import LogisticRegression

    # The solver that comes closest to the one optimum there is, so that what is tied is seen to be.
    return LogisticRegression(solver="newton-cholesky", tol=TIED**2)


def _decision_tree() -> Any:
    from sklearn.tree import DecisionTreeClassifier

    # Of splits that are equally good one is drawn.
    return DecisionTreeClassifier(random_state=0)


def _naive_bayes() -> Any:
    from sklearn.naive_bayes import BernoulliNB

    return BernoulliNB()


PREDICTORS: Mapping[str, Predictor] = {
    "majority": _fitted(_majority),
    "nearest neighbour": _nearest_neighbour,
    "logistic regression": _fitted(_logistic_regression),
    "decision tree": _fitted(_decision_tree),
    "naive Bayes": _fitted(_naive_bayes),
}
