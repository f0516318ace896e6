"""What is shown of the emergence of routes, of made-up numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from playground.analysis.base.presentation import Selection
from playground.analysis.base.view import View
from playground.analysis.emergence import EMERGENCE, Emergence

NAN = float("nan")


@pytest.fixture
def found(random_model) -> Emergence:
    return Emergence(
        model=random_model.name,
        interventions=(),
        steps=(0, 800, 1600, 2400),
        answers=("p", "q"),
        read=np.array([[0.6, 0.2], [0.25, 0.3], [0.75, 0.4], [1.0, 0.4]]),
        recomputed=np.array([[0.1, 0.7], [0.5, 0.6], [0.1, 0.3], [0.0, 0.5]]),
        variables=(("A", "p"), ("p", "q")),
        exchanged=np.array([[0.0, NAN], [0.5, 1.0], [0.25, 0.75], [1.0, 1.0]]),
        seen=np.array([0.0, 0.5, 0.75, 1.0]),
        held_out=np.array([0.0, 0.0, 0.25, 0.5]),
        by_answer=np.zeros((4, len(random_model.world.answers))),
        done=np.ones(4, dtype=bool),
    )


def test_every_share_stands_in_its_row_and_leads_to_its_step(random_model, found):
    _, curve, grid = EMERGENCE.present(found, View(random_model))
    expected = {
        "p read": found.read[:, 0],
        "p recomputed": found.recomputed[:, 0],
        "p follows A": found.exchanged[:, 0],
        "q read": found.read[:, 1],
        "q recomputed": found.recomputed[:, 1],
        "q follows p": found.exchanged[:, 1],
        "seen states right": found.seen,
        "held-out states right": found.held_out,
    }
    assert grid.rows == tuple(expected)
    assert np.array_equal(grid.values, np.array(list(expected.values())), equal_nan=True)
    assert grid.groups == ("p", "p", "p", "q", "q", "q", "right", "right")
    assert grid.columns == curve.places == ("0", "800", "1,600", "2,400")
    for row in range(len(grid.rows)):
        assert [grid.selects(row, column) for column in range(4)] == [
            Selection(step=step) for step in found.steps
        ]
    lines = {(line.panel, line.name): line.values.tolist() for line in curve.lines}
    assert list(lines) == [
        *((answer, way) for answer in "pq" for way in ("read", "recomputed")),
        ("right", "seen states right"),
        ("right", "held-out states right"),
    ]
    assert lines["q", "read"] == [0.2, 0.3, 0.4, 0.4]


def test_the_sentence_says_since_when(random_model, found):
    said, *_ = EMERGENCE.present(found, View(random_model))
    assert "From step 1,600 on, p is mostly read as written; after 2,400 it is read in 100%" in said.text
    assert "After 2,400 steps, q is mostly neither read nor recomputed: it is read in 40%" in said.text
    assert "100% of the seen states are right then, and 50% of the held-out ones." in said.text


def test_what_is_not_measured_is_empty_and_not_spoken_of(random_model, found):
    partial = replace(found, done=np.array([True, True, False, False]))
    said, _, grid = EMERGENCE.present(partial, View(random_model))
    assert "From step 0 on, q is mostly recomputed from the inputs; after 800 it is read in 30%" in said.text
    assert "2,400" not in said.text
    assert np.isnan(grid.values[:, 2:]).all()
    nothing = replace(found, done=np.zeros(4, dtype=bool))
    curve, grid = EMERGENCE.present(nothing, View(random_model))
    assert np.isnan(grid.values).all()
    assert curve.unit == grid.unit == "share"


def test_without_held_out_states_there_is_no_row_of_them(all_seen, found):
    said, curve, grid = EMERGENCE.present(replace(found, held_out=np.full(4, NAN)), View(all_seen))
    assert grid.rows[-1] == curve.lines[-1].name == "seen states right"
    assert "held-out" not in said.text
