// Numbers of parts, row by row, at tokens or for answers: each is a button that shows what is behind it. One tab stop; arrows move.

import { closest, downloads, make, percent } from "../../client/drawing/dom.js";

const DIGITS = 4; // of a number in a file

// Never "minus zero".
const words = (value, unit) => (unit === "share" ? percent(value) : `${value <= -0.005 ? "−" : ""}${Math.abs(value).toFixed(2)}`);
// In a cell a share has no % sign, and 100 takes no more room than 99.
const short = (value, unit) => (unit === "share" ? String(Math.round(100 * value)) : words(value, unit));

export function draw(root, data, send) {
  const focused = root.querySelector("button:focus")?.dataset.at;
  const same = root.dataset.what === data.what;
  const scroll = same ? root.querySelector(".window")?.scrollTop ?? 0 : 0;
  const largest = data.largest || 1;
  const table = make("table");
  table.setAttribute("role", "grid");
  table.setAttribute("aria-label", data.label);
  const head = make("tr");
  const corner = make("th", "corner", data.corner);
  corner.scope = "col";
  head.append(corner);
  data.columns.forEach((name, index) => {
    const th = make("th", "head");
    th.append(make("span", "", name));
    th.scope = "col";
    head.append(th);
  });
  const top = make("thead");
  top.append(head);
  const body = make("tbody");
  const chosen = data.chosen ? data.chosen.join() : null;
  // Tab leads to the chosen number, or else to the first one.
  let entry = chosen;
  const framed = new Set((data.framed ?? []).map(([r, c]) => `${r},${c}`));
  data.values.forEach((row, r) => {
    const tr = make("tr", r && data.groups?.[r] !== data.groups?.[r - 1] ? "parted" : "");
    const name = make("th", "name mono", data.rows[r]);
    name.scope = "row";
    if (data.marked?.includes(r)) name.classList.add("marked");
    tr.append(name);
    row.forEach((value, c) => {
      const td = make("td");
      if (!Number.isFinite(value)) { td.append(make("span", "none quiet", "·")); tr.append(td); return; }
      const at = `${r},${c}`;
      entry ??= at;
      const button = make("button", "cell mono");
      button.append(make("span", "value", short(value, data.unit)));
      const note = data.notes?.[r][c];
      if (note) button.append(make("span", `note${note.endsWith("✗") ? " wrong" : ""}`, note));
      const strength = Math.min(1, Math.abs(value) / largest);
      const colour = value < 0 ? "var(--st-orange-color, #c5722a)" : "var(--st-primary-color)";
      button.style.background = `color-mix(in srgb, ${colour} ${(48 * strength).toFixed(1)}%, transparent)`;
      button.title = `${data.rows[r]}, ${data.columns[c]}: ${words(value, data.unit)}${note ? `; ${note}` : ""}`;
      button.setAttribute("aria-label", button.title);
      button.dataset.at = at;
      button.tabIndex = -1;
      if (framed.has(at)) button.classList.add("framed");
      if (at === chosen) { button.classList.add("chosen"); button.setAttribute("aria-current", "true"); }
      td.append(button);
      tr.append(td);
    });
    body.append(tr);
  });
  table.append(top, body);
  const window_ = make("div", "window");
  window_.append(table);
  const button = (at) => root.querySelector(`button[data-at="${at}"]`);
  table.onclick = (event) => {
    const pressed = closest(event, "button[data-at]");
    if (pressed) send("cell", pressed.dataset.at.split(",").map(Number));
  };
  table.onkeydown = (event) => {
    const step = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] }[event.key];
    const from = closest(event, "button[data-at]");
    const here = from?.dataset.at.split(",").map(Number);
    if (!step || !here) return;
    event.preventDefault();
    // Skips cells without a number.
    for (let [r, c] = [here[0] + step[0], here[1] + step[1]]; data.values[r]?.[c] !== undefined; r += step[0], c += step[1]) {
      const next = button([r, c].join());
      if (!next) continue;
      from.tabIndex = -1;
      next.tabIndex = 0;
      next.focus();
      return;
    }
  };
  const legend = make("div", "legend small quiet", data.legend);
  root.replaceChildren(make("div", "title", data.label), window_, legend, downloads(root, data.what.replace(/[^\p{L}\p{N}]+/gu, "-"), () => [[data.corner, ...data.columns],
    ...data.values.map((row, r) => [data.rows[r], ...Array.from(row, (value) => (Number.isFinite(value) ? Number(value.toFixed(DIGITS)) : ""))])]));
  const first = button(same && focused ? focused : entry);
  if (first) first.tabIndex = 0;
  window_.scrollTop = scroll;
  if (same && focused) button(focused)?.focus({ preventScroll: true });
  root.dataset.what = data.what;
  root.dataset.done = data.values.reduce((sum, row) => sum + row.filter(Number.isFinite).length, 0);
}
