"""A page whose connection is cut, or whose server is restarted: it says so, recovers, and the next action counts."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from playground.inference import open_model
from tests.app.browser import APP, BOARD, MOSAIC, edited_tokens, query_of, serve, tokens_of, wait_for_board
from tests.support.program import HANGS
from tests.support.proxy import proxy_to

STATE = "1,0,1,0,1"
LOST = "No connection to the server"


@pytest.fixture
def plain_page(profile: BrowserContext) -> Iterator[Page]:
    """Return a page that may complain of requests that fail: here they are made to."""
    page = profile.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    assert errors == []


def click_head(page: Page, site: str) -> None:
    page.locator(f'{MOSAIC} button[data-site="{site}"]').click()


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [1, 20, 150])
def test_a_connection_that_was_cut_is_found_again(plain_page, address, workplace, seconds):
    page, model = plain_page, open_model(workplace / "models" / "default" / "gpt2", "cpu")
    with proxy_to(int(urlsplit(address).port or 0)) as proxy:
        page.goto(f"{proxy.address}/?name=default&model=gpt2")
        wait_for_board(page, STATE)
        proxy.cut()
        click_head(page, "L0H1")
        expect(page.locator(".connection")).to_contain_text(LOST)
        assert query_of(page)["on"] == "zero:L0H1"
        page.wait_for_timeout(1000 * seconds)
        proxy.mend()
        wait_for_board(page, STATE, "zero:L0H1")
        assert edited_tokens(page) == tokens_of(model, "zero:L0H1")
        expect(page.locator(".connection")).to_have_count(0)
        click_head(page, "L1H2")
        wait_for_board(page, STATE, "zero:L0H1;zero:L1H2")


@pytest.mark.slow
def test_a_cut_connection_without_an_action_loses_nothing(plain_page, address):
    page = plain_page
    with proxy_to(int(urlsplit(address).port or 0)) as proxy:
        page.goto(f"{proxy.address}/?name=default&model=gpt2&on=zero:L0H1")
        wait_for_board(page, STATE, "zero:L0H1")
        proxy.cut()
        page.wait_for_timeout(3000)
        proxy.mend()
        # The first thing that is done is to go to another page.
        page.get_by_role("link", name="Compare").click()
        page.wait_for_selector(f'.comparison[data-condition="{STATE} zero:L0H1"]')
        assert query_of(page)["on"] == "zero:L0H1"


@pytest.mark.slow
def test_a_server_that_is_started_again_goes_on_with_the_page(plain_page, workplace):
    page = plain_page
    with serve(workplace) as address:
        port = urlsplit(address).port
        page.goto(f"{address}/?name=default&model=gpt2&on=zero:L0H1")
        wait_for_board(page, STATE, "zero:L0H1")
    click_head(page, "L1H2")
    expect(page.locator(".connection")).to_contain_text(LOST)
    command = [str(Path(sys.executable).with_name("streamlit")), "run", str(APP), f"--server.port={port}"]
    with (workplace / "again.log").open("w") as log:
        server = subprocess.Popen(command, cwd=workplace, stdout=log, stderr=log)
    try:
        wait_for_board(page, STATE, "zero:L0H1;zero:L1H2")
        page.locator(f"{BOARD} button", has_text="0,0,0,0,1").click()
        wait_for_board(page, "0,0,0,0,1", "zero:L0H1;zero:L1H2")
    finally:
        server.terminate()
        server.wait(timeout=HANGS)
