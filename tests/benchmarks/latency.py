"""From `streamlit run app` to a real board, and from a click to the repainted page.

Real Chromium, the shipped models. Page Probe: single ablations drawn at random over all heads, attentions,
MLPs and whole layers of GPT-2, and over all parts of the other models, both kinds. Page Compare: states
that are chosen, under an intervention, and interventions that are taken off. The clock of a click stops
when all components show the new condition and the browser has painted them (two animation frames later).
Run by `make bench`.
"""

from __future__ import annotations

import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.app.browser import (
    APP,
    BOARD,
    find_chromium,
    launch,
    serve,
    settle,
    wait_for_board,
    wait_for_comparison,
)

CLICKS = 40
STARTS = 3

CLOCK = """
([components, button, wanted]) => new Promise((resolve) => {
  const find = (selector) => {
    for (const host of document.querySelectorAll('[data-testid="stBidiComponentIsolated"], *')) {
      const found = host.shadowRoot && host.shadowRoot.querySelector(selector);
      if (found) return found;
    }
    return document.querySelector(selector);
  };
  const shown = components.map(find);
  const start = performance.now();
  const look = () => {
    if (shown.every((component) => component.dataset.condition === wanted))
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
    else requestAnimationFrame(look);
  };
  find(button).click();
  look();
})
"""


def measure_starts(executable: str, playwright) -> list[float]:
    """Return the seconds from starting the server to the board on the page, for some fresh servers."""
    seconds = []
    for index in range(STARTS):
        browser = launch(playwright, executable)
        page = browser.new_page()
        port = 8700 + index
        with tempfile.TemporaryDirectory() as place:
            started = time.perf_counter()
            command = [
                str(Path(sys.executable).with_name("streamlit")),
                "run",
                str(APP),
                f"--server.port={port}",
            ]
            server = subprocess.Popen(
                command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
            )
            try:
                _open_as_soon_as_possible(page, f"http://127.0.0.1:{port}")
                page.wait_for_selector(f"{BOARD} td", timeout=60_000)
                seconds.append(time.perf_counter() - started)
            finally:
                server.terminate()
                server.wait()
                browser.close()
    return seconds


def _open_as_soon_as_possible(page: Page, address: str) -> None:
    from playwright.sync_api import Error

    while True:
        try:
            page.goto(address, wait_until="commit")
        except Error:
            time.sleep(0.02)
        else:
            return


def measure_clicks(page: Page, address: str, model: str, draw: random.Random) -> list[tuple[str, float]]:
    """Return intervention and milliseconds for clicks on an unedited model, on page Probe."""
    state, measured = "0,1,1,1,0", []
    picture = ".mosaic" if model == "gpt2" else ".maps"
    for kind in ("zero", "mean"):
        page.goto(f"{address}/?model={model}&state={state}&kind={kind}")
        wait_for_board(page, state, picture=f"{picture}[data-condition]")
        settle(page)
        page.wait_for_timeout(3_000)
        sites = page.eval_on_selector_all(
            f"{picture} button[data-site]", "all => all.map(b => b.dataset.site)"
        )
        for _ in range(CLICKS // 2):
            site = draw.choice(sites)
            button = f'{picture} button[data-site="{site}"]'
            milliseconds = page.evaluate(CLOCK, [[".board", picture], button, f"{state} {kind}:{site}"])
            measured.append((f"{kind}:{site}", milliseconds))
            settle(page)
            page.evaluate(CLOCK, [[".board", picture], button, state])
            settle(page)
            page.wait_for_timeout(200)
    return measured


def measure_comparison(page: Page, address: str, draw: random.Random) -> list[tuple[str, float]]:
    """Return what was clicked and milliseconds for page Compare.

    Where an intervention is removed every board is computed anew; where a state is chosen none is.
    """
    measured, state, components = [], "0,1,1,1,0", [".strip", ".comparison", ".scores"]
    parts = ["L0", "L1", "L0.h", "L0.c", "memory", "L2.conv", "L0.attn", "L1.mlp"]
    for number in range(CLICKS // 2):
        # What is left after the click is a condition that nobody asked for before.
        part = f"{draw.choice(('zero', 'mean'))}:{draw.choice(parts)}@>newB.."
        done = f"{part};zero:L0.h[{number}];zero:L1.h[{number}]"
        page.goto(f"{address}/compare?model=gpt2&state={state}&on={done}")
        wait_for_comparison(page, state, done)
        settle(page)
        page.wait_for_timeout(300)
        first, second = done.rsplit(";", maxsplit=1)
        remove = ".st-key-remove_2 button"
        measured.append((f"remove {second}", page.evaluate(CLOCK, [components, remove, f"{state} {first}"])))
        settle(page)
        row = ".".join(draw.choice("01") for _ in range(5)).replace(".", ",")
        if row != state:
            button = f'.comparison button[data-focus="state {row}"]'
            measured.append((f"state {row}", page.evaluate(CLOCK, [components, button, f"{row} {first}"])))
            settle(page)
    return measured


def tell(title: str, measured: list[tuple[str, float]]) -> None:
    """Print median, 95th percentile and slowest of some clicks."""
    times = sorted(milliseconds for _, milliseconds in measured)
    slowest = max(measured, key=lambda pair: pair[1])
    print(
        f"{title}, click to repainted page, ms, {len(times)} clicks: median {statistics.median(times):.0f}, "
        f"95th percentile {times[int(0.95 * len(times))]:.0f}, slowest {slowest[1]:.0f} ({slowest[0]})"
    )


def main() -> None:
    """Measure and print."""
    with sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            sys.exit("There is no Chromium on this machine, and none can be fetched.")
        starts = measure_starts(executable, playwright)
        print(f"start to board, seconds: {', '.join(f'{s:.1f}' for s in starts)}")
        with tempfile.TemporaryDirectory() as place, serve(Path(place)) as address:
            browser = launch(playwright, executable)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            for model in ("gpt2", "rnn", "cnn", "mann"):
                tell(f"Probe, {model}", measure_clicks(page, address, model, random.Random(0)))
            compared = measure_comparison(page, address, random.Random(0))
            for what in ("remove", "state"):
                tell(f"Compare, {what}", [pair for pair in compared if pair[0].startswith(what)])
            tell("Compare", compared)
            browser.close()


if __name__ == "__main__":
    main()
