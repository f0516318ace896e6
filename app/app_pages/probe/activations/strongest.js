// The top units in the chosen order, with their numbers and buttons.

import { downloads, make } from "../../../client/drawing/dom.js";

const number = (value) => (value === 0 ? "0" : Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toFixed(3)).replace("-", "−");

function row(data, unit, longest, send) {
  const tr = make("tr", unit.picked ? "picked" : "");
  tr.dataset.unit = unit.name;
  const pick = make("button", "pick mono", unit.name);
  pick.dataset.focus = `pick ${unit.site}`;
  pick.title = `show ${unit.site} in all states`;
  pick.setAttribute("aria-label", `look at ${data.noun} ${unit.name} in all states`);
  pick.setAttribute("aria-pressed", String(unit.picked));
  pick.onclick = () => send("picked", unit.picked ? data.site : unit.site);
  const [cell, bars, act] = [make("td"), make("td", "bars"), make("td")];
  cell.append(pick);
  const shown = unit.values[data.sorted_by];
  const bar = make("span", shown < 0 ? "bar negative" : "bar");
  bar.style.width = `${(100 * Math.abs(shown)) / longest}%`;
  bars.append(bar);
  if (data.action) {
    const button = make("button", "act", data.action);
    button.dataset.focus = `act ${unit.site}`;
    button.title = unit.acted ? `undo the edit of ${unit.site}` : `${data.action} ${unit.site}`;
    button.setAttribute("aria-label", `${data.action} ${unit.site}`);
    button.setAttribute("aria-pressed", String(unit.acted));
    button.onclick = () => send("acted", unit.site);
    act.append(button);
  }
  tr.append(cell, bars, ...unit.values.map((value) => make("td", "value mono", number(value))), act);
  return tr;
}

export function draw(root, data, send) {
  const focused = root.querySelector(":focus")?.dataset.focus;
  const longest = Math.max(...data.units.map((unit) => Math.abs(unit.values[data.sorted_by])), 1e-9);
  const table = make("table");
  table.setAttribute("aria-label", `${data.noun}s in their order`);
  const head = make("tr");
  const names = data.groups.map((name, index) => make("th", "value", index === data.sorted_by && data.is_sorted ? `${name} ↓` : name));
  head.append(make("th", "", data.noun), make("th", "", data.groups[data.sorted_by]), ...names, make("td"));
  for (const th of head.querySelectorAll("th")) th.scope = "col";
  const [thead, tbody] = [make("thead"), make("tbody")];
  thead.append(head);
  tbody.append(...data.units.map((unit) => row(data, unit, longest, send)));
  table.append(thead, tbody);
  const rows = () => [[data.noun, ...data.groups], ...data.units.map((unit) => [unit.name, ...unit.values])];
  root.replaceChildren(make("div", "title", data.title), table, downloads(root, "strongest", rows));
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  root.dataset.condition = data.condition;
}
