"""The same text has the same marks on every page, in light and in dark, and never by colour alone."""

from __future__ import annotations

from contextlib import nullcontext

from playwright.sync_api import Page, expect

from playground.datasets import JUDGEMENTS, LEGEND
from playground.inference import Model
from playground.models import ARCHITECTURES
from tests.app.browser import (
    ANSWERS,
    BOARD,
    COMPARISON,
    SCORES,
    in_dark,
    settle,
    violations,
    visit,
    wait_for,
    wait_for_board,
    wait_for_comparison,
)
from tests.support.judged_by_hand import MARKS

STATE, FORCED = "0,0,1,1,0", "force:newB=!"
STRIP = ".strip[data-condition]"
TEXT = ".completion[data-condition]"
NEVER = "◆ No seen state has sum = 5."


def wanted(model: Model) -> list[list[str]]:
    """Return every token with its mark, in every state, as the library has them."""
    board = model.board(FORCED)
    return [
        [
            board.template.visible(token) + MARKS[JUDGEMENTS[place]]
            for token, place in zip(tokens, places, strict=True)
        ]
        for tokens, places in zip(board.tokens, board.judged, strict=True)
    ]


def cells(page: Page, selector: str) -> list[str]:
    """Return tokens with their marks: what else stands in a cell is smaller print."""
    return page.locator(selector).evaluate_all(
        "all => all.map(e => e.firstChild.textContent + (e.querySelector('.judgement')?.textContent ?? ''))"
    )


def test_the_same_text_has_the_same_marks_on_every_page(page: Page, address: str, models: dict[str, Model]):
    model = models["gpt2"]
    query = f"name=default&model=gpt2&state={STATE}&on={FORCED}"
    marked, row = wanted(model), model.world.states.index(model.world.parse_state(STATE))
    answers = model.template.answer_positions
    assert {mark for line in marked for mark in "≈†✗⚑" if mark in "".join(line)} >= set("≈†⚑")

    visit(page, f"{address}/?{query}")
    wait_for_board(page, STATE, FORCED)
    settle(page)
    assert cells(page, f'{STRIP} tr[data-row="edited"] .cell') == marked[row]
    shown = cells(page, f'{BOARD} tbody td.mono[title^="edited"]')
    assert shown == [line[position] for line in marked for position in answers]
    for part in (STRIP, BOARD):
        expect(page.locator(f"{part} .legend")).to_contain_text(LEGEND)
    expect(page.locator(f"{BOARD} .never-seen")).to_have_text(NEVER)
    board, foot = model.board(FORCED), page.locator(f"{BOARD} tfoot tr")
    for line, tallies in enumerate((board.tally_by_answer, board.tally_by_answer_as_written)):
        figures = foot.nth(line).locator('td.mono[title^="edited"]').all_inner_texts()
        assert figures == [
            str(sum(right for right, _ in tallies[name].values())) if name in tallies else "–"
            for name in model.world.answers
        ]
    assert violations(page, (".strip", ".board")) == []

    visit(page, f"{address}/text?{query}")
    wait_for(page, (TEXT,), STATE, FORCED)
    settle(page)
    given = model.template.prompt_length
    assert cells(page, f'{TEXT} tr[data-row="gpt2 edited"] .cell')[given:] == marked[row][given:]
    expect(page.locator(f"{TEXT} .legend")).to_contain_text(LEGEND)
    assert violations(page, (".completion",)) == []

    visit(page, f"{address}/compare?{query}")
    wait_for_comparison(page, STATE, FORCED)
    settle(page)
    shown, each = cells(page, f"{COMPARISON} tbody td.mono[title]"), {n: wanted(m) for n, m in models.items()}
    assert shown == [
        each[name][state][position]
        for state in range(len(model.world.states))
        for name in ARCHITECTURES
        for position in answers
    ]
    for name in ARCHITECTURES:
        assert cells(page, f'{ANSWERS} tr[data-row="{name}"] .cell') == each[name][row]
    for part in (COMPARISON, ANSWERS):
        expect(page.locator(f"{part} .legend")).to_contain_text(LEGEND)
    for part in (COMPARISON, SCORES):
        expect(page.locator(f"{part} .never-seen")).to_have_text(NEVER)
    sum2 = board.tally_by_answer_as_written["sum2"]
    said = f"≈ {sum2['seen'][0]}/{sum2['seen'][1]} ◆ {sum2['held_out'][0]}/{sum2['held_out'][1]}"
    expect(page.locator(f'{SCORES} tr[data-model="gpt2"] .as-written').last).to_have_text(said)
    assert violations(page, (".comparison", ".scores")) == []

    visit(page, f"{address}/compare?{query}&view=sets")
    entry = page.locator('.sets tr[data-name="the edits"] td[data-answer="sum2"]')
    expect(entry.locator(".as-written")).to_have_text(said)
    expect(page.locator(".sets .never-seen")).to_have_text(NEVER)


def test_styles_tell_right_from_wrong_as_the_marks_do(page: Page, address: str):
    """In light and in dark every judgement looks different, and what is right by the rules is never red."""
    visit(page, f"{address}/compare?name=default&model=gpt2&state={STATE}&on={FORCED}")
    wait_for_comparison(page, STATE, FORCED)
    settle(page)
    for scheme in (nullcontext(), in_dark(page)):
        looks = {}
        with scheme:
            for kind in ("by-rules", "as-written", "wrong", "set"):
                cell = page.locator(f"{COMPARISON} tbody td.{kind}").first
                looks[kind] = cell.evaluate("e => getComputedStyle(e).color")
            plain = page.locator(f"{COMPARISON} tbody td.right").first.evaluate(
                "e => getComputedStyle(e).color"
            )
        assert looks["by-rules"] == plain
        assert len({*looks.values()}) == len(looks)
