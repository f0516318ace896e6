"""Page Activations in a real browser: the numbers of all models, sorting, edits, two states, keys, files."""

from __future__ import annotations

import csv
import io
import json
import re

import numpy as np
import pytest
from playwright.sync_api import Page, expect
from safetensors import safe_open

from tests.app.browser import (
    ACTIVATIONS,
    BOARD,
    EDITS,
    STRONGEST,
    edited_tokens,
    query_of,
    settle,
    tokens_of,
    violations,
    visit,
    wait_for,
)

STATE = "1,0,1,0,1"
OTHER = "0,1,1,0,0"
ROW, OTHER_ROW = 21, 12
"""Of these states among the 32."""
TOKENS = 22
NEW_B = 12
EDIT = "zero:L0H1@>newA.."
UNITS, STATES = (f'{ACTIVATIONS} .scroll[data-focus="{field}"]' for field in ("units", "states"))


def open_activations(page: Page, address: str, query: str, *shows: str) -> None:
    visit(page, f"{address}/?view=activations&name=default&{query}")
    wait_for(page, (BOARD, ACTIVATIONS, STRONGEST), *(shows or (STATE,)))
    settle(page)


def wait_until(page: Page, **shown: str) -> None:
    """Wait until the picture says that it shows a site, a unit, a token."""
    wanted = "".join(f'[data-{name}="{value}"]' for name, value in shown.items())
    page.wait_for_selector(f".activations{wanted}")
    settle(page)


def values_of(model, hook: str, interventions: str = "") -> np.ndarray:
    """Return what passes a hook point in all states, recorded in a pass of its own."""
    if not interventions:
        texts = model.run_all().tokens
        return model.network.forward(texts, record=[hook]).recorded[hook].numpy()
    return model.record([hook], interventions).recorded[hook].numpy()


def place_of(page: Page, field: str, group: int, row: float, column: float) -> tuple[float, float]:
    """Return where a number is drawn; row and column as shares of the picture."""
    scroll = page.locator(field)
    scroll.scroll_into_view_if_needed()
    scroll.evaluate("(box, row) => { box.scrollTop = row * box.scrollHeight - box.clientHeight / 2; }", row)
    box = page.locator(f"{field} .body").nth(group).bounding_box()
    return box["x"] + column * box["width"], box["y"] + row * box["height"]


def point_at(page: Page, field: str, group: int, row: float, column: float) -> dict[str, float]:
    """Point at a number, and return what is read there: group -> number."""
    page.mouse.move(*place_of(page, field, group, row, column))
    status = page.locator(f"{ACTIVATIONS} .status").inner_text()
    said = status.split(": ", 1)[1].replace("−", "-").split(" · ")
    return {each.rsplit(" ", 1)[0]: float(each.rsplit(" ", 1)[1]) for each in said}


def listed(page: Page) -> list[str]:
    return page.locator(f"{STRONGEST} .pick").all_inner_texts()


NUMBERS = (
    ("gpt2", "L1.mlp", "blocks.1.mlp.hook_post", 130, 512),
    ("rnn", "L1.c", None, 7, 24),
    ("cnn", "L1.resid", None, 11, 24),
    ("mann", "read_head.key", None, 2, 24),
)


def test_pointing_at_a_number_reads_the_library_s(page, address, models):
    for name, site, hook, unit, units in NUMBERS:
        open_activations(page, address, f"model={name}&activation={site}")
        wait_until(page, site=site)
        own = next((each.hook for each in models[name].network.maps if str(each.site) == site), None)
        values = values_of(models[name], hook or own)[ROW, NEW_B]
        read = point_at(page, UNITS, 0, (unit + 0.5) / units, (NEW_B + 0.5) / TOKENS)
        expect(page.locator(f"{ACTIVATIONS} .status")).to_contain_text(f"{site}[{unit}] at newB=")
        assert read["baseline"] == pytest.approx(float(values[unit]), abs=6e-4)
        scale = page.locator(f"{ACTIVATIONS} .scales").first.locator(".mono > span").last
        largest = float(scale.inner_text())
        assert largest == 1.0 or largest >= np.abs(values).max() * 0.99


