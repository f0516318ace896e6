"""From `streamlit run app` to a real board, and from a click to the repainted board and mosaic.

Real Chromium, the shipped model, single ablations drawn at random over all heads, attentions, MLPs and
whole layers, both kinds. The clock of a click stops when both components show the new condition and the
browser has painted them (two animation frames later). Run by `make bench`.
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

from tests.app.browser import APP, BOARD, MOSAIC, find_chromium, launch, serve, settle, wait_for_board

CLICKS = 60
STARTS = 3

CLOCK = """
([site, wanted]) => new Promise((resolve) => {
  const find = (selector) => {
    for (const host of document.querySelectorAll('[data-testid="stBidiComponentIsolated"], *')) {
      const found = host.shadowRoot && host.shadowRoot.querySelector(selector);
      if (found) return found;
    }
  };
  const [board, mosaic] = [find('.board'), find('.mosaic')];
  const start = performance.now();
  const look = () => {
    if (board.dataset.condition === wanted && mosaic.dataset.condition === wanted)
      requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start)));
    else requestAnimationFrame(look);
  };
  mosaic.querySelector(`button[data-site="${site}"]`).click();
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


def measure_clicks(page: Page, address: str, draw: random.Random) -> list[tuple[str, float]]:
    """Return intervention and milliseconds for clicks on an unedited model."""
    state = "0,1,1,1,0"
    measured = []
    for kind in ("zero", "mean"):
        page.goto(f"{address}/?state={state}&kind={kind}")
        wait_for_board(page, state)
        settle(page)
        page.wait_for_timeout(3_000)
        sites = page.eval_on_selector_all(
            f"{MOSAIC} button[data-site]", "all => all.map(b => b.dataset.site)"
        )
        for _ in range(CLICKS // 2):
            site = draw.choice(sites)
            milliseconds = page.evaluate(CLOCK, [site, f"{state} {kind}:{site}"])
            measured.append((f"{kind}:{site}", milliseconds))
            settle(page)
            page.evaluate(CLOCK, [site, state])
            settle(page)
            page.wait_for_timeout(200)
    return measured


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
            measured = measure_clicks(page, address, random.Random(0))
            browser.close()
    times = sorted(milliseconds for _, milliseconds in measured)
    slowest = max(measured, key=lambda pair: pair[1])
    print(
        f"click to repainted board and mosaic, ms, {len(times)} clicks: median {statistics.median(times):.0f}, "
        f"95th percentile {times[int(0.95 * len(times))]:.0f}, slowest {slowest[1]:.0f} ({slowest[0]})"
    )
    heads = [ms for name, ms in measured if "H" in name]
    others = [ms for name, ms in measured if "H" not in name]
    print(
        f"  heads: median {statistics.median(heads):.0f} of {len(heads)}; others: {statistics.median(others):.0f}"
    )


if __name__ == "__main__":
    main()
