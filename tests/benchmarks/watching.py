"""How much watching slows down a training, and how much a training slows down clicks.

Trains GPT-2 in three ways, in turn: by the command alone; by a server whose page is not open; by a server whose page
*Train* is open in a real Chromium, on the same cores. Then measures clicks on page *Probe* while GPT-2 is trained, as in
`tests.benchmarks.latency`. Run by `make bench`.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from playground.files import SHIPPED
from playground.inference import load_model
from tests.app.browser import find_chromium, launch, serve
from tests.benchmarks.latency import draw_operations, measure_operation, tell_operations
from tests.benchmarks.tables import ratio, say, show, spread

ROUNDS = 3
STEPS = 750
EPOCHS = STEPS / 1250
CLICKS = 40
_WAIT = 300.0


def train_alone(place: Path, name: str) -> float:
    """Return the steps per second of a training by the command."""
    program = str(Path(sys.executable).with_name("the-experiment"))
    for command in (["generate", "--name", name], ["train", "gpt2", "--name", name, "--epochs", str(EPOCHS)]):
        subprocess.run([program, *command], cwd=place, check=True, capture_output=True)
    return _speed(place, name)


def start(page: Page, address: str, name: str, epochs: float) -> None:
    """Make the server at `address` train GPT-2."""
    page.goto(f"{address}/train")
    page.wait_for_selector("[data-key=hold_out] tbody tr")
    for box, value in (("name", name), ("epochs", str(epochs))):
        field = page.locator(f"input[data-key={box}]")
        field.fill(value)
        field.press("Enter")
    page.locator("input[data-key=until]").uncheck()
    page.locator("button[data-key=start]").click()
    page.wait_for_selector(f'[data-key="line {name}/gpt2"]')


def train_by_server(page: Page, address: str, place: Path, name: str, *, watched: bool) -> float:
    """Return the steps per second of a training started from a page, watched by that page or not."""
    start(page, address, name, EPOCHS)
    if not watched:
        page.goto("about:blank")
    _wait_until((place / "models" / name / "gpt2" / "run.json").is_file)
    return _speed(place, name)


@contextmanager
def training(page: Page, address: str, place: Path, name: str) -> Iterator[None]:
    """Train GPT-2 meanwhile."""
    start(page, address, name, 100)
    _wait_until((place / "models" / name / ".gpt2.unfinished" / "state.safetensors").is_file)
    yield
    page.goto(f"{address}/train")
    page.locator(f'[data-key="line {name}/gpt2"]').get_by_role("button", name="Stop").click()
    page.wait_for_selector("[data-key=go_on]")


def _wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WAIT
    while not true():
        if time.monotonic() > deadline:
            raise TimeoutError("the training does not end")
        time.sleep(0.2)


def _speed(place: Path, name: str) -> float:
    run = json.loads((place / "models" / name / "gpt2" / "run.json").read_text(encoding="utf-8"))
    return run["steps"] / run["seconds"]


def measure_speeds(page: Page, address: str, place: Path) -> None:
    """Print how much watching slows down a training."""
    speeds: dict[str, list[float]] = {"by the command": [], "by a server": [], "watched": []}
    for number in range(ROUNDS):
        say(f"round {number + 1} of {ROUNDS}")
        speeds["by the command"].append(train_alone(place, f"alone{number}"))
        for watched, side in ((False, "by a server"), (True, "watched")):
            name = f"{'watched' if watched else 'unseen'}{number}"
            speeds[side].append(train_by_server(page, address, place, name, watched=watched))
            page.goto("about:blank")
    alone = speeds["by the command"]
    show(
        f"GPT-2, {STEPS} steps, evaluations and snapshots included, {ROUNDS} rounds",
        ["how", "steps per second", "of the speed by the command"],
        [[side, spread(found), ratio(found, alone)] for side, found in speeds.items()],
    )


def measure_clicks(page: Page, address: str, place: Path) -> None:
    """Print how long clicks on page Probe take while a model is trained, and before."""
    models = {"gpt2": load_model(SHIPPED, "gpt2", "cpu")}
    done = draw_operations(models, random.Random(1), CLICKS)

    def measure(title: str) -> None:
        tell_operations(title, [(each, measure_operation(page, address, each, in_use=True)) for each in done])

    measure("on page Probe, nothing trained")
    with training(page, address, place, "meanwhile"):
        measure("on page Probe while GPT-2 is trained")


def main() -> None:
    """Measure and print."""
    with sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            sys.exit("There is no Chromium on this machine, and none can be fetched.")
        with tempfile.TemporaryDirectory() as folder, serve(Path(folder)) as address:
            browser = launch(playwright, executable)
            page = browser.new_page(viewport={"width": 1440, "height": 1000})
            measure_clicks(page, address, Path(folder))
            measure_speeds(page, address, Path(folder))
            page.goto("about:blank")
            browser.close()


if __name__ == "__main__":
    main()
