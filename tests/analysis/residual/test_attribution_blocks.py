"""How direct logit attribution is shown: against what was measured, state by state."""

from __future__ import annotations

import numpy as np
import pytest

from playground.analysis import measure_attribution
from playground.analysis.base.presentation import Bars, Heatmap, Selection, Sentence
from playground.analysis.base.view import View
from playground.analysis.residual import attribution_blocks
from playground.analysis.residual.attribution_blocks import ATTRIBUTION

TOLERANCE = 1e-4


def blocks_of(found, view) -> dict[type, list]:
    """Return the blocks that show an attribution, by type."""
    blocks: dict[type, list] = {}
    for each in ATTRIBUTION.present(found, view):
        blocks.setdefault(type(each), []).append(each)
    return blocks


def check_cells(found, view, grid) -> None:
    """Compare each cell with the mean of the states that are listed for it, and its note with the chosen state."""
    columns = ["state", "right is", "wrong is", "adds", "all add up to"]
    for row, name in enumerate(grid.rows):
        component = found.components.index(name)
        for column, answer in enumerate(found.answers):
            assert grid.values[row, column] == pytest.approx(found.values[column, :, component].mean())
            cases = grid.cases(row, column)
            assert [each.name for each in cases.columns] == columns
            added = {state: number(adds) for state, _, _, adds, _ in (each.cells for each in cases.rows)}
            assert set(added) == set(view.states)
            assert np.mean(list(added.values())) == pytest.approx(grid.values[row, column], abs=6e-3)
            sizes = np.abs(list(added.values()))
            assert (np.diff(sizes) <= 0).all(), "the largest come first"
            if view.state is not None:
                assert number(grid.notes[row][column]) == added[view.states[view.state]]
            assert grid.selects(row, column) == Selection(name, f">{answer}", answer)


def number(text: str) -> float:
    return float(text.replace("−", "-"))


def check_bars(found, bars, answer: str) -> None:
    """Compare bars and their points with what adds up to the model's own scores."""
    index = found.answers.index(answer)
    *parts, total = bars.bars
    assert (total.name, bars.unit, bars.spread_names) == ("sum", "logits", found.states)
    assert total.spread == pytest.approx(found.difference[index].tolist(), abs=TOLERANCE)
    assert np.sum([part.spread for part in parts], 0) == pytest.approx(total.spread, abs=TOLERANCE)
    for bar in bars.bars:
        assert bar.value == pytest.approx(np.mean(bar.spread))


@pytest.mark.parametrize("most", [5, 1000])
def test_blocks_show_what_each_component_adds(random_model, monkeypatch, most):
    monkeypatch.setattr(attribution_blocks, "MOST_COMPONENTS", most)
    found, world = measure_attribution(random_model), random_model.world
    reading = [name for name in world.answers if set(world.dependencies[name]) & set(world.outputs)]
    view = View(random_model)
    blocks = blocks_of(found, view)
    (grid,), bars, (said,) = blocks[Heatmap], blocks[Bars], blocks[Sentence]
    kept = min(most, len(found.components))
    assert (len(grid.rows), grid.notes) == (kept, None)
    largest = np.argsort(-np.abs(found.mean).max(0))[:kept]
    assert set(grid.rows) == {found.components[index] for index in largest}
    assert ("are left out" in grid.caption) == (kept < len(found.components))
    check_cells(found, view, grid)
    for answer, each in zip(found.answers, bars, strict=True):
        check_bars(found, each, answer)
        assert each.folded == (answer not in reading)
        assert len(each.bars) == kept + 1 + (kept < len(found.components))
        lead = found.difference[found.answers.index(answer)].mean()
        assert f"{answer} {lead:+.2f}".replace("-", "−") in said.text


def test_a_chosen_answer_and_state_are_shown(random_model):
    found = measure_attribution(random_model)
    answer = found.answers[-1]
    view = View(random_model, answer=answer, state=3)
    blocks = blocks_of(found, view)
    (grid,), (bars,) = blocks[Heatmap], blocks[Bars]
    check_cells(found, view, grid)
    check_bars(found, bars, answer)
    for bar in bars.bars:
        assert number(bar.note) == pytest.approx(bar.spread[3], abs=6e-3)
    only = measure_attribution(random_model, (), found.answers[:1])
    blocks = blocks_of(only, view)
    assert Bars not in blocks
    assert any(f"{answer} was not measured" in each.text for each in blocks[Sentence])


def test_blocks_of_every_architecture(random_baseline):
    found = measure_attribution(random_baseline)
    blocks = blocks_of(found, View(random_baseline))
    for answer, each in zip(found.answers, blocks[Bars], strict=True):
        check_bars(found, each, answer)
