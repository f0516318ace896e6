"""Which answers are looked at, and what is right and wrong there, by hand."""

from __future__ import annotations

import numpy as np
import pytest

from playground.analysis.base.answers import chained_answers, find_answers
from playground.datasets import Template
from playground.errors import RequestError
from playground.worlds import parse_world


def test_answers_that_hang_together(default_world, second_world):
    assert chained_answers(default_world) == ("newA", "newB", "newC", "newD", "sum2")
    assert chained_answers(second_world) == ("first", "second")
    apart = parse_world("inputs: X, Y\none = X\ntwo = NOT Y\nthree = NOT one\n")
    assert chained_answers(apart) == ("one", "three")
    assert chained_answers(parse_world("inputs: X, Y\none = X\ntwo = NOT Y\n")) == ("one", "two")


def test_positions_right_and_wrong(default_world):
    template = Template(default_world)
    answers = find_answers(template, ["sum", "newD", "sum"])
    assert answers.names == ("newD", "sum")
    assert answers.positions.tolist() == [15, 17]
    row = default_world.states.index((0, 1, 1, 1, 0))  # newD = A OR NOT D = 0, the sum is 3.
    assert answers.right[:, row].tolist() == [template.ids["0"], template.ids["3"]]
    assert answers.other[:, row].tolist() == [template.ids["1"], -1]
    logits = np.zeros((2, 32, len(template.vocabulary)))
    logits[0, row, template.ids[","]], logits[0, row, template.ids["1"]] = 9.0, 4.0
    logits[1, row, template.ids["3"]], logits[1, row, template.ids[" - "]] = 5.0, 2.0
    wrong = answers.wrong(logits)
    assert wrong[:, row].tolist() == [template.ids["1"], template.ids[" - "]]
    assert answers.best_wrong(logits)[:, row].tolist() == [template.ids[","], template.ids[" - "]]
    assert answers.ahead(logits, wrong)[:, row].tolist() == [-4.0, 3.0]


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (
            ["newE", "A"],
            "newE: unknown answer: expected one of newA",
        ),
        (["newE", "A"], "got A, an input, which is given"),
        ([], "got none. Leave the answers out"),
    ],
)
def test_a_wrong_request_says_what_would_be_right(default_world, names, message):
    with pytest.raises(RequestError) as caught:
        find_answers(Template(default_world), names)
    assert message in str(caught.value)
