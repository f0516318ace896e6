"""How close the app is to what its server and a browser need at least.

(a) From a click to painted board and picture, against a bare page that only asks the same questions and paints the
numbers of the answers. The operations are drawn as in `tests.benchmarks.latency`. Each side has a server of its own, so
that both compute every board for the first time; they take turns, in alternating order, in one browser.
(b) From `streamlit run app` to the first board and picture, against an empty `st.App` with one component that paints one
element: a new server each time, in turns.
(c) Eight tabs of one browser, each in a window of its own, with different edits, clicked at the same time; every board is
compared with the library's.

`python -m tests.benchmarks.floor clicks --count 20` measures some of it. Run by `make bench`.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

from playwright import async_api
from playwright.sync_api import Browser, Page, sync_playwright

from playground.files import SHIPPED
from playground.inference import Model, load_model
from playground.interventions import activation_kinds, parse_site
from playground.models import ARCHITECTURES
from tests.app.browser import APP, BOARD, MOSAIC, OPTIONS, find_chromium, launch, serve, tokens_of
from tests.benchmarks.latency import (
    CLOCK,
    STATE,
    WARMING,
    Operation,
    draw_operations,
    measure_operation,
    open_as_soon_as_possible,
)
from tests.benchmarks.tables import ratio, say, show, spread
from tests.support.ports import reserved_port

OPERATIONS, STARTS, TABS, CLICKS = 100, 5, 8, 500
MOST_EDITS = 3
"""In a tab at once."""
ROUTES = {".mosaic": "picture", ".maps": "picture", ".activations": "activation", ".matrix": "weight"}
"""What the page asks for a picture."""

BARE = """<!doctype html><title>bare</title><pre></pre><canvas width="512"></canvas><script type="module">
const read = async (address) => new Uint8Array(await (await fetch(address)).arrayBuffer());
/** The arrays of a document. */
function arraysIn(bytes) {
  const begin = 8 + Number(new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true));
  const { __metadata__, ...arrays } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, begin)));
  JSON.parse(__metadata__.answer);
  return Object.values(arrays).map(({ data_offsets: [from, to] }) => bytes.subarray(begin + from, begin + to));
}
/** The arrays of all documents of a stream; before each is its size. */
function arraysOf(bytes) {
  const found = [];
  for (let at = 0; at < bytes.length;) {
    const end = at + 8 + Number(new DataView(bytes.buffer, at, 8).getBigUint64(0, true));
    found.push(...arraysIn(bytes.subarray(at + 8, end)));
    at = end;
  }
  return found;
}
window.paint = async (board, picture) => {
  const start = performance.now();
  const [rows, drawn] = await Promise.all([read(board), read(picture)]);
  document.querySelector("pre").textContent = arraysOf(rows).map((array) => array.join(" ")).join("\\n");
  const canvas = document.querySelector("canvas"), numbers = arraysIn(drawn);
  canvas.height = Math.ceil(numbers.reduce((sum, array) => sum + array.length, 0) / canvas.width) || 1;
  const image = new ImageData(canvas.width, canvas.height);
  let pixel = 0;
  for (const array of numbers) for (const number of array) { image.data[4 * pixel] = number; image.data[4 * pixel++ + 3] = 255; }
  canvas.getContext("2d").putImageData(image, 0, 0);
  return new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - start))));
};
</script>"""

EMPTY = {
    "streamlit_app.py": 'import streamlit as st\n\napp = st.App("script.py")\n',
    "script.py": "from streamlit.components.v2 import component\n\n"
    'component("one", html="<div class=one>1</div>")()\n',
}


def questions(done: Operation, edits: str) -> tuple[str, str]:
    """Return the addresses of board and picture under some edits, as the page of an operation asks for them."""
    named = {"name": SHIPPED, "model": done.model}
    shown = dict(part.split("=", 1) for part in done.address.lstrip("?").split("&"))
    more = {key: shown[key] for key in ("activation", "weight", "weights") if key in shown}
    on = {"on": edits} if edits else {}
    picture = named | {"state": STATE} | on | more
    return f"api/board?{urlencode(named | on)}", f"api/{ROUTES[done.picture]}?{urlencode(picture)}"


def measure_bare(page: Page, done: Operation) -> float:
    """Return the milliseconds of a bare page, after the questions that the page of the app has asked before."""
    for edits in ("", WARMING):
        page.evaluate("([board, picture]) => paint(board, picture)", questions(done, edits))
    page.wait_for_timeout(700)
    return page.evaluate("([board, picture]) => paint(board, picture)", questions(done, done.text))


@contextmanager
def bare_page(browser: Browser, address: str) -> Iterator[Page]:
    """Give a bare page of a server's origin."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.route(f"{address}/bare", lambda route: route.fulfill(body=BARE, content_type="text/html"))
    page.goto(f"{address}/bare")
    # Playwright looks at every request as long as there is a route.
    page.unroute(f"{address}/bare")
    yield page
    page.close()


