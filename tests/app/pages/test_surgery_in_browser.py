"""The edits, the playback, forced tokens and every click action in a real browser."""

from __future__ import annotations

import csv

from playwright.sync_api import Page, expect

from tests.app.browser import (
    BOARD,
    EDITS,
    MOSAIC,
    edited_tokens,
    press_edit,
    query_of,
    settle,
    tokens_of,
    visit,
    wait_for,
    wait_for_board,
)

STATE = "1,0,1,0,1"
STRIP = ".strip[data-condition]"


def open_probe(page: Page, address: str, query: str = "", *done: str) -> None:
    visit(page, f"{address}/?name=default&model=gpt2&state={STATE}&{query}")
    wait_for_board(page, STATE, *done)
    settle(page)


def test_an_edit_is_switched_off_and_on_and_all_can_be_undone(page, address, models):
    open_probe(page, address, "on=zero:L0;zero:L1H2@>newB..", "zero:L0;zero:L1H2@>newB..")
    press_edit(page, "on 0")
    wait_for_board(page, STATE, "zero:L1H2@>newB..")
    settle(page)
    assert query_of(page)["off"] == "0"
    assert edited_tokens(page) == tokens_of(models["gpt2"], "zero:L1H2@>newB..")
    page.reload()
    wait_for_board(page, STATE, "zero:L1H2@>newB..")
    settle(page)
    expect(page.locator(f"{EDITS} .entry.off")).to_contain_text("zero:L0")
    press_edit(page, "on 0")
    wait_for_board(page, STATE, "zero:L0;zero:L1H2@>newB..")
    settle(page)
    press_edit(page, "undo")
    wait_for_board(page, STATE, "zero:L1H2@>newB..")


def test_the_edits_count_the_states_that_are_right_again_without_an_entry(page, address, models):
    model, entries = models["gpt2"], ["zero:L0", "noise:L1H1.W_O~4#3", "force:newC=1"]
    open_probe(page, address, f"on={';'.join(entries)}".replace("#", "%23"), ";".join(entries))
    wrong = ~model.board(";".join(entries)).correct
    for index in range(len(entries)):
        others = ";".join(entries[:index] + entries[index + 1 :])
        again = int((wrong & model.board(others).correct).sum())
        expected = f"{again} of {int(wrong.sum())} wrong"
        expect(page.locator(f"{EDITS} .entry").nth(index)).to_contain_text(expected)


def test_playback_pauses_before_a_token_and_the_next_click_acts_from_there_on(page, address, models):
    open_probe(page, address)
    page.locator(f'{STRIP} [data-focus="start"]').click()
    page.wait_for_function("() => location.search.includes('step=9')")
    settle(page)
    expect(page.locator(f"{STRIP} td.unwritten")).to_have_count(13)
    page.locator(f'{STRIP} [data-focus="step"]').focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('step=12')")
    settle(page)
    expect(page.locator(f"{STRIP} .say")).to_contain_text("paused before newB, at >newB")
    page.locator(f'{MOSAIC} button[data-site="L1"]').click()
    done = "zero:L1@>newB.."
    wait_for_board(page, STATE, done)
    settle(page)
    assert edited_tokens(page) == tokens_of(models["gpt2"], done)
    unwritten = page.locator(f"{STRIP} tr[data-row=edited] td.unwritten")
    expect(unwritten).to_have_count(10)
    page.locator(f'{STRIP} [data-focus="play"]').click()
    expect(unwritten).to_have_count(0)
    page.wait_for_function("() => !location.search.includes('step=')")
    settle(page)
    assert "at" not in query_of(page), "what the player chose goes with it"


def test_steps_that_are_taken_quickly_are_all_taken_and_what_else_happens_does_not_stop_the_player(
    page, address
):
    open_probe(page, address, "step=9")
    page.locator(f'{STRIP} [data-focus="step"]').focus()
    for _ in range(6):
        page.keyboard.press("ArrowRight")
    page.wait_for_function("() => location.search.includes('step=15')")
    settle(page)
    expect(page.locator(f"{STRIP} td.unwritten")).to_have_count(7)
    # Both before the first is answered.
    page.locator(f'{STRIP} [data-focus="play"]').evaluate(
        "play => { play.getRootNode().querySelector('[data-focus=start]').click(); play.click(); }"
    )
    # The first is answered by now; where the server is slow, the whole may have been written as well.
    page.wait_for_function("() => !location.search.includes('step=15')")
    page.locator(f'{BOARD} button[data-focus="state 0,1,1,1,0"]').click()
    wait_for(page, (BOARD, STRIP), "0,1,1,1,0")
    expect(page.locator(f"{STRIP} td.unwritten")).to_have_count(0)
    page.wait_for_function("() => !location.search.includes('step=')")


