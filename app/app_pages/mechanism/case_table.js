// The cases behind a number; a click on a state shows that state.

import { downloads, escape } from "../../client/drawing/dom.js";

export function draw(root, data, send) {
  const same = root.dataset.what === data.what;
  const focused = same ? root.querySelector("button:focus")?.dataset.focus : null;
  const scroll = same ? root.querySelector(".window")?.scrollTop ?? 0 : 0;
  // Unexpected cases are marked in words, not by colour alone.
  const judged = data.rows.some((row) => row.ok !== null);
  const answer = (row) => (row.ok === null ? "" : row.ok ? "yes" : "no");
  const mark = (row) => (judged ? `<td class="mono">${answer(row)}</td>` : "");
  const cell = (value, column, row) => {
    if (data.columns[column].part) return `<td class="mono"><button data-row="${row}" data-focus="${row} ${column}" title="show the cases behind ${escape(value)}">${escape(value)}</button></td>`;
    if (!data.columns[column].state) return `<td class="mono">${escape(value)}</td>`;
    const held = data.held_out?.includes(value);
    return `<td class="mono"><button data-state="${escape(value)}" data-focus="${row} ${column}" title="show this state${held ? ", held out of training" : ""}">${escape(value)}</button>${held ? ' <span class="held-out" title="held out of training">◆</span>' : ""}</td>`;
  };
  root.innerHTML = `<div class="summary"><strong>${escape(data.title)}.</strong> ${escape(data.summary)}</div>
    <div class="window" tabindex="0" role="region" aria-label="${escape(data.label)}"><table><thead><tr>${data.columns.map((each) => `<th scope="col"${each.title ? ` title="${escape(each.title)}"` : ""}>${escape(each.name)}</th>`).join("")}${judged ? `<th scope="col">${escape(data.judged)}</th>` : ""}</tr></thead>
    <tbody>${data.rows.map((row, r) => `<tr class="${row.ok === false ? "failed" : ""}">${row.cells.map((value, c) => cell(value, c, r)).join("")}${mark(row)}</tr>`).join("")}</tbody></table></div>`;
  root.onclick = (event) => {
    const button = event.target.closest("button[data-state], button[data-row]");
    if (button?.dataset.state) send("state", button.dataset.state);
    else if (button) send("row", Number(button.dataset.row));
  };
  root.append(downloads(root, data.label.replace(/[^\p{L}\p{N}]+/gu, "-"), () => [[...data.columns.map((each) => each.name), ...(judged ? [data.judged] : [])], ...data.rows.map((row) => [...row.cells, ...(judged ? [answer(row)] : [])])]));
  root.querySelector(".window").scrollTop = scroll;
  if (focused) root.querySelector(`[data-focus="${focused}"]`)?.focus({ preventScroll: true });
  root.dataset.what = data.what;
}