def measure_clicks(browser: Browser, count: int) -> None:
    """Measure (a)."""
    models = {name: load_model(SHIPPED, name, "cpu") for name in ARCHITECTURES}
    operations = draw_operations(models, random.Random(0), count)
    app, bare = [], []
    with (
        tempfile.TemporaryDirectory() as one,
        tempfile.TemporaryDirectory() as other,
        serve(Path(one)) as address,
        serve(Path(other)) as own,
        bare_page(browser, own) as floor,
    ):
        page = browser.new_page(viewport={"width": 1440, "height": 1000})
        turns = [
            (app, lambda done: measure_operation(page, address, done, in_use=True)),
            (bare, lambda done: measure_bare(floor, done)),
        ]
        for number, done in enumerate(operations):
            for times, measure in turns[:: -1 if number % 2 else 1]:
                times.append(measure(done))
        page.close()
    asked = statistics.median(app) / statistics.median(bare)
    middle = statistics.median(app)
    rows = [
        [side, spread(times), f"{percentile(times):.0f}"]
        for side, times in (("app", app), ("bare page", bare))
    ]
    show(
        f"Click to painted board and picture, ms, {count} operations; {load()}",
        ["side", "median", "95th percentile"],
        rows,
    )
    print(
        f"ratio of medians {asked:.2f} (asked: 1.15); 95th percentile / median {percentile(app) / middle:.2f} (asked: 1.6)"
    )


def measure_start(page: Page, folder: Path, place: Path, shown: tuple[str, ...]) -> float:
    """Return the seconds from starting a server in `place` to what its first page shows."""
    program = str(Path(sys.executable).with_name("streamlit"))
    options = ["--server.headless=true", "--browser.gatherUsageStats=false", "--server.address=127.0.0.1"]
    with reserved_port("127.0.0.1") as port:
        command = [program, "run", str(folder), f"--server.port={port}", *options]
        started = time.perf_counter()
        server = subprocess.Popen(command, cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            open_as_soon_as_possible(page, f"http://127.0.0.1:{port}")
            for selector in shown:
                page.wait_for_selector(selector, timeout=120_000)
            page.evaluate("() => new Promise(requestAnimationFrame)")
            return time.perf_counter() - started
        finally:
            page.goto("about:blank")
            server.terminate()
            server.wait()


def measure_starts(browser: Browser, count: int) -> None:
    """Measure (b). The first start of each side, in which Python compiles and the app keeps answers, does not count."""
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    app, empty = [], []
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as own:
        for name, text in EMPTY.items():
            Path(folder, name).write_text(text, encoding="utf-8")
        turns = [
            (app, APP, Path(own), (f"{BOARD} td", MOSAIC)),
            (empty, Path(folder), Path(folder), (".one",)),
        ]
        for number in range(count + 1):
            for times, *side in turns[:: -1 if number % 2 else 1]:
                seconds = measure_start(page, *side)
                if number:
                    times.append(seconds)
    page.close()
    rows = [["app", spread(app), ratio(app, empty)], ["empty page", spread(empty), "1"]]
    show(
        f"Start to first page, s, {count} starts; {load()}",
        ["side", "seconds", "of the empty page's (asked: 1.3)"],
        rows,
    )


class Tab:
    """One of several tabs: clicks parts of the model, and keeps what its board showed."""

    def __init__(self, page: async_api.Page, model: Model, number: int) -> None:
        self._page, self._model = page, model
        self._draw = random.Random(number)
        kinds = {
            name: kind
            for name, kind in activation_kinds().items()
            if not {"source", "minus"} & set(kind.needs)
        }
        self._name = list(kinds)[number % len(kinds)]
        self._kind = kinds[self._name]
        self._state = model.world.states[number]
        self._edits: list[tuple[str, str]] = []
        self.milliseconds: list[float] = []
        self.boards: list[tuple[str, list[list[str]]]] = []

    async def open(self, address: str) -> None:
        """Open the page."""
        kind, state = self._name, ",".join(map(str, self._state))
        await self._page.goto(f"{address}/?model={self._model.name}&kind={kind}&state={state}")
        await self._page.wait_for_selector(f'{MOSAIC}[data-condition="{state}"]')

    async def click(self) -> None:
        """Click a part, or one that has been clicked once more if there are many; keep what the board shows then."""
        sites = [str(site) for site in self._model.network.elements]
        edited = [site for site, _ in self._edits]
        site = self._draw.choice(edited if len(edited) == MOST_EDITS else sites)
        amount = {"amount": 2.0} if "amount" in self._kind.needs else {}
        text = str(self._kind(site=parse_site(site), **amount))
        kept = [each for each in self._edits if each[0] != site]
        self._edits = kept if site in edited else [*kept, (site, text)]
        on = ";".join(text for _, text in self._edits)
        wanted = f"{','.join(map(str, self._state))} {on}".strip()
        clock = [[".board"], f'.mosaic [data-site="{site}"]', "", wanted]
        self.milliseconds.append(await self._page.evaluate(CLOCK, clock))
        rows = self._page.locator(f"{BOARD} tbody tr")
        self.boards.append((on, await rows.evaluate_all(SHOWN)))


SHOWN = """rows => rows.map(tr => [...tr.querySelectorAll('td.mono')]
    .filter(td => td.title.startsWith('edited')).map(td => td.firstChild.textContent))"""


async def click_in_tabs(executable: str, address: str, model: Model, count: int) -> list[Tab]:
    """Return tabs that were clicked at the same time, `count` times in all."""
    async with async_api.async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=executable, args=OPTIONS)
        context = await browser.new_context(viewport={"width": 1440, "height": 1000})
        first = await context.new_page()
        tabs = [Tab(first, model, 0)]
        for number in range(1, TABS):
            # A window each: of a window's tabs a browser paints only the one in sight sixty times a second.
            async with context.expect_page() as opened:
                await first.evaluate(
                    "() => void open('about:blank', '_blank', 'popup,noopener,width=1440,height=1000')"
                )
            tabs.append(Tab(await opened.value, model, number))
        for tab in tabs:
            await tab.open(address)
        turns = iter(range(count))

        async def go(tab: Tab) -> None:
            for _ in turns:
                await tab.click()

        await asyncio.gather(*map(go, tabs))
        await browser.close()
        return tabs


