"""Page Mechanism in a real browser: the verdict, what it rests on, a second model, what the tray does to it."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from playground.analysis import measure_mechanism
from playground.inference import open_model
from playground.models import snapshots_of
from tests.app.browser import settle

VERDICT = ".verdict[data-whole=true]"
GRID, LIST = ".grid", ".listing"
EDIT = "zero:L0"
HERE = "newC"
"""A token behind which nothing but one separator is written before the answer that is looked at."""


@pytest.fixture(scope="module")
def folder(workplace):
    return workplace / "models" / "default" / "gpt2"


def wait_for_verdict(page: Page, of: str) -> None:
    page.wait_for_selector(f'{VERDICT}[data-condition="{of}"]')
    settle(page)


def sentences(page: Page, of: str) -> list[str]:
    return page.locator(f'{VERDICT}[data-condition="{of}"] .sentence').all_inner_texts()


def done(page: Page) -> int:
    return int(page.locator(GRID).get_attribute("data-done") or 0)


def test_a_verdict_leads_to_all_that_it_rests_on(page, address, folder):
    model = open_model(folder, "cpu")
    page.goto(f"{address}/mechanism?name=default&model=gpt2&state=0,1,1,0,0")
    wait_for_verdict(page, "gpt2")
    found = measure_mechanism(model)
    assert sentences(page, "gpt2") == list(found.verdict)

    claim = next(each for each in found.claims if each.counterexamples)
    drawn = page.locator(f"{VERDICT} details").first
    expect(drawn.locator("summary")).to_contain_text(f"{claim.share}")
    drawn.locator("summary").press("Enter")
    assert drawn.locator("li").all_inner_texts() == list(claim.counterexamples)
    drawn.get_by_role("button").first.click()
    page.wait_for_function(f"() => !location.search.includes('state={'0%2C1%2C1%2C0%2C0'}')")
    state = claim.counterexamples[0].split(" ")[0]
    assert parse_qs(urlsplit(page.url).query)["state"] == [state]

    # A long measurement is drawn as it comes; it is stopped, and gone on with.
    page.get_by_text("Interchange accuracy").click()
    page.get_by_role("button", name="Measure").click()
    page.wait_for_selector(f"{GRID} button")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on").wait_for()
    settle(page)
    before = done(page)
    assert 0 < before < 580
    expect(page.get_by_text(f"{before} of 580 measured")).to_be_visible()

    # Behind a number are the pairs that count: each is what the same exchange as an intervention has the model write.
    page.locator(f'{GRID} button[title^="embed, {HERE}:"]').click()
    page.wait_for_selector(LIST)
    settle(page)
    rows = page.locator(f"{LIST} tbody tr").evaluate_all(
        "rows => rows.map(tr => [...tr.cells].map(cell => cell.firstChild.textContent))"
    )
    assert parse_qs(urlsplit(page.url).query)["cell"] == [f"embed@{HERE}"]
    assert [row[4] for row in rows] == sorted((row[4] for row in rows), reverse=True)
    source = rows[0][1]
    board = model.board(f"patch:embed@{HERE}<{source}")
    answer = model.world.answers.index("newD")
    of_source = [row for row in rows if row[1] == source]
    for base, _, expected, written, said in of_source:
        token = board.written[model.world.states.index(model.world.parse_state(base)), answer]
        assert model.template.visible(token) == written
        assert said == ("as expected" if written == expected else "otherwise")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    page.wait_for_function("() => location.search.includes('cell=embed%40%3EnewC')")

    page.get_by_role("button", name="Go on").click()
    page.wait_for_function(
        f"() => document.querySelectorAll('*').length && [...document.querySelectorAll('.st-key-grid_interchange_gpt2 *')]"
        f".concat([...document.querySelectorAll('*')].flatMap(e => e.shadowRoot ? [...e.shadowRoot.querySelectorAll('.grid')] : []))"
        f".some(e => Number(e.dataset?.done) > {before})"
    )
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on").wait_for()
    page.get_by_text("Interchange accuracy").click()
    settle(page)

    step = snapshots_of(folder)[0]
    page.locator("[class*=st-key-beside-]").get_by_role("combobox").click()
    page.keyboard.type(f"gpt2:{step}")
    page.get_by_role("option", name=f"gpt2:{step}", exact=True).click()
    wait_for_verdict(page, f"gpt2:{step}")
    earlier = measure_mechanism(open_model(folder, "cpu", step))
    assert sentences(page, f"gpt2:{step}") == list(earlier.verdict)
    assert sentences(page, "gpt2") == list(found.verdict)
    assert Axe().run(page).response["violations"] == []

    page.get_by_role("textbox", name="Add by text").fill(EDIT)
    page.keyboard.press("Enter")
    wait_for_verdict(page, f"gpt2 {EDIT}")
    edited = measure_mechanism(model, EDIT)
    assert sentences(page, f"gpt2 {EDIT}") == list(edited.verdict)
    assert edited.verdict != found.verdict
