"""The form of page Train in a real browser: what is held out, what the address says, defaults."""

from __future__ import annotations

import re

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from playground.datasets import hardest_hold_out
from playground.training import default_recipe
from playground.worlds import parse_world
from tests.app.browser import BOARD, query_of
from tests.app.pages.train.page import (
    box,
    choose,
    fill,
    open_page,
    press,
    start,
)
from tests.conftest import SECOND_RULES


def test_states_are_held_out_by_click_by_pattern_at_random_and_where_guessing_does_worst(site, page):
    open_page(page, site)
    held = page.locator("[data-key=hold_out] tr.held")
    # A fifth is at first, and what guessing would give of it is said.
    expect(held).to_have_count(1)
    guessed = page.locator(".predictors")
    expect(guessed.locator("tr.formulas")).to_be_visible()
    expect(guessed.locator("tbody tr.best td").last).to_have_text(re.compile("^[01]/1$"))
    fill(page, count="2")
    press(page, "hardest")
    expect(held).to_have_count(2)
    world = parse_world(SECOND_RULES)
    hardest = [",".join(map(str, state)) for state in hardest_hold_out(world, 2)]
    expect(guessed.locator("details tbody th")).to_have_text(hardest)
    press(page, "hold_out_none")
    expect(held).to_have_count(0)
    expect(guessed).to_contain_text("No state is held out")
    page.locator("[data-key=hold_out] tbody tr button").nth(5).click()
    expect(held).to_have_count(1)
    expect(held.locator("button")).to_have_attribute("aria-pressed", "true")
    box(page, "pattern").fill("1,*,0;0,0,0")
    press(page, "hold_out_like")
    expect(held).to_have_count(4)
    expect(box(page, "pattern")).to_have_value("")
    box(page, "pattern").fill("1,2")
    press(page, "hold_out_like")
    expect(page.get_by_text("invalid state")).to_be_visible()
    expect(held).to_have_count(4)
    # What was typed stays, to be mended.
    expect(box(page, "pattern")).to_have_value("1,2")
    fill(page, count="3")
    press(page, "draw")
    expect(held).to_have_count(3)
    fill(page, name="a/b", learning_rate="x")
    start(page)
    expect(page.get_by_text("invalid name")).to_be_visible()
    expect(page.get_by_text("invalid learning rate")).to_be_visible()
    expect(held).to_have_count(3)
    press(page, "hold_out_none")
    expect(held).to_have_count(0)
    violations = [each["id"] for each in Axe().run(page).response["violations"]]
    assert violations == []


def test_the_address_says_the_form_and_back_takes_back_one_step(site, page):
    open_page(page, site)
    held = page.locator("[data-key=hold_out] tr.held")
    expect(held).to_have_count(1)
    assert query_of(page) == {"rules": "small"}
    first = held.locator("button").get_attribute("aria-label")
    page.locator("[data-key=hold_out] tbody tr:not(.held) button").first.click()
    fill(page, width="16", name="other")
    choose(page, "RNN")
    expect(page).to_have_url(re.compile("models=gpt2,rnn"))
    said = query_of(page)
    assert {name: said[name] for name in said if name != "held"} == {
        "rules": "small",
        "models": "gpt2,rnn",
        "name": "other",
        "width": "16",
    }
    assert len(said["held"].split(";")) == 2
    page.reload()
    expect(held).to_have_count(2)
    expect(box(page, "width")).to_have_value("16")
    expect(page.locator("[data-key=models] [aria-pressed=true]")).to_have_text(["GPT-2", "RNN"])
    for _ in range(3):
        page.go_back()
    expect(box(page, "width")).to_have_value("")
    expect(page.locator("[data-key=models] [aria-pressed=true]")).to_have_text(["GPT-2"])
    expect(held).to_have_count(2)
    page.go_back()
    expect(held).to_have_count(1)
    expect(held.locator("button")).to_have_attribute("aria-label", first or "")
    page.go_forward()
    expect(held).to_have_count(2)
    # On the way to another page and back nothing is lost.
    page.get_by_role("link", name="Probe").click()
    expect(page.locator(BOARD)).to_be_visible()
    page.get_by_role("link", name="Train").click()
    expect(held).to_have_count(2)
    expect(page).to_have_url(re.compile("held="))


def test_defaults_are_those_of_the_chosen_models(site, page):
    page.goto(f"{site}/train")
    expect(box(page, "epochs")).to_have_attribute("placeholder", "3 (default)")
    expect(box(page, "heads")).to_have_attribute("placeholder", "4 (default)")
    choose(page, "RNN")
    expect(box(page, "learning_rate")).to_have_attribute("placeholder", "by model")
    rates = [f"{default_recipe(name).learning_rate:g}" for name in ("gpt2", "rnn")]
    expect(page.get_by_text(f"learning rate {rates[0]} (GPT-2), {rates[1]} (RNN)")).to_be_visible()
    expect(box(page, "heads")).to_be_disabled()


def test_what_is_wrong_in_an_address_is_said_and_the_rest_is_kept(site, page):
    page.goto(f"{site}/train?rules=small&held=1,0;0,0,1&width=16&seed=x&watch=mine/nothing")
    expect(page.locator("[data-key=hold_out] tr.held")).to_have_count(1)
    expect(page.get_by_text("invalid state")).to_be_visible()
    expect(page.get_by_text("not a seed")).to_be_visible()
    expect(page.get_by_text("there is no such training")).to_be_visible()
    expect(page.locator(".training_progress")).to_be_visible()
    expect(box(page, "width")).to_have_value("16")
    page.goto(f"{site}/train?rules=nowhere&width=16")
    expect(page.get_by_text("there is no such world")).to_be_visible()
    page.locator("select[data-key=rules]").select_option("small")
    expect(page.locator("[data-key=hold_out] tbody tr")).to_have_count(8)
    expect(page.get_by_text("there is no such world")).to_have_count(0)
    expect(box(page, "width")).to_have_value("16")
