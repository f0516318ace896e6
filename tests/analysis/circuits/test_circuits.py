"""Circuits: every subset of the heads, held against boards and against transformers under hooks."""

from __future__ import annotations

import random
from dataclasses import replace
from itertools import combinations, permutations, product
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.analysis.circuits import circuits as module
from playground.analysis.circuits import subsets
from playground.analysis.circuits.circuits import Circuits, Decoded, measure_circuits
from playground.analysis.circuits.shapley import measure_shapley
from playground.analysis.circuits.smallest import find_smallest
from playground.errors import RequestError
from playground.inference import Model, load_model, open_model
from tests.analysis.small_gpt2 import (
    HEADS,
    LAYERS,
    as_transformers,
    gathered,
    heads_replaced,
    judged_by_itself,
    make_small,
)

SHIPPED = Path(__file__).parents[3] / "models" / "shipped"
NAMES = [f"L{layer}H{head}" for layer in range(LAYERS) for head in range(HEADS)]


@pytest.fixture(scope="module")
def small(spec, tmp_path_factory) -> Model:
    return judged_by_itself(make_small(spec, tmp_path_factory.mktemp("small") / "gpt2"))


@pytest.fixture(scope="module")
def measured(small) -> Circuits:
    return last(small)


def last(model: Model, *arguments, **options) -> Circuits:
    *_, found = measure_circuits(model, *arguments, **options)
    return found


def silencing(circuits: Circuits, subset: int) -> str:
    return ";".join(f"mean:{head}" for head in circuits.heads if head not in circuits.heads_in(subset))


def test_every_subset_answers_as_transformers_does_with_its_other_heads_at_their_means(small, measured):
    gpt2, template = as_transformers(small), small.template
    means = {head: value.mean(0) for head, value in gathered(gpt2, small.baseline_run.tokens).items()}
    truth, seen = torch.from_numpy(template.truth), set()
    assert measured.subsets.shape == (16, 4)
    for subset, kept in enumerate(measured.subsets):
        silent = {divmod(head, HEADS): means[divmod(head, HEADS)] for head in np.flatnonzero(~kept)}
        with heads_replaced(gpt2, silent):
            right = (gpt2(truth).logits[:, :-1].argmax(-1) == truth[:, 1:]).numpy()
        for number, position in enumerate(template.answer_positions):
            assert (measured.right_in(number)[subset] == right[:, position - 1]).all()
            seen.add(int(right[:, position - 1].sum()))
        assert (measured.right_in(-1)[subset] == right[:, template.prompt_length - 1 :].all(-1)).all()
    assert len(seen) > 3, "what stays right differs from subset to subset"


@pytest.mark.slow
@pytest.mark.parametrize("edits", ["", "zero:L0.mlp@>{0}..;scale:L1H0~0.5", "flip:L1H1.W_V", "mean:L0H1"])
def test_everything_is_right_where_a_board_says_so(small, edits):
    edits = edits.format(small.world.outputs[0])
    circuits = last(small, edits)
    assert circuits.interventions == (tuple(edits.split(";")) if edits else ())
    assert circuits.exhaustive
    seen = set()
    for subset in range(0, len(circuits.subsets), 3 if edits else 1):
        board = small.board(";".join(filter(None, (edits, silencing(circuits, subset)))))
        assert (circuits.right_in(-1)[subset] == board.correct).all(), circuits.heads_in(subset)
        seen.add(int(board.correct.sum()))
    assert (circuits.held_out == small.baseline.held_out).all()
    if not edits:
        assert len(seen) > 1
        assert circuits.right_in(-1)[circuits.whole].all()


def test_of_the_shipped_model_any_subsets_are_those_of_its_boards():
    model = open_model(SHIPPED / "gpt2", "cpu")
    steps = measure_circuits(model)
    first = next(steps)
    steps.close()
    assert first.progress == (module.REPORTED, 2**16)
    assert (first.right_in(-1)[first.whole] == model.baseline.correct).all()
    few = random.Random(0).sample(range(2**16), 8)
    circuits = last(model, begun=replace(first, done=~np.isin(np.arange(2**16), few)))
    right = circuits.right_in(-1)[few]
    for subset, found in zip(few, right, strict=True):
        assert (found == model.board(silencing(circuits, subset)).correct).all(), subset
    assert len(set(right.sum(1).tolist())) > 3


