"""How the app starts: it prints its address and opens a browser; Streamlit's pop-up about agent skills never shows."""

from __future__ import annotations

import time
from pathlib import Path
from urllib.request import urlopen

import pytest
from playwright.sync_api import expect

from tests.app.browser import PROGRAM, STREAMLIT, serve, settle, wait_until_said
from tests.support.program import HANGS

POP_UP = "Help agents write better"


@pytest.fixture
def editor(tmp_path: Path) -> dict[str, str]:
    """Return the variables of a user who has an editor installed to which Streamlit recommends its skills."""
    (tmp_path / "home" / ".cursor").mkdir(parents=True)
    return {"HOME": str(tmp_path / "home")}


def _open(page, address: str) -> None:
    page.goto(f"{address}/world")
    expect(page.locator(".rules_editor")).to_be_visible()
    settle(page)


def _said(place: Path, address: str) -> None:
    wait_until_said(place, f"The app is at {address.replace('localhost', '127.0.0.1')}\n")
    assert "skills" not in (place / "server.log").read_text()


@pytest.mark.slow
@pytest.mark.parametrize("options", [(), ("--server.headless=false",)])
def test_no_pop_up_by_streamlit(page, tmp_path, editor, options):
    with serve(tmp_path, *options, command=STREAMLIT, **editor) as address:
        _open(page, address)
        page.wait_for_timeout(1_500)
        expect(page.get_by_text(POP_UP)).to_have_count(0)
        _said(tmp_path, address)
        page.goto("about:blank")


@pytest.mark.slow
def test_here_it_would_come_up(page, tmp_path, editor):
    """What the tests beside this one rely on: a pop-up that nothing prevents is seen by them."""
    options = ("--server.headless=false", "--logger.hideWelcomeMessage=false")
    with serve(tmp_path, *options, command=STREAMLIT, **editor) as address:
        _open(page, address)
        expect(page.get_by_text(POP_UP).first).to_be_visible()
        page.goto("about:blank")


@pytest.mark.slow
def test_the_program_opens_a_browser_where_no_pop_up_comes_up(page, tmp_path, editor):
    opened, browser = tmp_path / "opened", tmp_path / "browser"
    browser.write_text(f'#!/bin/sh\necho "$1" >> {opened}\n')
    browser.chmod(0o755)
    with serve(tmp_path, command=PROGRAM, BROWSER=str(browser), **editor) as address:
        _said(tmp_path, address)
        deadline = time.monotonic() + HANGS
        while not (opened.exists() and opened.read_text()):
            assert time.monotonic() < deadline
            time.sleep(0.1)
        assert opened.read_text() == f"{address}/\n"
        _open(page, address)
        page.wait_for_timeout(1_500)
        expect(page.get_by_text(POP_UP)).to_have_count(0)
        page.goto("about:blank")


@pytest.mark.slow
def test_the_server_ends_though_a_page_is_watching(tmp_path):
    with serve(tmp_path) as address:
        watching = urlopen(f"{address}/api/training/events")  # noqa: S310  Our own server.
        assert watching.readline() == b"event: trainings\n"
    # The server has ended, and has not broken off.
    assert watching.read().endswith(b"\n\n")
