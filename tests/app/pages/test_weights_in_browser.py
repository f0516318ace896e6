"""Page Weights in a real browser: every matrix by keyboard and by mouse, and the flip atlas."""

from __future__ import annotations

import csv
from pathlib import Path
from urllib.parse import parse_qs

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from playground.analysis import flip_atlas
from playground.inference import load_model
from playground.interventions import parse_site
from tests.app.browser import (
    BOARD,
    EDITS,
    MATRIX,
    edited_tokens,
    settle,
    tokens_of,
    violations,
    visit,
    wait_for,
)

STATE = "1,0,1,0,1"


def open_weights(page: Page, address: str, query: str, *done: str) -> None:
    name = "" if "name=" in query else "name=default&"
    visit(page, f"{address}/?view=weights&{name}state={STATE}&{query}")
    wait_for(page, (BOARD, MATRIX), STATE, *done)
    if weight := parse_qs(query).get("weight"):
        page.wait_for_selector(f'{MATRIX}[data-site="{weight[0]}"]')
    settle(page)


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
    page.locator("[data-key=atlas_rows]").click()
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
    page.locator("[data-key=atlas_weights]").click()
    page.wait_for_selector('.atlas[data-known^="weights:"]')
    page.locator("[data-key=atlas_cancel]").click()
    expect(page.locator("[data-key=atlas_cancel]")).to_have_count(0)
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
