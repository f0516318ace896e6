"""From a click to the repainted page.

Uses real Chromium and the shipped models. 100 operations are drawn uniformly over all kinds of interventions, then over
the models, then over all parts or weights that the kind acts on, whole layers included. Each is measured on a page in
use, and as the first one on a page just opened. The clock stops when the browser has painted the frame in which board
and picture show the new condition. On page Compare, the clicks choose states under an intervention and remove interventions;
there, all components must show the new condition. `python -m tests.benchmarks.latency comparison` measures that alone. Run by
`make bench`.
"""

from __future__ import annotations

import argparse
import random
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Error, Page, sync_playwright

from playground.analysis import axes_of
from playground.files import SHIPPED
from playground.inference import Model, load_model
from playground.interventions import KINDS, activation_kinds, parse_all, weight_kinds
from playground.models import Site
from tests.app.browser import (
    BOARD,
    add_by_text,
    find_chromium,
    launch,
    serve,
    settle,
    wait_for,
    wait_for_comparison,
)

PARTS = ["operations", "comparison"]
OPERATIONS = 100
CLICKS = 40
STATE, OTHER_STATE = "0,1,1,1,0", "1,0,0,1,1"
WARMING = "scale:embed~1.1"
"""An intervention that applies to every model and is none of the operations."""

CLOCK = """
([components, target, key, wanted]) => new Promise((resolve) => {
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
      // Looked at before a frame is painted: when the next one begins, it is.
      requestAnimationFrame(() => resolve(performance.now() - start));
    else requestAnimationFrame(look);
  };
  if (key) find(target).dispatchEvent(new KeyboardEvent("keydown", { key, bubbles: true, composed: true }));
  else find(target).click();
  look();
})
"""


@dataclass(frozen=True)
class Operation:
    """One click or key press that edits a model.

    Args:
        model: the name of the model.
        kind: of the intervention.
        site: what is changed.
        address: of the page, below the server's.
        picture: the selector of what shows the model's parts there.
        target: selector of the element that is clicked.
        key: the key that is pressed there; "" for a click.
        text: of the intervention.
    """

    model: str
    kind: str
    site: str
    address: str
    picture: str
    target: str
    key: str
    text: str


def draw_operation(models: dict[str, Model], draw: random.Random) -> Operation:
    """Return an operation drawn uniformly over kinds, then models, then all sites that the kind acts on."""
    kind, name = draw.choice(list(KINDS)), draw.choice(list(models))
    model = models[name]
    states, network = model.world.states, model.network
    parts = ".mosaic" if network.pattern_hooks else ".maps"
    if kind == "force":
        output = draw.choice(model.world.outputs)
        target = f'.strip [data-focus="force {output} baseline"]'
        return Operation(name, kind, output, f"?model={name}", parts, target, "", f"force:{output}=!")
    if kind in weight_kinds():
        weight = draw.choice(list(network.weights))
        key = draw.choice(["Enter", "h", "v"]) if network.weights[weight].dim() > 1 else "Enter"
        text = _weight_text(kind, weight, tuple(network.weights[weight].shape), key)
        address = f"?view=weights&model={name}&weights={kind}&weight={weight}"
        return Operation(name, kind, str(weight), address, ".matrix", ".matrix .window", key, text)
    site = draw.choice(list(network.sites))
    made = activation_kinds()[kind]
    needs = {"amount": 2.0, "source": states[-1], "minus": states[0]}
    text = str(made(site=site, **{option: value for option, value in needs.items() if option in made.needs}))
    if site.part is None:
        address, target = f"?model={name}&kind={kind}", f'{parts} [data-site="{site}"]'
        return Operation(name, kind, str(site), address, parts, target, "", text)
    address = f"?view=activations&model={name}&kind={kind}&activation={site}"
    return Operation(
        name, kind, str(site), address, ".activations", '.activations [data-focus="whole"]', "", text
    )


def _weight_text(kind: str, weight: Site, shape: tuple[int, ...], key: str) -> str:
    """Return the intervention of a key at the cursor's first place: on a number, its row or its column."""
    axes = {axis: by for by, axis in axes_of(weight, shape).items()}
    index = []
    for axis, length in enumerate(shape):
        whole = (key == "h" and axes.get(axis) == "columns") or (key == "v" and axes.get(axis) == "rows")
        index.append(":" if whole and length > 1 else "0")
    amount = "~0.5" if kind == "noise" else ""
    return f"{kind}:{weight}[{','.join(index)}]{amount}"


def draw_operations(models: dict[str, Model], draw: random.Random, count: int) -> list[Operation]:
    """Return operations that can be carried out: noise on a weight whose numbers are all equal cannot."""
    operations = []
    while len(operations) < count:
        done = draw_operation(models, draw)
        if not models[done.model].fit(parse_all(done.text)).faults:
            operations.append(done)
    return operations


def measure_operations(
    page: Page, address: str, models: dict[str, Model], draw: random.Random
) -> tuple[list[tuple[Operation, float]], list[tuple[Operation, float]]]:
    """Return operations with the milliseconds until board and picture with their numbers are painted.

    First on a page in use, where another edit has been made and undone. Then the same operations, each as the first
    one on a page just opened; their boards are known by then.
    """
    operations = draw_operations(models, draw, OPERATIONS)
    in_use = [(done, measure_operation(page, address, done, in_use=True)) for done in operations]
    return in_use, [(done, measure_operation(page, address, done, in_use=False)) for done in operations]


