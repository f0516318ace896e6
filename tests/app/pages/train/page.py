"""Page Train as its tests use it, and the processes that a server has."""

from __future__ import annotations

import re
import signal
import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.support.program import HANGS


def box(page: Page, name: str):
    return page.locator(f"input[data-key={name}]")


def press(page: Page, name: str) -> None:
    page.locator(f"button[data-key={name}]").click()


def fill(page: Page, **values: str) -> None:
    for name, value in values.items():
        box(page, name).fill(value)
        box(page, name).press("Enter")


def open_page(page: Page, address: str) -> None:
    """Open the page, and choose the small world and a model that is trained in seconds."""
    page.goto(f"{address}/train")
    expect(page.locator("[data-key=hold_out] tbody tr")).to_have_count(32)
    page.locator("select[data-key=rules]").select_option("small")
    expect(page.locator("[data-key=hold_out] tbody tr")).to_have_count(8)


def do_not_stop_early(page: Page) -> None:
    box(page, "until").uncheck()


def choose(page: Page, *names: str) -> None:
    """Choose models, or leave them out again."""
    for name in names:
        page.locator("[data-key=models]").get_by_role("button", name=name).click()


def start(page: Page) -> None:
    press(page, "start")


def start_rnn(page: Page, epochs: str) -> None:
    """Train a small RNN instead of the GPT-2 that is chosen at first."""
    fill(page, width="16", layers="1", epochs=epochs)
    choose(page, "GPT-2", "RNN")
    do_not_stop_early(page)
    start(page)


def line(page: Page, run: str):
    """Return the line of a training that waits or runs."""
    return page.locator(f'[data-key="line {run}"]')


def workers(place: Path) -> set[int]:
    """Return the processes that train for a server that runs in `place`."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if (
                b"playground.training.workers.worker" in command
                and (process / "cwd").resolve() == place.resolve()
            ):
                found.add(int(process.name))
        except OSError:
            continue
    return found


def is_asked_to_end(process: int) -> bool:
    """Return whether a process that is halted has been sent SIGTERM."""
    found = re.search(r"ShdPnd:\s+(\w+)", Path(f"/proc/{process}/status").read_text())
    return found is not None and bool(int(found[1], 16) & 1 << signal.SIGTERM - 1)


def state_of(place: Path, run: str) -> Path:
    return place / "models" / "mine" / f".{run}.unfinished" / "state.safetensors"


def wait_until(true, seconds: float = HANGS) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def servers(place: Path) -> set[int]:
    """Return the servers that run in `place`."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            command = (process / "cmdline").read_bytes()
            if b"streamlit" in command and (process / "cwd").resolve() == place.resolve():
                found.add(int(process.name))
        except OSError:
            continue
    return found