def test_heads_and_memory_and_scores(page, address, models):
    open_activations(page, address, f"model=gpt2&activation=L1H2[5]&token=newB&on={EDIT}", f"{STATE} {EDIT}")
    clean, edited = (values_of(models["gpt2"], "blocks.1.attn.hook_z", each) for each in ("", EDIT))
    read = point_at(page, UNITS, 1, 5.5 / 32, (NEW_B + 0.5) / TOKENS)
    before, after = clean[ROW, NEW_B, 2, 5], edited[ROW, NEW_B, 2, 5]
    assert list(read.values()) == pytest.approx([before, after, after - before], abs=6e-4)
    everywhere = point_at(page, STATES, 0, 3.5 / 32, 0.5)
    before, after = clean[3, NEW_B, 2, 5], edited[3, NEW_B, 2, 5]
    assert list(everywhere.values()) == pytest.approx([before, after, after - before], abs=6e-4)

    open_activations(page, address, "model=mann&activation=memory")
    slots = models["mann"].network.sites[next(iter(models["mann"].network.elements)).whole]
    hook = next(each.hook for each in models["mann"].network.maps if str(each.site) == "memory")
    column = NEW_B * slots[1] + 4
    read = point_at(page, UNITS, 0, 3.5 / slots[0], (column + 0.5) / (TOKENS * slots[1]))
    component = int(re.search(r"component (\d+)", page.locator(f"{ACTIVATIONS} .status").inner_text())[1])
    assert abs(component - 4) <= 1
    value = values_of(models["mann"], hook)[ROW, NEW_B, 3, component]
    assert read["baseline"] == pytest.approx(float(value), abs=6e-4)

    open_activations(page, address, "model=cnn&activation=logits&units=value&token=>newB")
    wait_until(page, site="logits")
    scores = models["cnn"].baseline_run.logits[ROW, NEW_B - 1].numpy()
    order = np.argsort(-scores, kind="stable")
    assert listed(page) == [models["cnn"].template.visible(int(token)) for token in order]
    read = point_at(page, UNITS, 0, 0.5 / len(scores), (NEW_B - 0.5) / TOKENS)
    assert read["baseline"] == pytest.approx(float(scores.max()), abs=6e-4)


SORTED = (("number", None), ("value", NEW_B), ("largest", None), ("changed", NEW_B), ("changed", None))


def test_units_are_sorted_as_numpy_sorts_them(page, address, models):
    hook = "blocks.1.mlp.hook_post"
    recorded = [values_of(models["gpt2"], hook, each) for each in ("", EDIT)]
    for turn, (sort, token) in enumerate(SORTED):
        # In one state and another in turn, so that none is taken for the one before.
        state, row = ((STATE, ROW), (OTHER, OTHER_ROW))[turn % 2]
        at = "&token=newB" if token else ""
        query = f"model=gpt2&activation=L1.mlp&state={state}&units={sort}&on={EDIT}{at}"
        open_activations(page, address, query, f"{state} {EDIT}")
        clean, edited = (values[row] for values in recorded)
        rows = slice(None) if token is None else slice(token, token + 1)
        key = {
            "number": -np.arange(clean.shape[1]),
            "value": clean[rows].max(0),
            "largest": np.abs(clean[rows]).max(0),
            "changed": np.abs((edited - clean)[rows]).max(0),
        }[sort]
        order = np.argsort(-key, kind="stable")
        assert listed(page) == [str(unit) for unit in order[:14]]
        point_at(page, UNITS, 0, 4.5 / 512, 0.5)
        expect(page.locator(f"{ACTIVATIONS} .status")).to_contain_text(f"L1.mlp[{order[4]}] at")
        numbers = page.locator(f"{STRONGEST} tbody tr").first.locator("td.value").all_inner_texts()
        shown = [float(text.replace("−", "-")) for text in numbers]
        first = [
            each[rows][np.abs(each[rows]).argmax(0), np.arange(512)] if token is None else each[token]
            for each in (clean, edited, edited - clean)
        ]
        assert shown == pytest.approx([float(each[order[0]]) for each in first], abs=6e-4)


