"""The report in a real browser: it draws itself in either theme, loads nothing from elsewhere, and is accessible."""

from __future__ import annotations

from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from playground.analysis import METHODS, make_verdict
from playground.inference import Model
from playground.report import Section, make_report

FILL = "element => getComputedStyle(element).fill"


@pytest.fixture
def report(random_model: Model, tmp_path: Path) -> Path:
    """Return a report of what takes no time."""
    steps = []
    for method in METHODS.values():
        if method.name in {"routes", "attention", "lens", "attribution"}:
            *_, step = method.run(random_model, "", None)
            steps.append((method, step))
    mechanism = make_verdict(random_model.world, steps[0][1].result)
    file = tmp_path / "report.html"
    file.write_text(make_report([Section(random_model, mechanism, steps)]), encoding="utf-8")
    return file


def test_a_report_draws_itself_and_asks_nobody(page: Page, report: Path):
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.emulate_media(color_scheme="light")
    page.goto(report.as_uri())
    folds = page.locator("details.fold")
    for index in range(folds.count()):
        folds.nth(index).locator("summary").press("Enter")
    places = page.locator(".plot")
    assert places.count() > 0
    for index in range(places.count()):
        places.nth(index).scroll_into_view_if_needed()
        expect(places.nth(index).locator(".main-svg").first).to_be_visible()
    light = page.locator(".plot .xtick text").first.evaluate(FILL)
    diagram = page.locator("#graph svg text").first.evaluate(FILL)
    page.emulate_media(color_scheme="dark")
    expect(page.locator(".plot .xtick text").first).not_to_have_css("fill", light)
    expect(page.locator("#graph svg text").first).not_to_have_css("fill", diagram)
    overflow = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    assert overflow <= 0, "nothing sticks out"
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_report_can_be_read_by_all(page: Page, report: Path, scheme: str):
    page.emulate_media(color_scheme=scheme)
    page.goto(report.as_uri())
    page.locator(".plot").first.scroll_into_view_if_needed()
    expect(page.locator(".plot .main-svg").first).to_be_visible()
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
