"""What is drawn anew in place is what it would be if it were made anew, and keeps the focus."""

from __future__ import annotations

import pytest

REDRAW_AT_RANDOM = """async () => {
  const { show } = await import(new URL("modules/client/drawing/patch.js", document.baseURI).href);
  let seed = 1;
  const draw = (count) => (seed = (seed * 48271) % 2147483647) % count;
  const made = (depth) => {
    if (depth === 0 || draw(4) === 0) return document.createTextNode(["", "0", "1", "text"][draw(4)]);
    const node = document.createElement(["div", "span", "button", "td"][draw(4)]);
    for (const name of ["class", "title", "style", "data-focus", "aria-label"]) if (draw(3) === 0) node.setAttribute(name, `color: ${["red", "blue"][draw(2)]}`);
    if (draw(2)) node.onclick = () => {};
    node.append(...Array.from({ length: draw(5) }, () => made(depth - 1)));
    return node;
  };
  const handlers = (root) => [...root.querySelectorAll("*")].map((node) => node.onclick);
  const [root, anew] = [document.createElement("div"), document.createElement("div")];
  const differing = [];
  for (let round = 0; round < 500; round += 1) {
    const nodes = Array.from({ length: draw(4) }, () => made(4));
    anew.replaceChildren(...nodes.map((node) => node.cloneNode(true)));
    const clicks = nodes.flatMap((node) => (node instanceof Element ? [node.onclick, ...handlers(node)] : []));
    show(root, ...nodes);
    const [got, wanted] = [root.innerHTML, anew.innerHTML].map((text) => text.replace(/ [\\w-]+="[^"]*"/g, ""));
    const [those, all] = [root, anew].map((each) => [...each.querySelectorAll("*")].map((node) => [...node.attributes].map(({ name, value }) => name + value).sort().join()).join("|"));
    const same = handlers(root).every((handler, index) => handler === clicks[index]);
    if (got !== wanted || those !== all || !same || root.childNodes.length !== anew.childNodes.length) differing.push(round);
  }
  return differing;
}"""

KEEP_THE_FOCUS = """async () => {
  const { showFocused } = await import(new URL("modules/client/drawing/patch.js", document.baseURI).href);
  const root = document.body.appendChild(document.createElement("div"));
  const rows = (...names) => names.map((name) => Object.assign(document.createElement("button"), { textContent: name }));
  const show = (...names) => showFocused(root, ...rows(...names).map((row) => { row.dataset.focus = row.textContent; return row; }));
  show("a", "b", "c");
  const first = root.querySelector("[data-focus=b]");
  first.focus();
  const seen = [];
  const look = () => seen.push(document.activeElement.textContent);
  show("a", "b", "d");
  look();
  seen.push(String(document.activeElement === first));
  show("b", "d", "a");
  look();
  show("d", "a");
  seen.push(String(root.textContent));
  root.remove();
  return seen;
}"""


@pytest.mark.journey
def test_what_is_drawn_anew_in_place_is_as_if_made_anew(page, address):
    page.goto(f"{address}/start")
    page.wait_for_selector(".start")
    assert page.evaluate(REDRAW_AT_RANDOM) == []


@pytest.mark.journey
def test_the_focus_stays_on_what_had_it_wherever_that_is_now(page, address):
    page.goto(f"{address}/start")
    page.wait_for_selector(".start")
    assert page.evaluate(KEEP_THE_FOCUS) == ["b", "true", "b", "da"]
