"""Page Mechanism in a real browser: the verdict, its evidence, a second model, the effect of edits."""

from __future__ import annotations

import re
from itertools import pairwise

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from playground.analysis import Claim, measure_mechanism
from playground.inference import Model, open_model
from playground.models import snapshots_of
from tests.app.browser import query_of, settle, violations, visit

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


def panel(method: str) -> str:
    return f'[data-key="panel_{method}"]'


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
    page.get_by_role("combobox", name="Compare with").select_option(f"gpt2:{step}")
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
    page.locator(panel("interchange")).press("Enter")
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
    page.wait_for_selector(f"{LIST} tbody tr")
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


def open_page(page: Page, address: str, query: str, of: str = "gpt2") -> None:
    visit(page, f"{address}/mechanism?name=default&model=gpt2&state=0,1,1,0,0&{query}")
    wait_for_verdict(page, of)


def test_a_reload_keeps_the_open_panels_and_back_is_one_step(page, address):
    open_page(page, address, "open=attention&cell=L1H0@>B&answer=newD")
    page.wait_for_selector(f"{LIST} tbody tr")
    # Opened while the answers of others are on their way, each comes all the same.
    for method in ("lens", "attribution", "patching"):
        page.locator(panel(method)).click()
    for method in ("attention", "lens", "attribution"):
        page.wait_for_selector(f"[data-method={method}] {GRID} button")
    expect(page.locator("[data-method=patching]")).to_contain_text("Takes ")
    wait_for_query(page, "open", "attention,lens,attribution,patching")
    page.go_back()
    wait_for_query(page, "open", "attention,lens,attribution")
    expect(page.locator(panel("patching"))).to_have_attribute("aria-expanded", "false")
    page.reload()
    wait_for_verdict(page, "gpt2")
    for method in ("attention", "lens", "attribution"):
        page.wait_for_selector(f"[data-method={method}] {GRID} button")
    expect(page.locator("[data-method=attention] .cell.chosen")).to_have_attribute(
        "title", re.compile("^L1H0, >B")
    )
    page.locator(panel("lens")).press("Enter")
    expect(page.locator(f"[data-method=lens] {GRID}")).to_have_count(0)
    wait_for_query(page, "open", "attention,attribution")


def test_a_number_that_is_no_place_of_the_model_lists_its_cases(page, address):
    open_page(page, address, "open=routes&answer=newD")
    cell = page.locator(f"[data-method=routes] {GRID} button").first
    name = cell.get_attribute("title")
    cell.click()
    expect(page.locator(f"[data-method=routes] {GRID} button.chosen")).to_have_attribute("title", name or "")
    page.wait_for_selector(f"[data-method=routes] {LIST} tbody tr")
    assert "cell" not in query_of(page)
    state = page.locator(f"[data-method=routes] {LIST} button[data-state]").first
    where = state.get_attribute("data-state")
    state.click()
    wait_for_query(page, "state", str(where))


def test_options_and_the_rest_of_a_panel(page, address):
    open_page(page, address, "open=attention,lens&answer=sum2")
    shown = page.locator(f"[data-method=attention] {GRID}")
    shown.locator("button").first.wait_for()
    before = shown.locator("button").all_inner_texts()
    page.locator('[data-key="option_spread"]').select_option("largest")
    wait_for_query(page, "options", "spread=largest")
    expect(shown.locator("button").first).not_to_have_text(before[0])
    page.locator('[data-key="option_spread"]').select_option(index=0)
    page.wait_for_function("() => !location.search.includes('options')")
    page.get_by_role("group", name="Answer").get_by_role("button", name="newD").click()
    wait_for_query(page, "answer", "newD")


@pytest.mark.parametrize("width", [1440, 900])
def test_nothing_is_cut_beside_another_model(page, address, width):
    page.set_viewport_size({"width": width, "height": 1000})
    open_page(page, address, "beside=rnn&open=attention,attribution&answer=newD")
    wait_for_verdict(page, "rnn")
    page.wait_for_selector(f"[data-method=attention] {GRID} button")
    expect(page.get_by_text("Nothing to measure in rnn: it has no attention")).to_be_visible()
    page.wait_for_function("() => document.querySelectorAll('.js-plotly-plot').length === 2")
    for each in (".graphs", ".verdict", ".panel", ".side", ".mechanism", ".grid .window"):
        cut = page.locator(each).evaluate_all(
            "all => all.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.outerHTML.slice(0, 200))"
        )
        # Of a part that is too wide for a narrow page, a window scrolls.
        assert cut == [] or (each == ".grid .window" and width < 1000), each
    assert page.locator(".graphs").count() == 2
    lefts = page.locator(".verdict").evaluate_all("all => all.map(one => one.getBoundingClientRect().left)")
    assert (lefts[0] < lefts[1]) == (width > 1000)
    with page.expect_download() as begun:
        page.locator('[data-key="report"]').click()
    assert begun.value.suggested_filename == "mechanism-default-gpt2-rnn.html"
    page.get_by_role("button", name="Copy as code").click()
    expect(page.locator(".code pre")).to_have_count(4)
    expect(page.locator(".code pre").last).to_have_text("the-experiment mechanism --name default --model rnn")
    assert violations(page, (".mechanism", ".verdict", ".panel", ".code")) == []


def test_what_cannot_be_followed_is_said_and_the_rest_is_shown(page, address):
    page.goto(f"{address}/mechanism?name=default&model=gpt2&open=lens,palmistry&beside=nosuch&answer=newD")
    wait_for_verdict(page, "gpt2")
    expect(page.get_by_role("alert")).to_have_count(2)
    expect(page.get_by_role("alert").first).to_contain_text("nosuch")
    wait_for_query(page, "answer", "newD")
