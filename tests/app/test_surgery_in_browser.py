"""The edits, the playback, forced tokens, every click action, and page Weights, in a real browser."""

from __future__ import annotations

import csv
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.analysis import flip_atlas
from playground.inference import board, load_model, open_model
from playground.interventions import parse_site
from tests.app.browser import (
    BOARD,
    EDITS,
    MATRIX,
    MOSAIC,
    press_edit,
    settle,
    violations,
    visit,
    wait_for,
    wait_for_board,
)

STATE = "1,0,1,0,1"
STRIP = ".strip[data-condition]"


@pytest.fixture(scope="module")
def models(workplace):
    return {
        name: open_model(workplace / "models" / "default" / name, "cpu")
        for name in ("gpt2", "rnn", "cnn", "mann")
    }


def open_probe(page: Page, address: str, query: str = "", *done: str) -> None:
    visit(page, f"{address}/?name=default&model=gpt2&state={STATE}&{query}")
    wait_for_board(page, STATE, *done)
    settle(page)


def open_weights(page: Page, address: str, query: str, *done: str) -> None:
    name = "" if "name=" in query else "name=default&"
    visit(page, f"{address}/weights?{name}state={STATE}&{query}")
    wait_for(page, (BOARD, MATRIX), STATE, *done)
    if weight := parse_qs(query).get("weight"):
        page.wait_for_selector(f'{MATRIX}[data-site="{weight[0]}"]')
    settle(page)


def query_of(page: Page) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def edited_tokens(page: Page) -> list[list[str]]:
    """Return what the board shows as edited, row by row, without marks."""
    return page.locator(f"{BOARD} tbody tr").evaluate_all(
        """rows => rows.map(tr => [...tr.querySelectorAll('td.mono')].filter(td => td.title.startsWith('edited'))
            .map(td => td.title.match(/wrote (.+?), the rules/)[1]))"""
    )


def tokens_of(model, interventions: str) -> list[list[str]]:
    return [[model.template.visible(token) for token in row] for row in board(model, interventions).written]


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
    wrong = ~board(model, ";".join(entries)).correct
    for index in range(len(entries)):
        others = ";".join(entries[:index] + entries[index + 1 :])
        again = int((wrong & board(model, others).correct).sum())
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
    shown = board(model, "force:newB=!")
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
    amount = page.locator("[class*=st-key-action_amount-] input")
    amount.fill("0.25")
    amount.press("Enter")
    page.wait_for_function("() => location.search.includes('amount=0.25')")
    settle(page)
    page.locator("[class*=st-key-action_from-]").get_by_role("combobox").click()
    page.get_by_role("option", name="0,0,1,1,0", exact=True).click()
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
    expect(page.locator(f'{MOSAIC} [data-focus="difference"]')).to_have_attribute("aria-pressed", "true")
    page.wait_for_selector(".js-plotly-plot")
    expect(page.locator(".st-key-detail_figure")).to_contain_text("edited minus baseline")


def press_in_matrix(page: Page, key: str) -> None:
    page.locator(f"{MATRIX} .window").press(key)


KEYS = (
    ("model=gpt2&weight=L0.mlp.W_in", "Enter", "flip:L0.mlp.W_in[0,0]"),
    ("model=gpt2&weight=L1H2.W_Q", "Alt+Enter", "nuke:L1H2.W_Q[0,0]"),
    ("model=gpt2&weight=L0.attn.W_O&at=@>newB..", "h", "flip:L0.attn.W_O[0,0,:]@>newB.."),
    ("model=gpt2&weight=ln_final.w&weights=nuke", "Enter", "nuke:ln_final.w[0]"),
    ("model=rnn&weight=L1.weight_hh&weights=noise&noise=2&seed=5", "v", "noise:L1.weight_hh[:,0]~2#5"),
    ("model=cnn&weight=L2.conv.weight", "h", "flip:L2.conv.weight[0,:,0]"),
    ("model=mann&weight=read_head.linear.weight", "v", "flip:read_head.linear.weight[:,0]"),
)


@pytest.mark.journey
def test_weights_by_keyboard(page, address, models):
    for query, key, done in KEYS:
        open_weights(page, address, query)
        press_in_matrix(page, key)
        wait_for(page, (BOARD, MATRIX), STATE, done)
        settle(page)
        model = models[query.split("&", maxsplit=1)[0].removeprefix("model=")]
        assert edited_tokens(page) == tokens_of(model, done), done
        expect(page.locator(EDITS)).to_contain_text(done)
        press_in_matrix(page, key)
        wait_for(page, (BOARD, MATRIX), STATE)


