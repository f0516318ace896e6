"""Take the screenshots for the documents, with the shipped models. Run by `make screenshots`."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from urllib.parse import quote

from playwright.sync_api import Page, sync_playwright

from playground.files import project_root
from tests.app.browser import (
    ACTIVATIONS,
    COMPARISON,
    MAPS,
    MATRIX,
    MOSAIC,
    find_chromium,
    launch,
    serve,
    settle,
    wait_for,
)

PICTURES = Path(__file__).parents[2] / "docs" / "images"
STATE = "0,0,1,1,1"
HEIGHT = 1180
SHOTS = {
    "probe": ("?model=gpt2&on=zero:L1.mlp@>newB..&large=L1H1&sort=moved", "zero:L1.mlp@>newB..", MOSAIC),
    "rnn": ("?model=rnn&on=zero:L1.h[0:64]@>newD..&large=L1.c", "zero:L1.h[0:64]@>newD..", MAPS),
    "cnn": ("?model=cnn&on=zero:L2.conv@newA&token=>newD&large=L1.conv", "zero:L2.conv@newA", MAPS),
    "mann": ("?model=mann&on=zero:memory[3]&large=memory", "zero:memory[3]", MAPS),
    "weights": (
        "weights?model=gpt2&weight=L0.mlp.W_in&on=nuke:L0.mlp.W_in[20:60,100:200]@>newB..;flip:L0.mlp.W_in[90,:]",
        "nuke:L0.mlp.W_in[20:60,100:200]@>newB..;flip:L0.mlp.W_in[90,:]",
        MATRIX,
    ),
    "activations": (
        "activations?model=gpt2&activation=L2.resid&on=zero:L1.mlp@>newB..",
        "zero:L1.mlp@>newB..",
        ACTIVATIONS,
    ),
    "force": ("?model=gpt2&on=force:newB=!&step=16", "force:newB=!", MOSAIC),
    "compare": (
        "compare?model=gpt2&on=zero:L0@newB;zero:memory[3]",
        "zero:L0@newB;zero:memory[3]",
        COMPARISON,
    ),
}


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
        for name, scheme in [("probe", "dark"), *((name, "light") for name in SHOTS)]:
            query, done, component = SHOTS[name]
            page = browser.new_page(viewport={"width": 1440, "height": HEIGHT}, color_scheme=scheme)
            page.goto(f"{address}/{query}&name=shipped&state={STATE}")
            wait_for(page, (component,), STATE, done)
            if component in (MOSAIC, MAPS):
                page.wait_for_selector(".js-plotly-plot")
            _take(page, f"{name}-{scheme}")
        page = browser.new_page(viewport={"width": 1440, "height": HEIGHT}, color_scheme="light")
        page.goto(f"{address}/mechanism?name=shipped&model=gpt2&state={STATE}")
        page.get_by_text("swapping only the token newD").wait_for()
        _take(page, "mechanism-light")
        page = browser.new_page(viewport={"width": 1440, "height": HEIGHT}, color_scheme="light")
        page.goto(f"{address}/train?watch=shipped/gpt2")
        page.wait_for_selector(".training_progress .chart")
        _take(page, "train-light")
        page = browser.new_page(viewport={"width": 1440, "height": HEIGHT}, color_scheme="light")
        rules = (project_root() / "data" / "worlds" / "chain.rules").read_text(encoding="utf-8")
        page.goto(f"{address}/world?rules={quote(rules)}")
        page.wait_for_selector(".predictors tr.formulas")
        _take(page, "world-light")
        browser.close()


def _take(page: Page, name: str) -> None:
    settle(page)
    page.wait_for_timeout(2_500)
    page.screenshot(path=PICTURES / f"{name}.png", full_page=False)
    page.close()


if __name__ == "__main__":
    main()
