"""One server and one browser for all tests of the app."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Playwright, expect, sync_playwright

from playground.inference import Model, open_model
from playground.models import ARCHITECTURES
from tests.app.browser import LONGEST_WAIT, OPTIONS, find_chromium, serve

NO_CHROMIUM = (
    "no Chromium on this machine, and Playwright could not fetch one: tests in a browser did not run"
)
expect.set_options(timeout=LONGEST_WAIT)


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def executable(playwright: Playwright) -> str:
    """Return the path of a Chromium."""
    executable = find_chromium(playwright)
    if executable is None:
        if os.environ.get("CI") == "true":
            pytest.fail(NO_CHROMIUM)
        pytest.skip(NO_CHROMIUM)
    return executable


@pytest.fixture(scope="session")
def profile(
    playwright: Playwright, executable: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[BrowserContext]:
    """Return a browser with a fresh profile on disk: from the third page on, scripts are compiled already."""
    folder = tmp_path_factory.mktemp("profile")
    profile = playwright.chromium.launch_persistent_context(
        folder,
        executable_path=executable,
        # A stack trace that leads through a script of megabytes would have all of it read once more.
        args=[*OPTIONS, "--js-flags=--no-enable-lazy-source-positions"],
        viewport={"width": 1440, "height": 1000},
    )
    profile.set_default_timeout(LONGEST_WAIT)
    yield profile
    profile.close()


@pytest.fixture(scope="session")
def address(workplace: Path) -> Iterator[str]:
    """Return the address of the app, served in the working directory with the small runs."""
    with serve(workplace) as address:
        yield address


@pytest.fixture(scope="module")
def models(workplace: Path) -> dict[str, Model]:
    """Return the small models of the default world, by architecture."""
    return {name: open_model(workplace / "models" / "default" / name, "cpu") for name in ARCHITECTURES}


def _is_ours(message: ConsoleMessage) -> bool:
    """Return whether something went wrong that is ours to mend.

    A browser notes when the API finds fault with what was asked (422) or a name is taken (409); both are shown on the
    page.
    """
    path = urlsplit(message.location["url"]).path
    is_said = "/api/" in path and re.search("the server responded with a status of (409|422)", message.text)
    return message.type == "error" and not is_said


@pytest.fixture
def page(profile: BrowserContext) -> Iterator[Page]:
    """Return a new page; whatever the page says went wrong fails the test."""
    page = profile.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda message: errors.append(message.text) if _is_ours(message) else None)
    yield page
    page.close()
    profile.clear_permissions()
    assert errors == []