@pytest.mark.journey
def test_a_click_acts_and_looks_and_one_with_shift_only_looks(page, address, models):
    open_activations(page, address, "model=rnn&activation=L0.h")
    x, y = place_of(page, UNITS, 0, 5.5 / 24, 0.4)
    page.keyboard.down("Shift")
    page.mouse.click(x, y)
    page.keyboard.up("Shift")
    wait_until(page, unit="5", condition=STATE)
    assert "on" not in query_of(page)
    assert query_of(page)["activation"] == "L0.h[5]"
    page.mouse.click(*place_of(page, UNITS, 0, 7.5 / 24, 0.4))
    wait_until(page, unit="7", condition=f"{STATE} zero:L0.h[7]")
    assert edited_tokens(page) == tokens_of(models["rnn"], "zero:L0.h[7]")
    assert page.locator(f"{UNITS} .mark.acted").first.get_attribute("title") == "L0.h[7] zero"
    act = page.locator(f"{STRONGEST} [aria-label='zero L0.h[7]']")
    expect(act).to_have_attribute("aria-pressed", "true")
    act.click()
    wait_until(page, unit="7", condition=STATE)
    page.locator(f"{STRONGEST} .pick").first.click()
    wait_until(page, unit="0", condition=STATE)
    page.locator(f"{ACTIVATIONS} .whole").click()
    wait_until(page, unit="0", condition=f"{STATE} zero:L0.h")
    assert edited_tokens(page) == tokens_of(models["rnn"], "zero:L0.h")


def test_by_keyboard_alone(page, address, models):
    open_activations(page, address, "model=mann&activation=L0.c")
    page.locator(UNITS).focus()
    for key in ("PageDown", "ArrowDown", "ArrowRight", "ArrowRight", "ArrowLeft", "ArrowUp", "ArrowUp"):
        page.keyboard.press(key)
    expect(page.locator(f"{ACTIVATIONS} .status")).to_contain_text("L0.c[7] at ,")
    page.keyboard.press("Space")
    wait_until(page, unit="7", condition=STATE)
    page.keyboard.press("Enter")
    wait_until(page, unit="7", condition=f"{STATE} zero:L0.c[7]")
    assert edited_tokens(page) == tokens_of(models["mann"], "zero:L0.c[7]")
    page.keyboard.press("End")
    expect(page.locator(f"{ACTIVATIONS} .status")).to_contain_text("L0.c[23] at ,")
    page.locator(STATES).focus()
    page.keyboard.press("ArrowDown")
    expect(page.locator(f"{ACTIVATIONS} .status")).to_contain_text("0,0,0,0,1, at A")


def test_two_states_are_compared_under_the_same_interventions(page, address, models):
    done = f"{STATE} {EDIT}"
    open_activations(
        page, address, f"model=gpt2&activation=L2.attn&versus={OTHER}&units=changed&on={EDIT}", done
    )
    values = values_of(models["gpt2"], "blocks.2.hook_attn_out", EDIT)
    one, other = values[ROW], values[OTHER_ROW]
    order = np.argsort(-np.abs(other - one).max(0), kind="stable")
    assert listed(page) == [str(unit) for unit in order[:14]]
    read = point_at(page, UNITS, 2, 0.5 / 128, (NEW_B + 0.5) / TOKENS)
    expected = [each[NEW_B, order[0]] for each in (one, other, other - one)]
    assert list(read.values()) == pytest.approx(expected, abs=6e-4)
    assert [name.split(" ")[0] for name in read] == [STATE, OTHER, "difference"]
    page.locator("[data-key=versus]").select_option(label="the unedited model")
    wait_until(page, versus="", condition=done)
    assert page.locator(f"{UNITS} .group").all_inner_texts() == ["baseline", "edited", "difference"]


