"""Take the pictures of the documents from the app, with the shipped model. Run by `make screenshots`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright

from tests.app.browser import find_chromium, launch, serve, settle, wait_for_board

PICTURES = Path(__file__).parents[2] / "docs" / "images"
STATE, DONE = "0,0,1,1,1", "zero:L1.mlp@>newB.."


def main() -> None:
    """Take one picture in each theme."""
    with (
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as place,
        serve(Path(place)) as address,
    ):
        executable = find_chromium(playwright)
        if executable is None:
            sys.exit("There is no Chromium on this machine, and none can be fetched.")
        browser = launch(playwright, executable)
        for scheme in ("light", "dark"):
            page = browser.new_page(viewport={"width": 1440, "height": 1180}, color_scheme=scheme)
            page.goto(f"{address}/?state={STATE}&on={DONE}&head=L1H1&sort=moved")
            wait_for_board(page, STATE, DONE)
            page.wait_for_selector(".ranking table")
            page.wait_for_selector(".js-plotly-plot")
            settle(page)
            page.wait_for_timeout(1_500)
            PICTURES.mkdir(parents=True, exist_ok=True)
            page.screenshot(path=PICTURES / f"probe-{scheme}.png")
        browser.close()


if __name__ == "__main__":
    main()