def measure_tabs(executable: str, count: int) -> None:
    """Measure (c)."""
    model = load_model(SHIPPED, "gpt2", "cpu")
    with tempfile.TemporaryDirectory() as place, serve(Path(place)) as address:
        tabs = asyncio.run(click_in_tabs(executable, address, model, count))
    times = [each for tab in tabs for each in tab.milliseconds]
    wrong = [on for tab in tabs for on, shown in tab.boards if on and shown != tokens_of(model, on)]
    print(
        f"{TABS} tabs, {len(times)} clicks, {load()}: median {statistics.median(times):.0f} ms, "
        f"95th percentile {percentile(times):.0f} ms (asked: 1000), slowest {max(times):.0f} ms; "
        f"{len(wrong)} boards differ from the library's {wrong[:5]}"
    )


def percentile(times: list[float]) -> float:
    """Return the 95th percentile."""
    return sorted(times)[int(0.95 * len(times))]


def load() -> str:
    """Return how busy the machine is."""
    return f"load {os.getloadavg()[0]:.1f}"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser()
    parser.add_argument("parts", nargs="*", default=["clicks", "starts", "tabs"])
    parser.add_argument("--count", type=int, help="operations, starts or clicks of each part")
    chosen = parser.parse_args()
    if unknown := set(chosen.parts) - {"clicks", "starts", "tabs"}:
        parser.error(f"unknown part: {', '.join(unknown)}; expected clicks, starts, tabs")
    with sync_playwright() as playwright:
        executable = find_chromium(playwright)
        if executable is None:
            sys.exit("There is no Chromium on this machine, and none can be fetched.")
        browser = launch(playwright, executable)
        for part, measure, usual in (
            ("clicks", measure_clicks, OPERATIONS),
            ("starts", measure_starts, STARTS),
        ):
            if part in chosen.parts:
                say(f"{part} ...")
                measure(browser, chosen.count or usual)
        browser.close()
    if "tabs" in chosen.parts:
        measure_tabs(executable, chosen.count or CLICKS)


if __name__ == "__main__":
    main()
