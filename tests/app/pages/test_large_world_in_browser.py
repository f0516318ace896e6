"""A world of several blocks in a browser: rows arrive in parts, and each equals the library's."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Route, expect

from playground.datasets import DatasetSpec
from playground.inference import Board, Model, blocks_of, open_model
from playground.worlds import parse_world, state_text
from tests.app.browser import ANSWERS, BOARD, COMPARISON, SCORES, serve, settle, wait_for
from tests.conftest import random_checkpoint

RULES = """inputs: P, Q, R, S, T, U, V, W
one = P XOR W
two = one NAND Q
sum(P+Q+R+S+T+U+V+W) - sum2(one+two)
"""
STATE = "0,1,1,0,0,1,1,0"


@pytest.fixture(scope="module")
def models(tmp_path_factory) -> dict[str, Model]:
    """Return two models with random weights of a world of two blocks."""
    world = parse_world(RULES)
    spec = DatasetSpec(world=world, held_out=(world.states[3], world.states[-1]))
    place = tmp_path_factory.mktemp("large")
    return {
        name: open_model(random_checkpoint(spec, place / "models" / "large" / name, architecture=name), "cpu")
        for name in ("gpt2", "cnn")
    }


@pytest.fixture(scope="module")
def large(models: dict[str, Model]) -> Iterator[str]:
    with serve(Path(models["gpt2"].checkpoint.folder).parents[2]) as address:
        yield address


def _wait_for_all(page, component: str, *conditions: str) -> None:
    wait_for(page, (f'{component}[data-left=""]',), *conditions)
    settle(page)


def _shown(page, component: str, state: str) -> list[str]:
    """Return what stands in the answers' cells of a state's row."""
    row = page.locator(f'{component} tbody tr:has([data-focus="state {state}"])')
    cells = row.locator("td.mono:not(.first):not(.moved)")
    return cells.evaluate_all("all => all.map(td => td.firstChild.textContent)")


def _written(board: Board, row: int) -> list[str]:
    return [board.template.visible(token) for token in board.written[row]]


def _share(tally: tuple[int, int]) -> str:
    return f"{tally[0]}/{tally[1]}"


def test_every_row_is_there_and_is_the_library_s(page, large, models):
    model = models["gpt2"]
    states = [state_text(state) for state in model.world.states]
    assert len(blocks_of(len(states))) > 1
    page.goto(f"{large}/?name=large&model=gpt2&state={STATE}")
    _wait_for_all(page, BOARD, STATE)
    page.locator('.mosaic [data-site="L1H2"]').click()
    _wait_for_all(page, BOARD, f"{STATE} zero:L1H2")
    edited, baseline = model.board("zero:L1H2"), model.baseline
    chosen = page.locator(f'{BOARD} tr.chosen [data-focus="state {STATE}"]')
    chosen.focus()
    for key, row in (("", states.index(STATE)), ("End", len(states) - 1), ("Home", 0), ("ArrowDown", 1)):
        if key:
            page.keyboard.press(key)
        page.wait_for_selector(f'{BOARD} tbody [data-focus="state {states[row]}"]:focus')
        assert _shown(page, BOARD, states[row]) == _written(baseline, row) + _written(edited, row)
    head = page.locator(f"{BOARD} thead").inner_text()
    assert "so far" not in head
    for board in (baseline, edited):
        assert f"seen {_share(board.tally['seen'])} · held out {_share(board.tally['held_out'])}" in head
    # Far fewer rows are drawn than there are.
    assert page.locator(f"{BOARD} tbody tr").count() < len(states) / 2


def test_sorted_by_what_moved_the_first_row_is_the_one_that_moved_most(page, large, models):
    model = models["gpt2"]
    page.goto(f"{large}/?name=large&model=gpt2&state={STATE}&on=zero:L1H2&sort=moved")
    _wait_for_all(page, BOARD, f"{STATE} zero:L1H2")
    moved = abs(model.board("zero:L1H2").margin - model.baseline.margin).mean(-1)
    row = page.locator(f'{BOARD} tbody tr[aria-rowindex="1"] button')
    assert row.get_attribute("data-focus") == f"state {state_text(model.world.states[moved.argmax()])}"


def test_all_models_side_by_side_under_a_mean_that_needs_all_states(page, large, models):
    page.goto(f"{large}/compare?name=large&state={STATE}&on=mean:L1")
    _wait_for_all(page, COMPARISON, f"{STATE} mean:L1")
    page.wait_for_selector(f'{SCORES}[data-condition="{STATE} mean:L1"]')
    row = models["gpt2"].world.states.index(models["gpt2"].world.parse_state(STATE))
    boards = [models[name].board("mean:L1") for name in ("gpt2", "cnn")]
    shown = _shown(page, COMPARISON, STATE)
    truth = _written(boards[0], row)
    assert shown[len(truth) :] == _written(boards[0], row) + _written(boards[1], row)
    for name, board in zip(("gpt2", "cnn"), boards, strict=True):
        scored = page.locator(f'{SCORES} tr[data-model="{name}"] .score.seen').first
        assert scored.inner_text().strip() == _share(board.tally["seen"])


def test_nothing_moves_on_page_compare_when_a_further_board_comes(page, large):
    waiting = []

    def keep(route: Route) -> None:
        waiting.append(route)

    page.route(re.compile(r"/api/board\?.*model=cnn"), keep)
    page.goto(f"{large}/compare?name=large&state={STATE}&model=gpt2")
    wait_for(page, (COMPARISON,), STATE)
    line = page.locator(f'{ANSWERS} tr[data-row="cnn"] .cell')
    expect(line.first).to_have_text("·")
    top = page.locator(COMPARISON).bounding_box()["y"]
    for route in waiting:
        route.continue_()
    page.unroute_all()
    expect(line.first).to_have_text("0")
    _wait_for_all(page, COMPARISON, STATE)
    assert page.locator(COMPARISON).bounding_box()["y"] == top
