"""Pages that show no model keep what is open, and what another page chose, in mind."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.app.browser import settle, visit, wait_for_board

STATE, EDITS = "0,1,1,0,0", "zero:L0H1;mean:L1.mlp"
ABOUT = "[data-key=hold_out_about]"


def go(page: Page, name: str) -> None:
    page.get_by_role("link", name=name, exact=True).click()


def reload(page: Page) -> None:
    settle(page)
    page.reload()
    settle(page)


@pytest.mark.parametrize("name", ["World", "Train"])
def test_what_is_open_is_named_in_the_address_and_outlives_a_reload(page: Page, address: str, name: str):
    page.goto(f"{address}/?name=default&model=gpt2&state={STATE}&on={EDITS}&off=1")
    wait_for_board(page, STATE, "zero:L0H1")
    settle(page)
    go(page, name)
    expect(page).to_have_url(re.compile(rf"/{name.lower()}\?.*model=.*gpt2.*on={re.escape(EDITS)}&off=1"))
    # A second reload has the address alone to go by.
    reload(page)
    reload(page)
    expect(page).to_have_url(re.compile(rf"/{name.lower()}\?.*model=.*gpt2"))
    go(page, "Probe")
    wait_for_board(page, STATE, "zero:L0H1")
    assert page.locator(".edits .entry").count() == 2


def test_the_name_of_a_training_is_not_that_of_the_open_model(page: Page, address: str):
    page.goto(f"{address}/train?name=other&model=default/gpt2&state={STATE}")
    expect(page.locator("input[data-key=name]")).to_have_value("other")
    settle(page)
    go(page, "Probe")
    wait_for_board(page, STATE)
    expect(page).to_have_url(re.compile("name=default&model=gpt2"))


def test_predictors_on_page_world_are_for_the_hold_out_of_page_train(page: Page, address: str):
    page.goto(f"{address}/world")
    expect(page.locator(ABOUT)).to_contain_text("default hold-out")
    settle(page)
    visit(page, f"{address}/train?held=1,0,1,0,1;0,0,0,0,0")
    expect(page.locator("[data-key=hold_out] tr.held")).to_have_count(2)
    settle(page)
    go(page, "World")
    expect(page.locator(ABOUT)).to_have_text("For the hold-out chosen on page Train.")
    expect(page.locator(".predictors .summary")).to_contain_text("2 held-out states")
    # Other rules have another hold-out.
    settle(page)
    page.locator("[data-key=rules_file]").select_option("chain")
    expect(page.locator(ABOUT)).to_contain_text("default hold-out")
