"""Take the screenshots for the documents, with the shipped models. Run by `make screenshots`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from playwright.sync_api import Browser, sync_playwright

from playground.files import project_root
from tests.app.browser import (
    ACTIVATIONS,
    BOARD,
    COMPARISON,
    LONGEST_WAIT,
    MAPS,
    MATRIX,
    MOSAIC,
    find_chromium,
    launch,
    serve,
    settle,
)

PICTURES = Path(__file__).parents[2] / "docs" / "images"
STATE = "0,0,1,1,1"
HEIGHT = 1180
Scheme = Literal["light", "dark"]
SHOTS = {
    "probe": ("?model=gpt2&on=zero:L1.mlp@>newB..&large=L1H1&sort=moved", MOSAIC),
    "rnn": ("?model=rnn&on=zero:L1.h[0:64]@>newD..&large=L1.c", MAPS),
    "cnn": ("?model=cnn&on=zero:L2.conv@newA&token=>newD&large=L1.conv", MAPS),
    "mann": ("?model=mann&on=zero:memory[3]&large=memory", MAPS),
    "weights": (
        "?view=weights&model=gpt2&weight=W_pos&on=nuke:W_pos[12:17,30:60]@>newB..;flip:W_pos[8,:]",
        MATRIX,
    ),
    "activations": (
        "?view=activations&model=gpt2&activation=L2.resid&on=zero:L1.mlp@>newB..",
        ACTIVATIONS,
    ),
    "force": ("?model=gpt2&on=force:newB=!&step=16", MOSAIC),
    "compare": ("compare?model=gpt2&on=zero:L0@newB;zero:memory[3]", COMPARISON),
}
"""Addresses that show a model, and the part of the page that shows it."""
FORMULAS = ".predictors tr.formulas"
LARGE, FIGURE = ".large", ".js-plotly-plot"
VERDICT = ".verdict[data-whole=true]"


def main() -> None:
    """Take a picture of every page; of the first in both themes."""
    with (
        sync_playwright() as playwright,
        tempfile.TemporaryDirectory() as place,
        serve(Path(place)) as address,
    ):
        executable = find_chromium(playwright)
        if executable is None:
            sys.exit("There is no Chromium on this machine, and none can be fetched.")
        browser = launch(playwright, executable)
        PICTURES.mkdir(parents=True, exist_ok=True)
        _take_model(browser, address, "probe", "dark")
        for name in SHOTS:
            _take_model(browser, address, name, "light")
        _take(browser, f"{address}/mechanism?name=shipped&model=gpt2&state={STATE}", "mechanism", VERDICT)
        _take(browser, f"{address}/train?watch=shipped/gpt2", "train", ".training_progress .chart", FORMULAS)
        rules = (project_root() / "data" / "worlds" / "chain.rules").read_text(encoding="utf-8")
        _take(browser, f"{address}/world?rules={quote(rules)}", "world", FORMULAS)
        browser.close()


def _take_model(browser: Browser, address: str, name: str, scheme: Scheme) -> None:
    """Take a picture of a page that shows a model under edits, once it shows what they change."""
    query, part = SHOTS[name]
    edits = query.split("&on=")[1].split("&")[0]
    waits = [f'{part}[data-condition="{STATE} {edits}"]']
    if part != COMPARISON:
        waits += [BOARD, f".entry:nth-child({edits.count(';') + 1}) .fixes"]
    if part == MOSAIC:
        waits.append(".ranking tbody tr")
    _take(browser, f"{address}/{query}&name=shipped&state={STATE}", name, *waits, scheme=scheme)


def _take(browser: Browser, address: str, name: str, *waits: str, scheme: Scheme = "light") -> None:
    """Take a picture of a page once it has all the elements that are waited for."""
    page = browser.new_page(viewport={"width": 1440, "height": HEIGHT}, color_scheme=scheme)
    page.goto(address)
    for selector in waits:
        page.wait_for_selector(selector, timeout=LONGEST_WAIT)
    large = page.locator(LARGE).bounding_box() if page.locator(LARGE).count() else None
    if large and large["y"] < HEIGHT:
        page.wait_for_selector(FIGURE, timeout=LONGEST_WAIT)
    settle(page)
    # Fonts, and what plotly moves.
    page.wait_for_timeout(1_000)
    page.screenshot(path=PICTURES / f"{name}-{scheme}.png")
    page.close()


if __name__ == "__main__":
    main()
