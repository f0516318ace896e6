"""All paths of a model: against single ones, against transformers under plain hooks, and as they are shown."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from playground.analysis import Store
from playground.analysis.base.presentation import Heatmap, Table
from playground.analysis.base.view import View
from playground.analysis.duration import estimate_seconds
from playground.analysis.edges.all_paths import APART, AllPaths, measure_paths
from playground.analysis.edges.path_blocks import PATHS, path_blocks
from playground.analysis.edges.paths import measure_path
from playground.errors import RequestError
from playground.inference import Model, load_model
from tests.analysis.edges.test_paths import differences, patched, rows_of, written
from tests.analysis.small_gpt2 import as_transformers, make_small


@pytest.fixture(scope="module")
def small(spec, tmp_path_factory) -> Model:
    return make_small(spec, tmp_path_factory.mktemp("small") / "gpt2")


@pytest.fixture(scope="module")
def found(small) -> AllPaths:
    *_, last = measure_paths(small)
    return last


def test_paths_are_those_from_a_part_to_a_later_one(found):
    assert found.senders == ("embed", "L0H0", "L0H1", "L0.mlp", "L1H0", "L1H1", "L1.mlp")
    assert found.receivers == ("L0H0", "L0H1", "L0.mlp", "L1H0", "L1H1", "L1.mlp", "logits")
    # How many parts write before each of the receivers reads.
    assert found.exists.sum(0).tolist() == [1, 1, 3, 4, 4, 6, 7]
    assert (found.exists == found.done).all()
    assert (np.isnan(found.moved) == ~found.exists[:, :, None, None]).all()
    assert found.progress == (26, 26)


def test_each_is_what_a_single_path_carries(small, found):
    for sender, receiver in zip(*found.exists.nonzero(), strict=True):
        path = measure_path(small, found.senders[sender], found.receivers[receiver])
        for each, name in enumerate(found.inputs):
            pairs = np.array(path.input) == name
            np.testing.assert_array_equal(found.moved[sender, receiver, each], path.moved[pairs].sum(0))
            np.testing.assert_array_equal(found.flipped[sender, receiver, each], path.flipped[pairs].sum(0))
            np.testing.assert_array_equal(found.gap[each], path.gap[pairs].sum(0))
            np.testing.assert_array_equal(found.pairs[each], path.differs[pairs].sum(0))
            assert_same(found.effect(name)[sender, receiver], path.effect_of(name))
        assert_same(found.effect()[sender, receiver], path.effect)


def assert_same(effects: np.ndarray, expected: tuple[float | None, ...]) -> None:
    without = [each is None for each in expected]
    assert np.isnan(effects).tolist() == without
    np.testing.assert_allclose(effects[~np.array(without)], [each for each in expected if each is not None])


def test_each_is_what_transformers_does_if_one_reader_finds_something_else(small, found):
    gpt2, tokens = as_transformers(small), torch.from_numpy(small.template.truth)
    path = measure_path(small, "embed", "logits")
    base, source = rows_of(small, path)
    with torch.no_grad():
        low, high = (differences(small, path, gpt2(tokens[rows]).logits) for rows in (base, source))
    for sender, receiver in zip(*found.exists.nonzero(), strict=True):
        name = found.senders[sender]
        change = written(gpt2, tokens[source], name) - written(gpt2, tokens[base], name)
        now = differences(small, path, patched(gpt2, tokens[base], found.receivers[receiver], change))
        moved, gap = (now - low).sum(0), (high - low).sum(0)
        np.testing.assert_allclose(found.moved[sender, receiver].sum(0), moved, atol=1e-2)
        np.testing.assert_allclose(found.effect()[sender, receiver], moved / gap, rtol=2e-2, atol=2e-2)


def test_what_was_begun_is_continued(small, found, tmp_path):
    store = Store(small, (), tmp_path)
    steps = PATHS.run(small, (), store)
    first = [next(steps) for _ in range(5)]
    assert [each.done for each in first] == [1, 2, 3, 4, 5]
    steps.close()
    kept = PATHS.load(small, (), store)
    assert kept is not None
    assert (kept.done, kept.of) == (5, 26)
    again = [step.done for step in PATHS.run(small, (), store)]
    assert again == list(range(6, 27))
    whole = PATHS.load(small, (), store)
    assert whole is not None
    for name, value in vars(found).items():
        np.testing.assert_array_equal(getattr(whole.result, name), value)
    assert [step.done for step in PATHS.run(small, (), store)] == [26]


def heatmaps(found: AllPaths, view: View) -> list[Heatmap]:
    return [block for block in PATHS.present(found, view) if isinstance(block, Heatmap)]


def test_a_cell_is_the_effect_of_its_path_and_its_cases_are_by_input(small, found):
    for answer in small.world.answers:
        index = small.world.answers.index(answer)
        (block,) = heatmaps(found, View(small, answer=answer))
        assert (block.rows, block.columns, block.unit) == (found.senders, found.receivers, "effect")
        assert (np.isnan(block.values) == ~found.exists).all()
        sender, receiver = block.rows.index("L0.mlp"), block.columns.index("L1H1")
        path = measure_path(small, "L0.mlp", "L1H1")
        assert block.values[sender, receiver] == pytest.approx(path.effect[index])
        assert block.selects(sender, receiver).part == "L0.mlp"
        cases = block.cases(sender, receiver)
        assert block.cases(receiver, 0) is None
        assert isinstance(cases, Table)
        pairs = np.array([row.cells[1] for row in cases.rows])
        assert pairs.sum() == path.differs[:, index].sum()
        difference, carried = (np.array([row.cells[each] for row in cases.rows]) for each in (2, 3))
        assert (pairs * carried).sum() / (pairs * difference).sum() == pytest.approx(path.effect[index])
        for row in cases.rows:
            name = row.cells[0]
            meant = np.array(path.input) == name
            assert row.cells[4] == pytest.approx(path.effect_of(name)[index])
            assert row.cells[5] == f"{path.flipped[meant, index].sum()} of {path.differs[meant, index].sum()}"


def test_every_choice_has_blocks(small, found):
    view = View(small, answer=small.world.answers[-1])
    (option,) = PATHS.options(view)
    assert [value for value, _ in option.choices] == ["any", *small.world.inputs]
    for options in ({}, {"input": "any"}, {"input": "nothing"}):
        (block,) = heatmaps(found, replace(view, options=options))
        np.testing.assert_array_equal(block.values, found.effect()[:, :, -1])
    for name in small.world.inputs:
        for answer in small.world.answers:
            (block,) = PATHS.present(found, View(small, answer=answer, options={"input": name}))
            index = small.world.answers.index(answer)
            if found.pairs[small.world.inputs.index(name), index]:
                np.testing.assert_array_equal(block.values, found.effect(name)[:, :, index])
                assert f"differ in {name}" in block.caption
            else:
                assert block.text == f"No two states differ in {name} and in {answer}."
    assert len(list(PATHS.present(found, View(small)))) == len(small.world.answers)


def test_figures_have_all_effects(small, found):
    figures = PATHS.figures(found, small)
    assert figures["paths"] == {"measured": 26, "of": 26}
    for index, answer in enumerate(small.world.answers):
        of_answer = figures["answers"][answer]
        effects = np.array(of_answer["effect"], dtype=float)
        np.testing.assert_array_equal(effects, found.effect()[:, :, index])
        assert of_answer["pairs"] == sum(each["pairs"] for each in of_answer["by_input"].values())


def test_before_anything_is_measured_that_is_said(small, found):
    nothing = replace(found, done=np.zeros_like(found.done))
    (block,) = PATHS.present(nothing, View(small))
    assert block.text == "No path has been measured yet."


def test_a_single_path_is_shown_by_answer(small):
    path = measure_path(small, "L0H1", "L1.mlp", f"@{small.world.outputs[0]}")
    (block,) = path_blocks(path, View(small))
    assert block.title == f"path L0H1 to L1.mlp at {small.world.outputs[0]}"
    shown = {row.cells[0]: row.cells for row in block.rows}
    for index, answer in enumerate(path.answers):
        assert (answer in shown) == (path.effect[index] is not None)
        if answer in shown:
            assert shown[answer][1:3] == (path.differs[:, index].sum(), path.effect[index])
            assert shown[answer][4:] == tuple(path.effect_of(name)[index] for name in small.world.inputs)
    (block,) = path_blocks(path, View(small, answer=path.answers[-1]))
    assert [row.cells[0] for row in block.rows] == [path.answers[-1]]
    nothing = replace(path, gap=np.zeros_like(path.gap))
    (block,) = path_blocks(nothing, View(small))
    assert "no difference" in block.text


def test_what_cannot_be_measured_says_why(small):
    other = load_model("shipped", "rnn")
    assert PATHS.unavailable_reason(other.network) == "it has no attention"
    assert estimate_seconds(PATHS, other) is None
    with pytest.raises(RequestError, match="it has no attention"):
        next(PATHS.run(other, (), None))
    with pytest.raises(RequestError, match="paths take no intervention on what is written"):
        next(PATHS.run(small, f"force:{small.world.outputs[0]}=1", None))


def test_what_is_set_to_zero_carries_nothing(small):
    *_, last = measure_paths(small, "zero:L0H1")
    assert last.interventions == ("zero:L0H1",)
    carried = np.abs(last.moved).sum((2, 3))
    assert np.nanmax(carried[last.senders.index("L0H1")]) < 1e-3
    assert np.nanmax(carried[last.senders.index("L0H0")]) > 1e-2


def test_the_estimate_counts_all_paths(small):
    pairs = len(small.world.states) * len(small.world.inputs)
    assert PATHS.tokens_read(small) % (26 * pairs * small.template.length) == 0


def test_figures_of_the_guide_are_those_of_the_shipped_model():
    model = load_model("shipped", "gpt2")
    guide = (Path(__file__).parents[3] / "docs" / "mechanism.md").read_text(encoding="utf-8")
    newd = model.world.answers.index("newD")
    for sender, receiver in (("embed", "L0H1"), ("L0H1", "L0.mlp")):
        effect = measure_path(model, sender, receiver).effect_of("A")[newd]
        assert f"{effect:.2f}" in guide
    # Told before anything is run.
    pairs = len(model.world.states) * len(model.world.inputs)
    assert PATHS.tokens_read(model) == 207 * APART * pairs * model.template.length
    assert "All 207 paths" in guide