def test_it_can_be_left_and_gone_on_with(small, measured, monkeypatch):
    monkeypatch.setattr(module, "REPORTED", 3)
    monkeypatch.setattr(subsets, "BLOCK", 1)
    steps = measure_circuits(small)
    first, second = next(steps), next(steps)
    steps.close()
    assert first.progress == (3, 16)
    assert first.done[first.whole], "the whole model comes first"
    assert second.progress == (6, 16)
    assert not second.right[~second.done].any()
    on = list(measure_circuits(small, begun=second))
    assert [each.progress[0] for each in on] == [9, 12, 15, 16]
    assert second.progress == (6, 16), "what was handed out stays as it was"
    for name in ("right", "done", "subsets"):
        assert (getattr(on[-1], name) == getattr(measured, name)).all()
    (again,) = measure_circuits(small, begun=on[-1])
    assert (again.right == measured.right).all()
    with pytest.raises(RequestError, match="Measure from the beginning"):
        measure_circuits(small, "zero:L0.mlp", begun=second)


def test_with_many_heads_beginnings_of_orders_are_measured(small, measured, monkeypatch):
    monkeypatch.setattr(module, "MOST_HEADS", 3)
    sampled = last(small, orders=3, seed=5)
    assert not sampled.exhaustive
    assert sampled.orders.shape == (3, 4)
    assert 4 < len(sampled.subsets) < 12
    expected = {frozenset(order[:size]) for order in sampled.orders.tolist() for size in range(5)}
    assert {frozenset(np.flatnonzero(kept).tolist()) for kept in sampled.subsets} == expected
    numbers = sampled.subsets @ (2 ** np.arange(4))
    assert (sampled.right == measured.right[numbers]).all()
    assert (last(small, orders=3, seed=6).orders != sampled.orders).any()
    assert not find_smallest(sampled)[-1].proven

    many = measure_shapley(last(small, orders=300, seed=1))
    exact = measure_shapley(measured)
    assert not many.exact
    assert many.orders == 300
    worth = shares(measured, ~measured.held_out)
    gains = np.array(
        [gain_by_head(order, worth) for order in last(small, orders=300, seed=1).orders.tolist()]
    )
    np.testing.assert_allclose(many.seen.values, gains.mean(0), atol=1e-12)
    np.testing.assert_allclose(many.seen.error, gains.std(0, ddof=1) / 300**0.5, atol=1e-12)
    assert (np.abs(many.seen.values - exact.seen.values) <= 4 * many.seen.error + 1e-9).all()
    assert (many.seen.error > 0).any()
    np.testing.assert_allclose(many.seen.values.sum(0), many.seen.whole - many.seen.none, atol=1e-12)


def shares(circuits: Circuits, states: np.ndarray) -> dict[frozenset[int], np.ndarray]:
    """Return for every subset, by its heads' numbers, the shares of states in which each target is right."""
    return {
        frozenset(np.flatnonzero(kept).tolist()): np.array(
            [circuits.right_in(target)[row][states].mean() for target in range(len(circuits.targets))]
        )
        for row, kept in enumerate(circuits.subsets)
    }


def gain_by_head(order, worth: dict[frozenset[int], np.ndarray]) -> list[np.ndarray]:
    """Return what each head gains when the heads are added in an order."""
    gains = {
        head: worth[frozenset(order[: place + 1])] - worth[frozenset(order[:place])]
        for place, head in enumerate(order)
    }
    return [gains[head] for head in sorted(gains)]


def test_shapley_values_are_mean_gains_over_all_orders(measured):
    found = measure_shapley(measured)
    assert found.exact
    assert found.held_out is not None
    for part, states in ((found.seen, ~measured.held_out), (found.held_out, measured.held_out)):
        worth = shares(measured, states)
        expected = np.mean([gain_by_head(order, worth) for order in permutations(range(4))], axis=0)
        np.testing.assert_allclose(part.values, expected, atol=1e-12)
        assert part.error is None
        # Efficiency.
        whole, none = worth[frozenset(range(4))], worth[frozenset()]
        np.testing.assert_allclose(part.values.sum(0), whole - none, atol=1e-12)
        np.testing.assert_allclose(part.whole - part.none, part.values.sum(0), atol=1e-12)
    assert np.abs(found.seen.values).max() > 0.01


def game(*wins) -> Circuits:
    """Return circuits of three heads in which each state is right as a rule says of the heads that are kept."""
    subsets = np.array(list(product((0, 1), repeat=3)), dtype=bool)[:, ::-1].copy()
    right = np.array([[win(*kept) for win in wins] for kept in subsets.astype(int)], dtype=bool)
    return Circuits(
        model="gpt2",
        interventions=(),
        heads=("L0H0", "L0H1", "L0H2"),
        targets=("everything",),
        held_out=np.zeros(len(wins), dtype=bool),
        exhaustive=True,
        subsets=subsets,
        orders=np.zeros((0, 3), dtype=np.int64),
        right=np.packbits(right[:, None], axis=-1),
        done=np.ones(8, dtype=bool),
        decoded=Decoded(np.zeros(0, dtype=np.int64), np.zeros((0, 1, 1), dtype=np.uint8)),
    )