def test_weights_by_mouse(page, address, models):
    open_weights(page, address, "model=gpt2&weight=L0H1.W_K")
    rows, columns = models["gpt2"].network.weights[parse_site("L0H1.W_K")].shape
    canvas = page.locator(f"{MATRIX} canvas")
    canvas.scroll_into_view_if_needed()
    window = page.locator(f"{MATRIX} .window").bounding_box()
    width = canvas.bounding_box()["width"]

    def point(row: int, column: int) -> tuple[float, float]:
        box = canvas.bounding_box()
        assert box["width"] == width
        return (
            box["x"] + (column + 0.5) * box["width"] / columns,
            box["y"] + (row + 0.5) * box["height"] / rows,
        )

    assert point(12, 0)[1] < window["y"] + window["height"]
    page.mouse.move(*point(5, 7))
    value = float(models["gpt2"].network.weights[parse_site("L0H1.W_K")][5, 7])
    shown = page.locator(f"{MATRIX} .status").inner_text()
    assert shown.startswith("L0H1.W_K[5,7]: ")
    assert float(shown.split(": ")[1]) == pytest.approx(value, abs=1e-4)
    page.mouse.click(*point(5, 7))
    page.mouse.move(*point(2, 3))
    page.mouse.down()
    # The page is drawn anew under the drag, and the drag goes on.
    wait_for(page, (BOARD,), STATE, "flip:L0H1.W_K[5,7]")
    settle(page)
    page.mouse.move(*point(9, 12), steps=4)
    page.mouse.up()
    done = "flip:L0H1.W_K[5,7];flip:L0H1.W_K[2:10,3:13]"
    wait_for(page, (BOARD, MATRIX), STATE, done)
    settle(page)
    page.keyboard.down("Alt")
    page.mouse.click(*point(11, 1))
    page.keyboard.up("Alt")
    done += ";nuke:L0H1.W_K[11,1]"
    wait_for(page, (BOARD, MATRIX), STATE, done)
    settle(page)
    assert edited_tokens(page) == tokens_of(models["gpt2"], done)
    page.locator(f'{MATRIX} [data-focus="difference"]').click()
    expect(page.locator(f'{MATRIX} [data-focus="difference"]')).to_have_attribute("aria-pressed", "true")


def test_every_weight_of_a_layer_is_there_and_is_chosen_by_a_click(page, address, models):
    open_weights(page, address, "model=gpt2&weight=L2H0.W_V")
    names = page.locator(".thumbnails .thumb").evaluate_all("all => all.map(each => each.dataset.weight)")
    of_layer = {str(site) for site in models["gpt2"].network.weights if site.layer == 2}
    by_head = {f"L2.attn.{kind}_{name}" for kind in "Wb" for name in "QKVO"} - {"L2.attn.b_O"}
    assert set(names) == of_layer - by_head
    page.locator('.thumbnails [data-weight="L2.mlp.W_out"]').click()
    page.wait_for_function("() => location.search.includes('weight=L2.mlp.W_out')")
    page.wait_for_selector('.matrix[data-site="L2.mlp.W_out"] svg.spectrum')
    strongest = np.linalg.svd(
        models["gpt2"].network.weights[parse_site("L2.mlp.W_out")].numpy(), compute_uv=False
    )
    shown = page.locator(MATRIX).inner_text().split("singular values, from ")[1].split(" down")[0]
    assert float(shown) == pytest.approx(float(strongest[0]), abs=0.001)


def test_the_flip_atlas_is_measured_stopped_and_clicked(page, address, tmp_path: Path):
    # A model that writes something right: what is wrong already cannot break.
    model, weight = load_model("shipped", "rnn", "cpu"), parse_site("unembed.weight")
    open_weights(page, address, "name=shipped&model=rnn&weight=unembed.weight")
    page.locator(".st-key-atlas_rows button").click()
    page.wait_for_selector('.atlas[data-known="rows:9 columns:128"]')
    settle(page)
    with page.expect_download() as waiting:
        page.locator(".atlas .downloads button", has_text="CSV").click()
    waiting.value.save_as(tmp_path / "atlas.csv")
    rows = list(csv.DictReader((tmp_path / "atlas.csv").read_text().splitlines()))
    for by in ("rows", "columns"):
        *_, atlas = flip_atlas(model, weight, by)
        assert [int(row["states_broken"]) for row in rows if row["flipped"] == by] == atlas.broken.tolist()
    part = page.locator(".atlas [data-part]").first
    site = part.get_attribute("data-part")
    part.click()
    wait_for(page, (BOARD,), STATE, f"flip:{site}")
    settle(page)
    open_weights(page, address, "name=shipped&model=gpt2&weight=L0.mlp.W_in")
    page.wait_for_selector('.atlas[data-site="L0.mlp.W_in"]')
    settle(page)
    page.locator(".st-key-atlas_weights button").click()
    page.wait_for_selector('.atlas[data-known^="weights:"]')
    page.locator(".st-key-atlas_cancel button").click()
    expect(page.locator(".st-key-atlas_cancel")).to_have_count(0)
    settle(page)
    known = page.locator(".atlas").get_attribute("data-known")
    assert known.startswith("weights:")
    assert int(known.removeprefix("weights:")) < 128 * 512


def test_nothing_that_axe_finds_on_weights_is_ours(page, address):
    open_weights(page, address, "model=gpt2&on=flip:L0H0.W_Q[1,:]", "flip:L0H0.W_Q[1,:]")
    page.wait_for_selector(".atlas")
    assert violations(page, (".board", ".matrix", ".thumbnails", ".atlas", ".edits")) == []


@pytest.mark.parametrize(("kind", "offered"), [("nuke", 0), ("flip", 1), ("noise", 1)])
def test_nothing_is_offered_instead_of_what_a_click_does_anyway(page, address, kind, offered):
    open_weights(page, address, f"model=gpt2&weight=L0H1.W_K&weights={kind}")
    expect(page.locator(f'{MATRIX} [data-focus="fit"]')).to_have_count(1)
    expect(page.locator(f'{MATRIX} [data-focus="nuke"]')).to_have_count(offered)
