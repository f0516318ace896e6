"""One server and one browser for all tests of the app."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, sync_playwright

from tests.app.browser import find_chromium, launch, serve

NO_CHROMIUM = (
    "no Chromium on this machine, and Playwright could not fetch one: tests in a browser did not run"
)


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            if os.environ.get("CI") == "true":
                pytest.fail(NO_CHROMIUM)
            pytest.skip(NO_CHROMIUM)
        browser = launch(playwright, executable)
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def address(workplace: Path) -> Iterator[str]:
    """Return the address of the app, served in the working directory with the small runs."""
    with serve(workplace) as address:
        yield address


def _is_ours(message: ConsoleMessage) -> bool:
    """Return whether something went wrong that is ours to mend.

    On an address with a page's name Streamlit first looks for its server below that name.
    """
    page, found, _ = urlsplit(message.location["url"]).path.partition("/_stcore/")
    return message.type == "error" and not (found and page)


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """Return a page of a fresh profile; whatever the page says went wrong fails the test."""
    context = chromium.new_context(viewport={"width": 1440, "height": 1000})
    page = context.new_page()
    page.set_default_timeout(30_000)
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if _is_ours(message) else None)
    yield page
    context.close()
    assert errors == []
