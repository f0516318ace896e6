"""Page Mechanism in a real browser: the verdict, its evidence, a second model, the effect of edits."""

from __future__ import annotations

from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from playground.analysis import Claim, measure_mechanism
from playground.inference import Model, open_model
from playground.models import snapshots_of
from tests.app.browser import settle

VERDICT = ".verdict[data-whole=true]"
GRID, LIST = ".grid", ".case_table"
EDIT = "zero:L0"
ANSWER, HERE = "sum", "A"
ALL = 580
"""Parts times tokens."""


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


def wait_for_query(page: Page, name: str, value: str) -> None:
    page.wait_for_function(f"() => new URLSearchParams(location.search).get({name!r}) === {value!r}")
    settle(page)


@pytest.mark.journey
def test_a_verdict_leads_to_all_that_it_rests_on(page, address, folder):
    model = open_model(folder, "cpu")
    page.goto(
        f"{address}/mechanism?name=default&model=gpt2&state=0,1,1,0,0&answer={ANSWER}&options=variable=input:{HERE}"
    )
    wait_for_verdict(page, "gpt2")
    found = measure_mechanism(model)
    assert sentences(page, "gpt2") == list(found.verdict)
    open_a_claim(page, next(each for each in found.claims if each.counterexamples))
    stop_and_go_on(page)
    list_the_pairs(page, model)

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


def open_a_claim(page: Page, claim: Claim) -> None:
    """A claim opens to its counterexamples, and each leads to its state."""
    drawn = page.locator(f"{VERDICT} details").first
    expect(drawn.locator("summary")).to_contain_text(str(claim.share))
    drawn.locator("summary").press("Enter")
    assert drawn.locator("li").all_inner_texts() == list(claim.counterexamples)
    drawn.get_by_role("button").first.click()
    wait_for_query(page, "state", claim.counterexamples[0].split(" ")[0])


def stop_and_go_on(page: Page) -> None:
    """A long measurement is drawn as it comes; it is stopped, gone on with, and stopped again."""
    page.get_by_text("Interchange accuracy").click()
    page.get_by_role("button", name="Measure").click()
    page.wait_for_selector(f"{GRID} button")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on").wait_for()
    settle(page)
    before = done(page)
    assert 0 < before < ALL
    # What it is stands above it; the best number is framed, and a line parts the layers.
    expect(page.locator(f"{GRID} .title")).to_contain_text(f"{ANSWER} by ", ignore_case=True)
    assert page.locator(f"{GRID} button.framed").count() == 1
    layers = [name.split(".")[0].split("H")[0] for name in page.locator(f"{GRID} th.name").all_inner_texts()]
    changes = sum(one != other for one, other in pairwise(layers))
    assert page.locator(f"{GRID} tr.parted").count() == changes > 1
    expect(page.get_by_text(f"{before} of {ALL} measured")).to_be_visible()
    page.get_by_role("button", name="Go on").click()
    page.wait_for_selector(f'{GRID}:not([data-done="{before}"])')
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Go on").wait_for()
    settle(page)
    assert before < done(page) < ALL


def list_the_pairs(page: Page, model: Model) -> None:
    """Behind a number are the pairs that count: in each the model writes what it does under the same patch."""
    page.locator(f'{GRID} button[title^="embed, {HERE}:"]').click()
    wait_for_query(page, "cell", f"embed@{HERE}")
    rows = page.locator(f"{LIST} tbody tr").evaluate_all(
        "rows => rows.map(tr => [...tr.cells].map(cell => cell.firstChild.textContent))"
    )
    assert [row[4] for row in rows] == sorted((row[4] for row in rows), key=["no", "yes"].index)
    source, at = rows[0][1], model.template.positions[ANSWER]
    of_source = [row for row in rows if row[1] == source]
    for base, _, expected, written, said in of_source:
        state = model.world.states.index(model.world.parse_state(base))
        text = model.template.decode(model.baseline.tokens[state, :at])
        token = model.complete(text, f"patch:embed@{HERE}<{source}").tokens[0, at]
        assert model.template.visible(int(token)) == written
        assert said == ("yes" if written == expected else "no")
    assert len({row[3] for row in rows}) > 1
    page.locator(f"{GRID} button.chosen").press("ArrowRight")
    page.keyboard.press("Enter")
    wait_for_query(page, "cell", "embed@>B")
