"""The page in a real browser: numbers, clicks, links, keys, wrong addresses, accessibility."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, Route, expect

from playground.inference import open_model
from tests.app.browser import (
    BOARD,
    EDITS,
    MOSAIC,
    add_by_text,
    press_edit,
    query_of,
    settle,
    tokens_of,
    violations,
    visit,
    wait_for_board,
)

STATE = "1,0,1,0,1"
"""Held out of the small default run, and the first that the page shows."""


def open_page(page: Page, address: str, query: str = "", shows: str = STATE) -> None:
    visit(page, f"{address}/{query}")
    wait_for_board(page, shows)
    settle(page)


def shown(page: Page, group: str, rows: int) -> list[list[str]]:
    """Return the tokens of one half of the board, row by row as the page shows them."""
    names = page.locator(f"{BOARD} thead tr.names th").count()
    cells = page.locator(f"{BOARD} tbody td.mono:not(.moved)").evaluate_all(
        "all => all.map(td => [td.title.split(':')[0], td.firstChild.textContent])"
    )
    assert names > 2
    those = [token for title, token in cells if title.startswith(group)]
    per_row = len(those) // rows
    return [those[i * per_row : (i + 1) * per_row] for i in range(rows)]


@pytest.fixture(scope="module")
def model(workplace):
    return open_model(workplace / "models" / "default" / "gpt2", "cpu")


def press(page: Page, key: str) -> None:
    """Press a button by its key."""
    page.locator(f"[data-key={key}]").click()


def head(page: Page, site: str):
    return page.locator(f'{MOSAIC} button[data-site="{site}"]')


def test_the_page_loads_without_a_request_to_any_other_host(page, address, model):
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    open_page(page, address)
    page.wait_for_selector(".ranking table")
    settle(page)
    hosts = {urlsplit(url).netloc for url in requests if not url.startswith(("data:", "blob:"))}
    assert hosts == {urlsplit(address).netloc}
    assert shown(page, "baseline", 32) == tokens_of(model, "")
    assert page.title().startswith("the-experiment") or "Probe" in page.title()


@pytest.mark.journey
def test_a_click_on_a_head_changes_the_board_and_another_click_puts_it_back(page, address, model):
    open_page(page, address)
    head(page, "L0H1").click()
    wait_for_board(page, STATE, "zero:L0H1")
    settle(page)
    assert shown(page, "edited", 32) == tokens_of(model, "zero:L0H1")
    assert shown(page, "baseline", 32) == tokens_of(model, "")
    assert query_of(page)["on"] == "zero:L0H1"
    expect(head(page, "L0H1")).to_have_attribute("aria-pressed", "true")
    expect(page.locator(EDITS)).to_contain_text("zero:L0H1")
    head(page, "L0H1").click()
    wait_for_board(page, STATE)
    settle(page)
    assert "on" not in query_of(page)
    expect(page.get_by_text("No edits yet. Click a part of the model.")).to_be_visible()


def test_whole_layers_kinds_and_positions_by_address_and_by_name(page, address, model):
    open_page(page, address, "?kind=mean&at=@>newB..newD")
    head(page, "L1").click()
    wait_for_board(page, STATE, "mean:L1@>newB..newD")
    settle(page)
    assert shown(page, "edited", 32) == tokens_of(model, "mean:L1@>newB..newD")
    page.locator("[data-key=action_kind] [data-value=zero]").click()
    page.wait_for_function("() => !location.search.includes('kind=')")
    settle(page)
    head(page, "L0.mlp").click()
    wait_for_board(page, STATE, "mean:L1@>newB..newD;zero:L0.mlp@>newB..newD")

    # Positions are chosen by name.
    open_page(page, address)
    page.locator("[data-key=action_start]").select_option(label=">newB")
    page.wait_for_function("() => location.search.includes('at=')")
    settle(page)
    assert query_of(page)["at"] == "@>newB.."
    head(page, "L0H0").click()
    wait_for_board(page, STATE, "zero:L0H0@>newB..")


def test_a_deep_link_restores_all(page, address, model):
    query = "?name=default&model=gpt2&state=0,1,1,1,0&on=zero:L0H1;mean:L1.mlp@newB&large=L2H3&margins=1&sort=-moved"
    open_page(page, address, query, shows="0,1,1,1,0 zero:L0H1;mean:L1.mlp@newB")
    page.locator(".large").scroll_into_view_if_needed()
    page.wait_for_selector(".js-plotly-plot")
    settle(page)
    states = page.locator(f"{BOARD} tbody td.first").all_inner_texts()
    moved = [float(text) for text in page.locator(f"{BOARD} td.moved").all_inner_texts()]
    assert moved == sorted(moved), "the other direction: the least moved first"
    rows = dict(zip(states, shown(page, "edited", 32), strict=True))
    for state, row in zip(model.world.states, tokens_of(model, "zero:L0H1;mean:L1.mlp@newB"), strict=True):
        assert rows[",".join(map(str, state))] == row
    assert page.locator(f"{BOARD} .margin").count() == 32 * 12
    expect(page.locator(".js-plotly-plot")).to_contain_text("L2H3 edited")
    first = query_of(page)
    page.reload()
    wait_for_board(page, "0,1,1,1,0 zero:L0H1;mean:L1.mlp@newB")
    settle(page)
    assert query_of(page) == first


def test_the_state_is_chosen_by_toggle_by_row_and_by_the_next_held_out(page, address):
    open_page(page, address)
    press(page, "next_held_out")
    wait_for_board(page, "1,1,1,1,1")
    settle(page)
    page.locator('[data-key="input A"]').click()
    wait_for_board(page, "0,1,1,1,1")
    settle(page)
    page.locator(f"{BOARD} button", has_text="0,0,0,0,1").click()
    wait_for_board(page, "0,0,0,0,1")
    settle(page)
    assert query_of(page)["state"] == "0,0,0,0,1"


def test_undo_redo_remove_reset_and_text(page, address):
    open_page(page, address)
    add_by_text(page, "zero:L0H0; mean:L2.attn@newA")
    wait_for_board(page, STATE, "zero:L0H0;mean:L2.attn@newA")
    settle(page)
    press_edit(page, "remove 0")
    wait_for_board(page, STATE, "mean:L2.attn@newA")
    settle(page)
    press_edit(page, "undo")
    wait_for_board(page, STATE, "zero:L0H0;mean:L2.attn@newA")
    settle(page)
    press_edit(page, "redo")
    wait_for_board(page, STATE, "mean:L2.attn@newA")
    settle(page)
    press_edit(page, "reset")
    wait_for_board(page, STATE)
    settle(page)
    assert "on" not in query_of(page)


def test_undo_and_redo_outlive_a_reload_but_not_another_address(page, address):
    open_page(page, address)
    add_by_text(page, "zero:L0H0")
    wait_for_board(page, STATE, "zero:L0H0")
    add_by_text(page, "mean:L2.attn")
    wait_for_board(page, STATE, "zero:L0H0;mean:L2.attn")
    press_edit(page, "undo")
    wait_for_board(page, STATE, "zero:L0H0")
    settle(page)
    page.reload()
    wait_for_board(page, STATE, "zero:L0H0")
    press_edit(page, "redo")
    wait_for_board(page, STATE, "zero:L0H0;mean:L2.attn")
    press_edit(page, "undo")
    press_edit(page, "undo")
    wait_for_board(page, STATE)
    expect(page.locator(f'{EDITS} [data-focus="undo"]')).to_be_disabled()
    settle(page)
    # Other edits in the same tab, and the same ones by a link, have a history of their own.
    for edits in ("zero:L0H1", "zero:L0H0"):
        page.goto(f"{address}/?name=default&model=gpt2&state={STATE}&on={edits}")
        wait_for_board(page, STATE, edits)
        for button in ("undo", "redo"):
            expect(page.locator(f'{EDITS} [data-focus="{button}"]')).to_be_disabled()


def test_keyboard_alone(page, address, model):
    open_page(page, address)
    for _ in range(120):
        page.keyboard.press("Tab")
        focused = page.evaluate(
            "() => { let e = document.activeElement; while (e && e.shadowRoot) e = e.shadowRoot.activeElement;"
            " return e && e.dataset ? e.dataset.site || '' : ''; }"
        )
        if focused == "L0H2":
            break
    assert focused == "L0H2"
    page.keyboard.press("Enter")
    wait_for_board(page, STATE, "zero:L0H2")
    settle(page)
    assert shown(page, "edited", 32) == tokens_of(model, "zero:L0H2")
    page.keyboard.press("Space")
    wait_for_board(page, STATE)


def test_hovering_shows_weights_and_a_header_sorts(page, address, model):
    open_page(page, address)
    canvas = head(page, "L1H2").locator("canvas").first
    box = canvas.bounding_box()
    query, key = 16, 4
    page.mouse.move(box["x"] + (key + 0.5) * box["width"] / 22, box["y"] + (query + 0.5) * box["height"] / 22)
    state = model.world.states.index((1, 0, 1, 0, 1))
    weight = float(model.baseline_run.recorded["blocks.1.attn.hook_pattern"][state, 2, query, key])
    status = page.locator(f"{MOSAIC} .status")
    expect(status).to_contain_text("L1H2: newD=")
    expect(status).to_contain_text(f"C=1  {weight:.3f}")
    page.locator(f"{BOARD} thead button", has_text="newD").click()
    page.wait_for_selector(f"{BOARD} th[aria-sort=ascending] button[data-focus='sort baseline.newD']")
    states = page.locator(f"{BOARD} tbody td.first").all_inner_texts()
    margins = dict(zip(model.world.states, model.board().margin[:, 3].round(4), strict=True))
    order = [float(margins[tuple(map(int, state.split(",")))]) for state in states]
    assert order == sorted(order)
    settle(page)
    assert query_of(page)["sort"] == "baseline.newD"


def test_heads_are_ranked_and_can_be_ablated_from_there(page, address, model):
    from playground.analysis import ablations, measure_effect, rank

    open_page(page, address)
    page.wait_for_selector(".ranking table")
    sites = page.locator(".ranking button.element").all_inner_texts()
    baseline = model.board()
    effects = [measure_effect(baseline, model.board([each]), each) for each in ablations(model)]
    assert sites == [str(effect.intervention.site) for effect in rank(effects, baseline)]
    settle(page)
    page.locator(".ranking button.element").first.click()
    wait_for_board(page, STATE, f"zero:{sites[0]}")


def test_the_second_world_is_an_address_or_a_click_away(page, address, workplace):
    second = open_model(workplace / "models" / "second" / "gpt2", "cpu")
    open_page(page, address, "?name=second&model=gpt2&on=zero:L1@>second..", shows="1,1,0 zero:L1@>second..")
    assert shown(page, "edited", 8) == tokens_of(second, "zero:L1@>second..")
    assert page.locator(f"{BOARD} thead tr.names").inner_text().split()[3:5] == ["first", "second"]

    open_page(page, address, "?on=zero:L0H0", shows=f"{STATE} zero:L0H0")
    page.locator("[data-key=model]").select_option(label="second/gpt2")
    wait_for_board(page, "1,1,0")
    settle(page)
    assert query_of(page)["name"] == "second"
    page.go_back()
    wait_for_board(page, STATE, "zero:L0H0")
    settle(page)


def test_back_and_forward_are_one_step_each(page, address):
    open_page(page, address, "?model=gpt2&state=0,0,0,0,1&on=zero:L0H1", shows="0,0,0,0,1 zero:L0H1")
    head(page, "L1H1").click()
    wait_for_board(page, "0,0,0,0,1", "zero:L0H1;zero:L1H1")
    for view in ("weights", "activations"):
        page.locator(f"[data-key=view] [data-value={view}]").click()
        page.wait_for_function("view => location.search.includes(`view=${view}`)", arg=view)
    page.go_back()
    page.wait_for_selector(".matrix")
    page.go_back()
    wait_for_board(page, "0,0,0,0,1", "zero:L0H1;zero:L1H1")
    page.go_back()
    wait_for_board(page, "0,0,0,0,1", "zero:L0H1")
    assert query_of(page)["on"] == "zero:L0H1"
    page.go_forward()
    wait_for_board(page, "0,0,0,0,1", "zero:L0H1;zero:L1H1")
    assert query_of(page)["on"] == "zero:L0H1;zero:L1H1"


def test_the_way_through_the_pages_loses_nothing(page, address):
    """On the way from page to page Streamlit drops the query."""
    open_page(page, address, "?model=gpt2&state=0,0,0,0,1&on=zero:L0H1", shows="0,0,0,0,1 zero:L0H1")
    for name, path in (("Compare", "compare"), ("Free text", "text"), ("Probe", "")):
        page.get_by_role("link", name=name).click()
        expect(page).to_have_url(re.compile(f"/{path}\\?.*state=0(,|%2C)0(,|%2C)0(,|%2C)0(,|%2C)1.*L0H1"))
    wait_for_board(page, "0,0,0,0,1", "zero:L0H1")


@pytest.mark.parametrize("page_name", ["activations", "weights"])
def test_the_address_of_a_former_page_leads_to_its_view(page, address, page_name):
    page.goto(f"{address}/{page_name}?name=default&model=gpt2&state=0,0,0,0,1&on=zero:L0H1")
    wait_for_board(
        page, "0,0,0,0,1", "zero:L0H1", picture={"weights": ".matrix"}.get(page_name, ".activations")
    )
    assert query_of(page)["view"] == page_name


WRONG = (
    ("?on=zero:L9H9;zero:L0H1", "from L0 to L3", f"{STATE} zero:L0H1"),
    ("?on=<script>alert(1)</script>", "KIND:SITE", STATE),
    ("?on=" + ";".join(["zero:L0H0"] * 150), "150 interventions", f"{STATE} {';'.join(['zero:L0H0'] * 100)}"),
)


def test_a_wrong_address_is_explained_and_the_rest_is_kept(page, address):
    for query, said, shows in WRONG:
        open_page(page, address, query, shows=shows)
        expect(page.locator(".fault").first).to_contain_text(said)
        assert page.get_by_text("Traceback").count() == 0


def test_wrong_text_is_explained_and_kept_for_mending(page, address):
    open_page(page, address)
    box = page.locator("[data-key=by_text]")
    box.fill("zero:L0H9")
    box.press("Enter")
    expect(page.locator(".fault").first).to_contain_text("L0H3")
    settle(page)
    expect(box).to_have_value("zero:L0H9")
    box.fill("zero:L0H1")
    box.press("Enter")
    wait_for_board(page, STATE, "zero:L0H1")
    expect(box).to_have_value("")
    expect(box).to_be_focused()


def test_nothing_that_axe_finds_is_ours(page, address):
    open_page(page, address, "?on=zero:L0H1", shows=f"{STATE} zero:L0H1")
    page.wait_for_selector(".ranking table")
    assert violations(page, (".board", ".mosaic", ".strip", ".ranking")) == []


def test_a_click_outlives_a_redraw_between_press_and_release(page, address):
    open_page(page, address)
    box = page.locator("[data-key=by_text]")
    box.fill("zero:L0H1")
    choice = page.locator(f"{BOARD} button", has_text="0,0,0,0,1")
    choice.hover()
    page.mouse.down()
    box.dispatch_event("keydown", {"key": "Enter"})
    page.wait_for_selector(f'{MOSAIC}[data-condition="{STATE} zero:L0H1"]')
    assert page.locator(BOARD).get_attribute("data-condition") == STATE
    page.mouse.up()
    wait_for_board(page, "0,0,0,0,1", "zero:L0H1")


def test_a_late_answer_is_dropped(page, address, model):
    """Hold back the answer to a click until that to the next is there."""
    open_page(page, address)
    held: list[Route] = []
    page.route(re.compile(r"/api/board\?.*L0H1$"), lambda route: held.append(route))  # noqa: PLW0108  Playwright marks it.
    head(page, "L0H1").click()
    while not held:
        page.wait_for_timeout(20)
    head(page, "L0H2").click()
    wait_for_board(page, STATE, "zero:L0H1;zero:L0H2")
    head(page, "L0H1").click()
    wait_for_board(page, STATE, "zero:L0H2")
    for route in held:
        route.fallback()
    settle(page)
    assert shown(page, "edited", 32) == tokens_of(model, "zero:L0H2")


def test_a_click_that_changes_nothing_is_taken_back_and_explained(page, address):
    open_page(page, address, "?at=@A")
    head(page, "L3H0").click()
    # The ranking may say the same of its own: it ablates at these tokens, too.
    expect(page.locator(".probe > .fault")).to_contain_text("nothing that is written depends on")
    expect(page.get_by_text("No edits yet. Click a part of the model.")).to_be_visible()
    assert "on" not in query_of(page)
