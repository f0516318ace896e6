"""What is shown of edges, held against scores and trials one by one."""

from __future__ import annotations

import pytest

from playground.analysis.base.presentation import Curve, Sentence, Table
from playground.analysis.base.view import View
from playground.analysis.duration import estimate_seconds
from playground.analysis.edges.edge_blocks import EDGES, EDGES_OF_EACH, EDGES_SHOWN
from playground.analysis.edges.edges import Edges, measure_edges
from playground.inference import Model
from tests.analysis.small_gpt2 import make_small


@pytest.fixture(scope="module")
def small(spec, tmp_path_factory) -> Model:
    return make_small(spec, tmp_path_factory.mktemp("small") / "gpt2")


@pytest.fixture(scope="module")
def steps(small) -> list[Edges]:
    return list(measure_edges(small, sizes=(5, 40), steps=1))


def of(text: object) -> float:
    return float(str(text).replace("−", "-").rstrip("%"))


def test_edges_are_those_with_the_largest_scores(small, steps):
    found = steps[-1]
    for answer, name in enumerate(found.answers):
        scores = {
            (writer, reader, token): found.scores[answer, i, j, k]
            for i, writer in enumerate(found.writers)
            for j, reader in enumerate(found.readers)
            for k, token in enumerate(found.positions)
            if found.exists[answer, i, j, k]
        }
        *_, table = EDGES.present(found, View(small, answer=name))
        assert isinstance(table, Table)
        assert len(table.rows) == min(EDGES_SHOWN, len(scores))
        for row in table.rows:
            assert of(row.cells[3]) == pytest.approx(scores.pop(tuple(row.cells[:3])), abs=0.006)
            assert (row.selects.part, row.selects.token) == (row.cells[0], row.cells[2])
        least = abs(of(table.rows[-1].cells[3]))
        assert all(abs(score) <= least + 0.006 for score in scores.values())


def test_trials_are_drawn_and_listed(small, steps):
    found = steps[-1]
    for answer in found.answers:
        curve, table, _ = EDGES.present(found, View(small, answer=answer))
        trials = [each for each in found.trials if each.answer == answer]
        assert isinstance(curve, Curve)
        assert curve.is_logarithmic
        assert curve.places == tuple(each.edges for each in trials) == tuple(sorted(curve.places))
        assert {line.name: line.values.tolist() for line in curve.lines} == {
            "recovered": [each.recovered for each in trials],
            "estimated by scores": [each.estimated for each in trials],
            "pairs right": [each.right for each in trials],
        }
        assert [line.values[-1] for line in curve.lines[:2]] == pytest.approx([1, 1], abs=1e-4), (
            "all edges keep all"
        )
        for row, trial in zip(table.rows, trials, strict=True):
            assert row.cells[0] == f"{trial.edges:,} of {trial.of:,}"
            shares = (trial.estimated, trial.recovered, trial.right, trial.right_seen, trial.right_held_out)
            assert [of(cell) for cell in row.cells[1:]] == pytest.approx(
                [100 * share for share in shares], abs=0.51
            )


def test_what_is_known_is_shown_on_the_way(small, steps):
    last = small.world.answers[-1]
    (sentence,) = EDGES.present(steps[0], View(small, answer=last))
    assert isinstance(sentence, Sentence)
    assert "no scores yet" in sentence.text
    scored = next(each for each in steps if each.scored.all())
    (table,) = EDGES.present(scored, View(small, answer=last))
    assert isinstance(table, Table)
    every = list(EDGES.present(steps[-1], View(small)))
    assert {block.title.split()[-1] for block in every} == set(small.world.answers)
    reading = [
        name for name, read in small.world.dependencies.items() if set(read) & set(small.world.outputs)
    ]
    assert {block.title.split()[-1] for block in every if not block.folded} == set(reading)
    assert {len(block.rows) for block in every if block.title.startswith("edges of")} == {EDGES_OF_EACH}
    assert len(EDGES.figures(steps[-1], small)["answers"]) == len(small.world.answers)
    assert EDGES.figures(steps[0], small)["answers"] == {}


def test_where_scores_do_not_differ_there_is_nothing_to_trace(small):
    *_, found = measure_edges(small, "zero:embed", sizes=(5,), steps=1)
    assert not found.gap.any()
    for block in EDGES.present(found, View(small)):
        assert isinstance(block, Sentence)
        assert "no edge carries a difference" in block.text


def test_a_model_without_heads_has_none(random_baseline):
    assert EDGES.unavailable_reason(random_baseline.network) == "it has no attention"
    assert estimate_seconds(EDGES, random_baseline) is None