def measure_operation(page: Page, address: str, done: Operation, *, in_use: bool) -> float:
    """Return the milliseconds from an operation to painted board and picture, on a page in use or just opened."""
    prepare(page, address, done, in_use=in_use)
    clock = [[".board", done.picture], done.target, done.key, f"{STATE} {done.text}"]
    return page.evaluate(CLOCK, clock)


def prepare(page: Page, address: str, done: Operation, *, in_use: bool) -> None:
    """Open the page of an operation; a page in use has had another state, and another edit made and undone."""
    shown = (BOARD, f"{done.picture}[data-condition]")
    page.goto(f"{address}/{done.address}&state={STATE}")
    wait_for(page, shown, STATE)
    page.wait_for_selector(done.target, timeout=60_000)
    settle(page)
    if in_use:
        page.locator(f'{BOARD} button[data-focus="state {OTHER_STATE}"]').click()
        wait_for(page, shown, OTHER_STATE)
        add_by_text(page, WARMING)
        wait_for(page, shown, OTHER_STATE, WARMING)
        page.locator('.edits [data-focus="reset"]').click()
        wait_for(page, shown, OTHER_STATE)
        page.locator(f'{BOARD} button[data-focus="state {STATE}"]').click()
        wait_for(page, shown, STATE)
    # What comes last: the ranking, the part drawn large.
    page.wait_for_timeout(700)


def open_as_soon_as_possible(page: Page, address: str) -> None:
    """Open a page of a server that is just starting."""
    while True:
        try:
            page.goto(address, wait_until="commit")
        except Error:
            time.sleep(0.02)
        else:
            return


def measure_comparison(page: Page, address: str, draw: random.Random) -> list[tuple[str, float]]:
    """Return the clicks on page Compare with their milliseconds.

    Removing an intervention recomputes every board; choosing a state recomputes none.
    """
    measured, state, components = [], STATE, [".strip", ".comparison", ".scores"]
    parts = ["L0", "L1", "L0.h", "L0.c", "memory", "L2.conv", "L0.attn", "L1.mlp"]
    for number in range(CLICKS // 2):
        # The click leads to a condition that has not been computed before.
        part = f"{draw.choice(('zero', 'mean'))}:{draw.choice(parts)}@>newB.."
        done = f"{part};zero:L0.h[{number}];zero:L1.h[{number}]"
        page.goto(f"{address}/compare?model=gpt2&state={state}&on={done}")
        wait_for_comparison(page, state, done)
        settle(page)
        page.wait_for_timeout(300)
        first, second = done.rsplit(";", maxsplit=1)
        remove = '.edits [data-focus="remove 2"]'
        measured.append(
            (f"remove {second}", page.evaluate(CLOCK, [components, remove, "", f"{state} {first}"]))
        )
        settle(page)
        row = ".".join(draw.choice("01") for _ in range(5)).replace(".", ",")
        if row != state:
            button = f'.comparison button[data-focus="state {row}"]'
            measured.append(
                (f"state {row}", page.evaluate(CLOCK, [components, button, "", f"{row} {first}"]))
            )
            settle(page)
    return measured


def tell(title: str, measured: list[tuple[str, float]]) -> None:
    """Print the median, the 95th percentile and the slowest of some clicks."""
    times = sorted(milliseconds for _, milliseconds in measured)
    slowest = max(measured, key=lambda pair: pair[1])
    print(
        f"{title}, click to repainted page, ms, {len(times)} clicks: median {statistics.median(times):.0f}, "
        f"95th percentile {times[int(0.95 * len(times))]:.0f}, slowest {slowest[1]:.0f} ({slowest[0]})"
    )


def tell_operations(title: str, measured: list[tuple[Operation, float]]) -> None:
    """Print the times of operations: all, by model, by kind."""
    pairs = [(f"{done.model} {done.text}", milliseconds) for done, milliseconds in measured]
    tell(f"operations {title}", pairs)
    for name in dict.fromkeys(done.model for done, _ in measured):
        tell(f"  on {name}", [(done.text, ms) for done, ms in measured if done.model == name])
    for kind in KINDS:
        of_kind = [(f"{done.model} {done.text}", ms) for done, ms in measured if done.kind == kind]
        if of_kind:
            tell(f"  {kind}", of_kind)
    for text, milliseconds in sorted(pairs, key=lambda pair: -pair[1])[:8]:
        print(f"    {milliseconds:.0f} ms {text}")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=PARTS)
    chosen = parser.parse_args().parts
    if unknown := set(chosen) - set(PARTS):
        parser.error(f"unknown part: {', '.join(unknown)}; expected {', '.join(PARTS)}")
    models = {name: load_model(SHIPPED, name, "cpu") for name in ("gpt2", "rnn", "cnn", "mann")}
    with sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            sys.exit("There is no Chromium on this machine, and none can be fetched.")
        with tempfile.TemporaryDirectory() as place, serve(Path(place)) as address:
            browser = launch(playwright, executable)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            if "operations" in chosen:
                in_use, opened = measure_operations(page, address, models, random.Random(0))
                tell_operations("on a page in use", in_use)
                tell_operations("as the first on a page just opened", opened)
            if "comparison" in chosen:
                compared = measure_comparison(page, address, random.Random(0))
                for what in ("remove", "state"):
                    tell(f"Compare, {what}", [pair for pair in compared if pair[0].startswith(what)])
                tell("Compare", compared)
            browser.close()


if __name__ == "__main__":
    main()