def test_a_written_token_is_clicked_to_have_the_opposite_written(page, address, models):
    model = models["gpt2"]
    open_probe(page, address)
    page.locator(f'{STRIP} [data-focus="force newB baseline"]').click()
    wait_for_board(page, STATE, "force:newB=!")
    settle(page)
    shown = model.board("force:newB=!")
    assert edited_tokens(page) == tokens_of(model, "force:newB=!")
    seen, held_out = shown.tally_do["seen"], shown.tally_do["held_out"]
    expect(page.locator(f"{BOARD} .under")).to_have_text(
        f"under do: seen {seen[0]}/{seen[1]} · held out {held_out[0]}/{held_out[1]}"
    )
    expect(page.locator(f"{BOARD} td.set")).to_have_count(32)
    expect(page.locator(f"{STRIP} .cell.set")).to_have_count(1)
    page.locator(f'{STRIP} [data-focus="force newB edited"]').press("Enter")
    wait_for_board(page, STATE)


CLICK_ACTIONS = {
    "kind=resample&from=0,1,1,0,0": "resample:L0H1<0,1,1,0,0",
    "kind=scale&amount=-1.5": "scale:L0H1~-1.5",
    "kind=steer&amount=3&from=0,1,1,0,0&minus=1,1,1,0,0": "steer:L0H1~3<0,1,1,0,0>1,1,1,0,0",
    "kind=patch&from=0,1,1,0,0&at=@newB": "patch:L0H1@newB<0,1,1,0,0",
}


def test_every_click_action(page, address, models):
    for query, done in CLICK_ACTIONS.items():
        open_probe(page, address, query)
        page.locator(f'{MOSAIC} button[data-site="L0H1"]').click()
        wait_for_board(page, STATE, done)
        settle(page)
        assert edited_tokens(page) == tokens_of(models["gpt2"], done), done


def test_the_amount_and_the_state_of_a_click_action_are_chosen_on_the_page(page, address, models):
    open_probe(page, address, "kind=steer")
    amount = page.locator("[data-key=action_amount]")
    amount.fill("0.25")
    amount.press("Enter")
    page.wait_for_function("() => location.search.includes('amount=0.25')")
    settle(page)
    page.locator("[data-key=action_from]").select_option(label="0,0,1,1,0")
    page.wait_for_function("() => location.search.includes('from=')")
    settle(page)
    page.locator(f'{MOSAIC} button[data-site="L2.mlp"]').click()
    done = "steer:L2.mlp~0.25<0,0,1,1,0>0,0,0,0,0"
    wait_for_board(page, STATE, done)
    settle(page)
    assert query_of(page)["on"] == done
    assert edited_tokens(page) == tokens_of(models["gpt2"], done)


def test_pictures_and_tables_are_files_and_the_difference_is_drawn_instead_of_both(
    page, address, models, tmp_path
):
    open_probe(page, address, "on=zero:L0H1", "zero:L0H1")
    for component, form in ((MOSAIC, "PNG"), (MOSAIC, "SVG"), (BOARD, "CSV")):
        with page.expect_download() as waiting:
            page.locator(f"{component} .downloads button", has_text=form).click()
        waiting.value.save_as(tmp_path / form)
    assert (tmp_path / "PNG").read_bytes().startswith(b"\x89PNG")
    assert (tmp_path / "SVG").read_text().startswith("<svg")
    assert (tmp_path / "SVG").read_text().count("<image") >= 32
    rows = list(csv.DictReader((tmp_path / "CSV").read_text().splitlines()))
    shown = [[row[f"edited_{name}"] for name in models["gpt2"].world.answers] for row in rows]
    assert shown == tokens_of(models["gpt2"], "zero:L0H1")
    second = page.locator(f'{MOSAIC} button[data-site="L1H1"] canvas').nth(1)
    expect(second).to_be_visible()
    page.locator(f'{MOSAIC} [data-focus="difference"]').click()
    expect(second).to_be_hidden()
    switch = page.locator(f'{MOSAIC} [data-focus="difference"]')
    expect(switch).to_have_attribute("aria-pressed", "true")
    # Its mark is drawn: no font need have a character for it.
    expect(switch).to_have_text("difference")
    assert switch.evaluate("button => parseFloat(getComputedStyle(button, '::before').width)") > 0
    page.wait_for_selector(".js-plotly-plot")
    expect(page.locator(".js-plotly-plot")).to_contain_text("difference")
