"""A world of ten inputs: from a click to the first changed rows, and to all 1,024 of them.

Uses real Chromium, and models of the default sizes with random weights. Most of their texts are wrong, so decoding
takes more passes than for a model that has learnt its world. Run by `make bench`.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from pathlib import Path

import torch
from playwright.sync_api import Page, sync_playwright

from playground.datasets import DatasetSpec, random_hold_out
from playground.files import write_json
from playground.inference import Model, open_model
from playground.interventions import parse_all
from playground.models import ARCHITECTURES, save_model
from playground.worlds import parse_world, state_text
from tests.app.browser import BOARD, find_chromium, launch, serve, settle, wait_for

RULES = """inputs: A, B, C, D, E, F, G, H, I, J
newA = A XOR C
newB = NOT D
newC = B AND E
newD = A OR newB
newE = F XOR newC
newF = G NAND H
newG = newD IMPLIES I
newH = J XOR newE
newI = newF NOR newA
newJ = newG XNOR newH
sum(A+B+C+D+E+F+G+H+I+J) - sum2(newA+newB+newC+newD+newE+newF+newG+newH+newI+newJ)
"""
HELD_OUT = 64
CONDITIONS = ("zero:L1H2", "mean:L2H0", "zero:L3.mlp", "flip:L1.mlp.W_in~5%#7")
HEADS = ("L0H1", "L1H2", "L2H0", "L3H3")

CLOCK = """
([component, target, wanted]) => new Promise((resolve) => {
  const find = (selector) => {
    for (const host of document.querySelectorAll("*")) {
      const found = host.shadowRoot && host.shadowRoot.querySelector(selector);
      if (found) return found;
    }
  };
  const shown = find(component);
  const start = performance.now();
  let first = null;
  const look = () => {
    const here = shown.dataset.condition === wanted;
    if (here && first === null) {
      first = 0;
      // Looked at before a frame is painted: when the next one begins, it is.
      requestAnimationFrame(() => { first = performance.now() - start; });
    }
    if (here && first && !shown.dataset.left) {
      requestAnimationFrame(() => resolve([first, performance.now() - start]));
    } else requestAnimationFrame(look);
  };
  find(target).click();
  look();
})
"""


def make_models(place: Path) -> list[Model]:
    """Save a model of each architecture in a working directory, and open them."""
    world = parse_world(RULES)
    spec = DatasetSpec(world=world, held_out=random_hold_out(world, HELD_OUT, 0))
    models = []
    for name, architecture in ARCHITECTURES.items():
        size = architecture.default_size(spec.template)
        model, generator = architecture.make(spec.template, size, 0), torch.Generator().manual_seed(0)
        with torch.no_grad():
            for parameter in model.parameters():
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=generator))
        folder = place / "models" / "ten" / name
        folder.mkdir(parents=True)
        save_model(model, architecture, spec.template, size, folder)
        write_json(folder / "run.json", {"architecture": name, "dataset": spec.to_json()})
        models.append(open_model(folder, "cpu"))
    return models


def measure_boards(models: list[Model]) -> None:
    """Print how long the library takes for boards, on one thread: for the whole board, and for the first block."""
    for model in models:
        began, used = time.perf_counter(), time.thread_time()
        _ = model.baseline
        said = [f"unedited {time.perf_counter() - began:.2f} s ({time.thread_time() - used:.2f} s of a core)"]
        for text in CONDITIONS if model.name == "gpt2" else ("zero:L0.h", "zero:L2.conv", "zero:memory"):
            if not model.fit(parse_all(text)).faults:
                growing = model.partial_board(text)
                began, used = time.perf_counter(), time.thread_time()
                next(growing.compute_blocks())
                first = time.perf_counter() - began
                _ = growing.board
                said.append(
                    f"{text} first {first:.2f}, all {time.perf_counter() - began:.2f} s "
                    f"({time.thread_time() - used:.2f} s of a core)"
                )
        print(f"1,024 states, {model.name}: {'; '.join(said)}")


def measure_page(page: Page, address: str, model: Model) -> None:
    """Print the times to the first rows and to all rows, from opening the page and from clicks on heads."""
    state = state_text(model.world.states[700])
    began = time.perf_counter()
    page.goto(f"{address}/?name=ten&model=gpt2&state={state}")
    page.wait_for_selector(f"{BOARD} td", timeout=120_000)
    first = time.perf_counter() - began
    wait_for(page, (f'{BOARD}[data-left=""]',), state)
    print(f"1,024 states, page opened: board {first:.1f} s, all rows {time.perf_counter() - began:.1f} s")
    times = []
    for head in HEADS:
        settle(page)
        page.wait_for_timeout(700)
        clock = [".board", f'.mosaic [data-site="{head}"]', f"{state} zero:{head}"]
        times.append(page.evaluate(CLOCK, clock))
        settle(page)
        page.locator('.edits [data-focus="reset"]').click()
        wait_for(page, (f'{BOARD}[data-left=""]',), state)
    for what, values in zip(("the first rows", "all rows"), zip(*times, strict=True), strict=True):
        listed = ", ".join(f"{value:.0f}" for value in values)
        print(
            f"1,024 states, click on a head to {what}, ms: median {statistics.median(values):.0f} ({listed})"
        )


def main() -> None:
    """Measure and print."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as place, sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            sys.exit("There is no Chromium on this machine, and none can be fetched.")
        models = make_models(Path(place))
        measure_boards(models)
        with serve(Path(place)) as address:
            browser = launch(playwright, executable)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            measure_page(page, address, models[0])
            browser.close()


if __name__ == "__main__":
    main()
