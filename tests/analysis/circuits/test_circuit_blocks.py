"""What is shown of circuits, counted again from boards, and from right and wrong subset by subset."""

from __future__ import annotations

from dataclasses import replace
from itertools import permutations

import numpy as np
import pytest

from playground.analysis.base.presentation import Curve, Heatmap, Sentence, Table
from playground.analysis.base.view import View
from playground.analysis.circuits import circuit_blocks
from playground.analysis.circuits import circuits as measuring
from playground.analysis.circuits.circuit_blocks import CIRCUITS
from playground.analysis.circuits.circuits import Circuits, measure_circuits
from playground.analysis.circuits.smallest import JUDGED, find_smallest
from playground.analysis.duration import estimate_seconds
from playground.inference import Model
from tests.analysis.small_gpt2 import HEADS, LAYERS, judged_by_itself, make_small

NAMES = tuple(f"L{layer}H{head}" for layer in range(LAYERS) for head in range(HEADS))


@pytest.fixture(scope="module")
def small(spec, tmp_path_factory) -> Model:
    return judged_by_itself(make_small(spec, tmp_path_factory.mktemp("small") / "gpt2"))


@pytest.fixture(scope="module")
def measured(small) -> Circuits:
    *_, found = measure_circuits(small)
    return found


def right(measured: Circuits, target: str, kept: tuple[str, ...]) -> np.ndarray:
    """Return in which states a target is right with some heads."""
    (row,) = [row for row in range(len(measured.subsets)) if measured.heads_in(row) == kept]
    return measured.right_in(measured.targets.index(target))[row]


def test_the_smallest_sets_keep_on_boards_what_is_said_of_them(small, measured):
    table, caution, *_ = CIRCUITS.present(measured, View(small))
    assert isinstance(table, Table)
    assert caution == Sentence(text=JUDGED, is_caution=True)
    assert [row.cells[0] for row in table.rows] == [*small.world.answers, "everything"]
    for row, expected in zip(table.rows, find_smallest(measured), strict=True):
        target, needed, count, kept, states, decoded, proven = row.cells
        heads = () if kept == "none" else tuple(str(kept).split(", "))
        whole = right(measured, target, NAMES)
        assert right(measured, target, heads)[whole].all()
        assert (needed, count) == (f"{len(heads)} of {len(NAMES)}", expected.count)
        assert states == f"{whole.sum()} states"
        board = small.board(";".join(f"mean:{head}" for head in NAMES if head not in heads))
        on_board = (
            board.correct
            if target == "everything"
            else (board.written == board.truth)[:, small.world.answers.index(target)]
        )
        assert decoded == f"{on_board.sum()} of {len(on_board)}"
        assert proven == "yes"


def test_the_worth_of_a_head_is_its_mean_gain_and_its_cases_are_what_it_breaks(small, measured):
    view = View(small, answer=small.world.answers[-1])
    (block,) = [each for each in CIRCUITS.present(measured, view) if isinstance(each, Heatmap)]
    assert (block.rows, block.columns) == (NAMES, measured.targets)
    assert block.groups == tuple(name[:2] for name in NAMES)
    orders, changed = list(permutations(NAMES)), 0
    for (row, head), (column, target) in (
        (one, other) for one in enumerate(NAMES) for other in enumerate(measured.targets)
    ):
        gains = {True: [], False: []}
        for order in orders:
            place = order.index(head)
            with_it, without = (
                right(measured, target, tuple(sorted(order[:stop]))) for stop in (place + 1, place)
            )
            for held_out, found in gains.items():
                states = measured.held_out == held_out
                found.append(with_it[states].mean() - without[states].mean())
        assert block.values[row, column] == pytest.approx(np.mean(gains[False]))
        assert float(block.notes[row][column][2:].replace("−", "-")) == pytest.approx(
            np.mean(gains[True]), abs=0.006
        )
        whole = right(measured, target, NAMES)
        less = right(measured, target, tuple(name for name in NAMES if name != head))
        alone = right(measured, target, (head,))
        cases = block.cases(row, column)
        said = {str(case.cells[0]): [cell == "right" for cell in case.cells[1:]] for case in cases.rows}
        assert said == {
            state: [bool(each[index]) for each in (whole, less, alone)]
            for index, state in enumerate(view.states)
        }
        assert [case.as_expected for case in cases.rows] == sorted((whole == less).tolist())
        assert f"turns wrong in {(whole & ~less).sum()} of" in cases.caption
        changed += int((whole != less).sum())
        selected = block.selects(row, column)
        answer = None if target == "everything" else target
        assert (selected.part, selected.answer) == (head, answer)
        assert selected.token == (answer and view.writing(answer))
    assert changed
    assert np.abs(block.values).max() <= 1


