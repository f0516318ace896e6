"""Pages in a narrow window: what can be made to fit is not scrolled sideways."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.app.browser import ANSWERS, settle

QUERY = "name=default&model=gpt2&state=0,1,1,0,0&on=zero:L0H1"
TOO_WIDE = "e => e.scrollWidth - e.clientWidth"


@pytest.fixture
def narrow(page: Page):
    """Return a page that is narrow: as wide as one of 1440 pixels at 200 percent, and with the sidebar open."""

    def go(width: int, address: str) -> Page:
        page.set_viewport_size({"width": width, "height": 1000})
        page.goto(address)
        return page

    return go


@pytest.mark.parametrize("width", [720, 900])
@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("", ANSWERS),
        ("text", ".completion[data-condition]"),
        ("compare", ANSWERS),
        ("compare?view=sets", ".sets"),
    ],
)
def test_a_text_fits_into_a_narrow_window(narrow, address: str, width: int, path: str, part: str):
    page = narrow(width, f"{address}/{path}{'&' if '?' in path else '?'}{QUERY}")
    expect(page.locator(f"{part} table").first).to_be_visible()
    settle(page)
    assert page.locator(part).evaluate(TOO_WIDE) <= 1
    assert page.evaluate(f"({TOO_WIDE})(document.documentElement)") <= 0


def test_a_button_of_a_form_stands_beside_its_box(narrow, address: str):
    page = narrow(900, f"{address}/train")
    box, button = page.locator("[data-key=pattern]"), page.locator("[data-key=hold_out_like]")
    expect(button).to_be_visible()
    bottoms = [at["y"] + at["height"] for each in (box, button) if (at := each.bounding_box())]
    assert abs(bottoms[0] - bottoms[1]) <= 2