@pytest.mark.parametrize(
    ("wins", "values"),
    [
        # Symmetric players, and one that does nothing.
        ([lambda a, b, c: a and b], (1 / 2, 1 / 2, 0)),
        ([lambda a, b, c: a + b + c >= 2], (1 / 3, 1 / 3, 1 / 3)),
        # The glove game of the textbooks: one left glove, two right ones.
        ([lambda a, b, c: a and (b or c)], (2 / 3, 1 / 6, 1 / 6)),
        # A head that does harm.
        ([lambda a, b, c: a and not c], (1 / 2, 0, -1 / 2)),
        # Additive over states.
        ([lambda a, b, c: a and b, lambda a, b, c: a and (b or c)], (7 / 12, 1 / 3, 1 / 12)),
        ([lambda a, b, c: True], (0, 0, 0)),
    ],
)
def test_shapley_values_of_known_games(wins, values):
    found = measure_shapley(game(*wins))
    assert found.held_out is None
    np.testing.assert_allclose(found.seen.values[:, 0], values, atol=1e-12)


def test_shapley_values_need_all_subsets(measured):
    with pytest.raises(AssertionError, match="every subset"):
        measure_shapley(replace(measured, done=np.arange(16) > 0))


def test_the_smallest_sets_are_those_that_brute_force_finds(measured):
    for target, found in enumerate(find_smallest(measured)):
        right = {
            frozenset(measured.heads_in(row)): each for row, each in enumerate(measured.right_in(target))
        }
        whole = right[frozenset(NAMES)]
        kept = [
            [set_ for set_ in combinations(NAMES, size) if (right[frozenset(set_)] >= whole).all()]
            for size in range(5)
        ]
        smallest = next(sets for sets in kept if sets)
        assert found.target == measured.targets[target]
        assert found.states == whole.sum()
        assert found.sets == tuple(smallest)
        assert (found.size, found.count) == (len(smallest[0]), len(smallest))
        assert found.keeping.tolist() == [len(sets) for sets in kept]
        assert found.measured.tolist() == [1, 4, 6, 4, 1]
        assert found.proven
        assert [set(one) | set(other) for one, other in zip(found.sets, found.silenced, strict=True)] == [
            set(NAMES)
        ] * found.count


@pytest.mark.parametrize("interventions", ["", "zero:L0.mlp", "flip:L1.mlp.W_in~20%#1"])
def test_the_smallest_sets_are_decoded_as_boards_are(small, interventions):
    found = last(small, interventions)
    differ = 0
    for target, each in enumerate(find_smallest(found)):
        assert len(each.decoded) == len(each.sets)
        for kept, silenced, decoded in zip(each.sets, each.silenced, each.decoded, strict=True):
            means = [f"mean:{head}" for head in silenced]
            board = small.board(";".join([interventions, *means] if interventions else means))
            right = (
                board.correct
                if each.target == "everything"
                else (board.written == board.truth)[:, list(small.world.answers).index(each.target)]
            )
            assert decoded == right.sum(), (each.target, kept)
            subset = next(row for row in range(16) if found.heads_in(row) == kept)
            forced = found.right_in(target)[subset]
            differ += int((forced != right).sum())
            if each.target == "everything":
                assert (forced == right).all(), "what is wholly right is the same either way"
        assert each.all_states == len(small.world.states)
    assert differ, "that a single answer is judged otherwise happens"


def test_a_set_that_was_not_decoded_has_no_figure(measured):
    assert (
        find_smallest(replace(measured, decoded=Decoded(np.zeros(0, dtype=np.int64), measured.right[:0])))[
            0
        ].decoded[0]
        is None
    )
    assert measured.decoded_right_in(0, 0) is None or 0 in measured.decoded.subsets


def test_of_many_smallest_sets_the_first_are_named(measured):
    many = game(lambda a, b, c: a + b + c >= 2)
    (found,) = find_smallest(many, named=2)
    assert (found.size, found.count) == (2, 3)
    assert found.sets == (("L0H0", "L0H1"), ("L0H0", "L0H2"))
    assert found.silenced == (("L0H2",), ("L0H1",))
    done = np.array([False, *[True] * 7])
    assert not find_smallest(replace(many, done=done))[0].proven
    done[-1] = False
    with pytest.raises(AssertionError, match="the whole model"):
        find_smallest(replace(many, done=done))


@pytest.mark.parametrize(
    ("run", "edits", "message"),
    [
        ("rnn", "", "as in gpt2, got a model whose parts are units"),
        ("gpt2", "force:newB=1;force:newA=!", "force:newA=!"),
        ("gpt2", "flip:L1.mlp.W_in@>newB..", "Leave out what stands behind @"),
        ("gpt2", "zero:L9H0", "expected"),
    ],
)
def test_what_cannot_be_measured_is_said_at_once(run, edits, message):
    model = load_model("shipped", run)
    with pytest.raises(RequestError) as caught:
        measure_circuits(model, edits)
    assert message in str(caught.value)