def test_curves_follow_the_sets_that_are_best_in_seen_states(small, measured):
    every = [each for each in CIRCUITS.present(measured, View(small)) if isinstance(each, Curve)]
    assert {each.title for each in every} == {f"{target} by number of heads" for target in measured.targets}
    seen, held_out = ~measured.held_out, measured.held_out
    for index, target in enumerate(measured.targets):
        (curve,) = [each for each in every if each.title == f"{target} by number of heads"]
        assert curve.places == tuple(range(5))
        lines = {line.name: line.values for line in curve.lines}
        for size in curve.places:
            rows = [row for row in range(16) if measured.subsets[row].sum() == size]
            shares = {row: measured.right_in(index)[row][seen].mean() for row in rows}
            best = [row for row in rows if shares[row] == max(shares.values())]
            assert lines["the best sets, seen states"][size] == pytest.approx(max(shares.values()))
            assert lines["all sets on average, seen states"][size] == pytest.approx(
                np.mean(list(shares.values()))
            )
            assert lines["the best sets, held-out states"][size] == pytest.approx(
                np.mean([measured.right_in(index)[row][held_out].mean() for row in best])
            )
    answer = small.world.answers[0]
    chosen = [
        each for each in CIRCUITS.present(measured, View(small, answer=answer)) if isinstance(each, Curve)
    ]
    assert [(each.title.split()[0], each.folded) for each in chosen] == [
        (answer, False),
        ("everything", True),
    ]


def test_on_the_way_there_are_sets_so_far_and_no_worth(small, measured):
    half = replace(measured, done=measured.subsets[:, 0])
    table, _, *curves = CIRCUITS.present(half, View(small))
    assert {row.cells[-1] for row in table.rows} == {"there may be smaller ones"}
    assert len(curves) == len(measured.targets)
    assert all(np.isnan(line.values[0]) for curve in curves for line in curve.lines), "no set without heads"
    assert all(np.isfinite(line.values[1:]).all() for curve in curves for line in curve.lines)
    nothing = replace(measured, done=np.zeros_like(measured.done))
    blocks = list(CIRCUITS.present(nothing, View(small)))
    assert len(blocks) == len(measured.targets)
    assert all(np.isnan(line.values).all() for curve in blocks for line in curve.lines)


def test_where_orders_were_drawn_cases_are_there_for_heads_that_were_left_out_alone(small, monkeypatch):
    monkeypatch.setattr(measuring, "MOST_HEADS", 3)
    *_, sampled = measure_circuits(small, orders=1, seed=5)
    (block,) = [each for each in CIRCUITS.present(sampled, View(small)) if isinstance(each, Heatmap)]
    assert "from 1 order drawn" in block.caption
    assert all(block.cases(head, 0) is None for head in range(4)), (
        "one order alone has not both sets of any head"
    )


def test_what_takes_time_is_computed_once(small, measured, monkeypatch):
    calls = []

    def count(name: str):
        real = getattr(circuit_blocks, name)

        def counted(*arguments):
            calls.append(name)
            return real(*arguments)

        return counted

    for name in ("find_smallest", "measure_shapley", "_kept_by_size"):
        monkeypatch.setattr(circuit_blocks, name, count(name))
    for answer in small.world.answers[:2]:
        for _ in range(3):
            list(CIRCUITS.present(measured, View(small, answer=answer)))
    assert calls.count("find_smallest") == calls.count("measure_shapley") == 1
    assert calls.count("_kept_by_size") == 3, "of two answers, and of everything"


def test_a_model_without_heads_has_none(random_baseline):
    assert CIRCUITS.unavailable_reason(random_baseline.network) == "it has no attention"
    assert estimate_seconds(CIRCUITS, random_baseline) is None