def test_a_unit_in_all_states_together_by_an_answer(page, address, models):
    model = models["cnn"]
    open_activations(page, address, "model=cnn&activation=L2.conv[4]")
    hook = next(each.hook for each in model.network.maps if str(each.site) == "L2.conv")
    values = values_of(model, hook)[:, :, 4]
    read = point_at(page, STATES, 0, 8.5 / 32, (NEW_B + 0.5) / TOKENS)
    assert read["baseline"] == pytest.approx(float(values[8, NEW_B]), abs=6e-4)
    page.locator(f"{ACTIVATIONS} select").select_option("newC")
    wait_until(page, grouped="newC")
    assert query_of(page)["grouped"] == "newC"
    order = np.argsort(model.board().truth[:, 2], kind="stable")
    page.locator(f"{UNITS} .tokens [data-token='{NEW_B}']").click()
    wait_until(page, token=str(NEW_B))
    assert query_of(page).items() >= {"token": "newB"}.items()
    bars = page.locator(f"{STATES} .bar")
    assert bars.count() == 32
    widths = bars.evaluate_all("all => all.map(bar => parseFloat(bar.style.width))")
    shown = np.abs(values[order, NEW_B])
    assert np.array(widths) == pytest.approx(100 * shown / np.abs(values).max(), abs=0.01)
    point_at(page, STATES, 0, 20.5 / 32, 0.5)
    state = ",".join(map(str, model.world.states[order[20]]))
    expect(page.locator(f"{ACTIVATIONS} .status")).to_contain_text(f"{state}, newC is")


def test_numbers_as_files(page, address, models):
    model = models["gpt2"]
    open_activations(page, address, f"model=gpt2&activation=L0.mlp[3]&on={EDIT}", f"{STATE} {EDIT}")
    clean, edited = (values_of(model, "blocks.0.mlp.hook_post", each) for each in ("", EDIT))
    page.wait_for_selector(f"{EDITS} .fixes")
    settle(page)
    page.get_by_role("button", name="Export numbers").click()
    with page.expect_download() as got:
        page.get_by_role("link", name="gpt2-L0.mlp-all-edited.npz").click()
    with np.load(got.value.path()) as file:
        assert list(file["axes"]) == ["state", "token", "neuron"]
        assert list(file["state"])[ROW] == STATE
        assert np.allclose(file["values"], edited, atol=1e-5)
    page.locator("[data-key=export_states] [data-value=false]").click()
    page.get_by_role("link", name="gpt2-L0.mlp-10101-edited.npz").wait_for()
    page.locator("[data-key=export_run] [data-value=false]").click()
    page.get_by_role("link", name="gpt2-L0.mlp-10101-unedited.npz").wait_for()
    settle(page)
    with page.expect_download() as got:
        page.get_by_role("link", name="gpt2-L0.mlp-10101-unedited.safetensors").click()
    assert got.value.suggested_filename == "gpt2-L0.mlp-10101-unedited.safetensors"
    with safe_open(got.value.path(), "numpy") as file:
        assert json.loads(file.metadata()["state"]) == [STATE]
        assert np.allclose(file.get_tensor("values")[0], clean[ROW], atol=1e-5)
    page.keyboard.press("Escape")
    with page.expect_download() as got:
        page.get_by_role("button", name="download L0.mlp as CSV").click()
    rows = list(csv.DictReader(io.StringIO(got.value.path().read_text())))
    assert len(rows) == 512 * TOKENS
    shown = np.array([float(row["edited"]) for row in rows]).reshape(512, TOKENS)
    assert np.allclose(shown, edited[ROW].T, atol=1e-5)
    assert rows[NEW_B].items() >= {"position": "12", "token": "newB"}.items()


def test_what_is_wrong_in_the_address_is_explained_and_the_rest_is_kept(page, address):
    wrong = "activation=L0.mlp[512]&units=price&grouped=newQ&versus=1,0&token=newB"
    open_activations(page, address, f"model=gpt2&{wrong}")
    alerts = " ".join(page.locator(".fault").all_inner_texts())
    for said in ("from L0.mlp[0] to L0.mlp[511]", "one of number, value", "one of newA", "5 digits"):
        assert said in alerts
    wait_until(page, site="L0.attn", token=str(NEW_B))


def test_nothing_that_axe_finds_is_ours(page, address):
    query = f"model=gpt2&activation=L1.attn[4]&on={EDIT};zero:L1.attn[4]&token=newB&grouped=sum&units=largest"
    open_activations(page, address, query, f"{STATE} {EDIT};zero:L1.attn[4]")
    assert violations(page, (".board", ".activations", ".strip", ".strongest")) == []
