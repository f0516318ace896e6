"""A figure of plotly that changes while it is drawn: the last one is shown, and the page goes on."""

from __future__ import annotations

import pytest

CHANGE_TWICE_AT_ONCE = """async () => {
  const at = (path) => new URL(`modules/client/${path}`, document.baseURI).href;
  const { html, render } = await import(at("html.js"));
  const { Figure } = await import(at("drawing/figure.js"));
  const host = document.body.appendChild(document.createElement("div"));
  const root = host.attachShadow({ mode: "open" }).appendChild(document.createElement("div"));
  const show = (y) => render(html`<${Figure} figure=${{ data: [{ type: "bar", x: ["a", "b"], y }], layout: {} }} name="one" />`, root);
  const shown = () => String(host.querySelector(".figure")?.data?.[0].y);
  const moment = () => new Promise((resolve) => setTimeout(resolve, 20));
  show([1, 2]);
  while (shown() !== "1,2") await moment();
  show([2, 3]);
  show([3, 4]);
  while (shown() !== "3,4") await moment();
  for (let count = 0; count < 50; count += 1) await moment();
  window.lastShown = shown();
  host.remove();
}"""


@pytest.mark.journey
def test_the_last_of_several_figures_is_shown_and_the_page_goes_on(page, address):
    page.goto(f"{address}/world")
    page.wait_for_selector(".rules_editor")
    # Not awaited: a page that never comes to rest would not answer.
    page.evaluate("(code) => { (0, eval)(code)(); }", CHANGE_TWICE_AT_ONCE)
    page.wait_for_function("() => window.lastShown === '3,4'")
