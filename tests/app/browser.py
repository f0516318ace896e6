"""A real browser and a real server, for tests and benchmarks of the app."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

from playground.inference import Model
from tests.support.ports import reserved_port
from tests.support.program import HANGS

APP = Path(__file__).parents[2] / "app"
BOARD = ".board[data-condition]"
MOSAIC = ".mosaic[data-condition]"
MAPS = ".maps[data-condition]"
COMPARISON = ".comparison[data-condition]"
SCORES = ".scores[data-condition]"
EDITS = ".edits"
MATRIX = ".matrix[data-condition]"
ACTIVATIONS = ".activations[data-condition]"
STRONGEST = ".strongest[data-condition]"
ANSWERS = ".strip[data-condition]"
_FETCH_SECONDS = 120
LONGEST_WAIT = 240_000
"""Milliseconds after which something hangs: a machine that does other things besides may need many for anything."""
OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
"""A browser that asks nobody for anything on its own."""


def find_chromium(playwright: Playwright) -> str | None:
    """Return a Chromium: one on this machine, or the one that Playwright can fetch; None if there is none."""
    for name in ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable"):
        if path := shutil.which(name):
            return path
    own = Path(playwright.chromium.executable_path)
    if not own.exists():
        command = [sys.executable, "-m", "playwright", "install", "chromium"]
        try:
            subprocess.run(command, check=False, capture_output=True, timeout=_FETCH_SECONDS)
        except subprocess.TimeoutExpired:
            return None
    return str(own) if own.exists() else None


def launch(playwright: Playwright, executable: str) -> Browser:
    """Return a browser with profiles that leave nothing on disk."""
    return playwright.chromium.launch(executable_path=executable, args=OPTIONS)


STREAMLIT = ("streamlit", "run", str(APP), "--server.port={port}")
PROGRAM = ("the-experiment", "ui", "--port", "{port}")


@contextmanager
def serve(
    place: Path,
    *options: str,
    command: tuple[str, ...] = STREAMLIT,
    host: str = "127.0.0.1",
    **environment: str,
) -> Iterator[str]:
    """Run the app in the working directory `place`; give its address.

    Args:
        place: the working directory; what the server says goes to `server.log` there.
        options: more of the command line.
        command: by which the app is started.
        host: at which it is to listen then.
        environment: variables beside those of this process.
    """
    with reserved_port(host) as port, (place / "server.log").open("w") as log:
        program, *arguments = (part.format(port=port) for part in command)
        server = subprocess.Popen(
            [str(Path(sys.executable).with_name(program)), *arguments, *options],
            cwd=place,
            env={**os.environ, "PYTHONUNBUFFERED": "1", **environment},
            stdout=log,
            stderr=log,
        )
        try:
            _wait_for(host, port, server)
            yield f"http://{host}:{port}"
        finally:
            server.terminate()
            server.wait(timeout=HANGS)


def wait_until_said(place: Path, text: str) -> None:
    """Wait until the server that runs in `place` has said something."""
    deadline = time.monotonic() + HANGS
    while text not in (place / "server.log").read_text():
        assert time.monotonic() < deadline, text
        time.sleep(0.1)


def _wait_for(host: str, port: int, server: subprocess.Popen) -> None:
    deadline = time.monotonic() + HANGS
    while time.monotonic() < deadline and server.poll() is None:
        with socket.socket() as probe:
            if probe.connect_ex((host, port)) == 0:
                return
        time.sleep(0.05)
    raise RuntimeError(f"the app does not listen on port {port}")


GO_ON = "to => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }"
_PAINT = """() => getComputedStyle(document.querySelector('[data-testid="stApp"]')).backgroundColor"""


def visit(page: Page, address: str) -> None:
    """Go to an address; a tab that shows the app already goes as by its history: nothing is loaded anew.

    What is waited for next has to differ from what the tab showed before. Without a query a tab would keep what it has:
    there all is loaded anew.
    """
    if "?" not in address or not page.url.startswith("/".join(address.split("/", 3)[:3]) + "/"):
        page.goto(address)
        return
    settle(page)
    page.evaluate(GO_ON, address)


def violations(page: Page, parts: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Return what axe finds wrong with parts of a page that is shown in light: there, and in dark."""
    found = _found_by_axe(page, parts, "light")
    with in_dark(page):
        found += _found_by_axe(page, parts, "dark")
    return found


@contextmanager
def in_dark(page: Page) -> Iterator[None]:
    """Have a page that is shown in light shown in dark for a while."""
    light = page.evaluate(_PAINT)
    page.emulate_media(color_scheme="dark")
    page.wait_for_function(f"light => ({_PAINT})() !== light", arg=light)
    yield
    page.emulate_media(color_scheme="light")
    page.wait_for_function(f"light => ({_PAINT})() === light", arg=light)


def _found_by_axe(page: Page, parts: tuple[str, ...], scheme: str) -> list[tuple[str, ...]]:
    settle(page)
    return [
        (scheme, violation["id"], str(node["target"]), node["failureSummary"])
        for violation in Axe().run(page).response["violations"]
        for node in violation["nodes"]
        if any(part in str(node["target"]) for part in parts)
    ]


def wait_for_board(page: Page, *conditions: str, picture: str = MOSAIC) -> None:
    """Wait until board and mosaic show a condition: its state and interventions, as in the components."""
    wait_for(page, (BOARD, picture), *conditions)


def wait_for_comparison(page: Page, *conditions: str) -> None:
    """Wait until all of page Compare shows a condition."""
    wait_for(page, (COMPARISON, SCORES, ANSWERS), *conditions)


def wait_for(page: Page, components: tuple[str, ...], *conditions: str) -> None:
    """Wait until components show a condition."""
    wanted = " ".join(conditions)
    for component in components:
        page.wait_for_selector(
            f'{component}[data-condition="{wanted}"]' if wanted else component, timeout=LONGEST_WAIT
        )


def settle(page: Page) -> None:
    """Wait until the server has nothing more to say."""
    page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]', timeout=LONGEST_WAIT)


def query_of(page: Page) -> dict[str, str]:
    """Return the parameters of a page's address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def tokens_of(model: Model, interventions: str = "") -> list[list[str]]:
    """Return what a board has to show as written, row by row."""
    return [[model.template.visible(token) for token in row] for row in model.board(interventions).written]


def edited_tokens(page: Page) -> list[list[str]]:
    """Return what the board shows as edited, row by row, without marks."""
    return page.locator(f"{BOARD} tbody tr").evaluate_all(
        """rows => rows.map(tr => [...tr.querySelectorAll('td.mono')]
            .filter(td => td.title.startsWith('edited')).map(td => td.firstChild.textContent))"""
    )


def press_edit(page: Page, what: str) -> None:
    """Press a button of the edits: `remove 0`, `on 0`, `undo`, `redo`, `reset`."""
    page.locator(f'{EDITS} [data-focus="{what}"]').click()


def add_by_text(page: Page, text: str) -> None:
    """Add interventions in the sidebar, written as text."""
    box = page.locator("[data-key=by_text]")
    box.fill(text)
    box.press("Enter")
