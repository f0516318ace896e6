// A table of all states, one row per state: shared by the board of one model and that of several.

import { downloads, make } from "../drawing/dom.js";
import { MARKS_SAID, markToken, neverSeen, sayJudgement } from "../drawing/marks.js";
import { showFocused } from "../drawing/patch.js";
import { allRows, progress, shortState, showInSight } from "./virtual_table.js";

// The head of a column that sorts the rows when clicked, and reverses the order when clicked again.
// `descending`: the direction of sorting; null if the rows are sorted by another column.
export function sortHead(sort, key, text, title, descending, send) {
  const button = make("button", "", descending === null ? text : `${text} ${descending ? "↓" : "↑"}`);
  button.title = title;
  button.dataset.focus = `sort ${key}`;
  button.onclick = () => send("sort", sort === key ? `-${key}` : key);
  const th = make("th");
  th.scope = "col";
  th.ariaSort = descending === null ? "none" : descending ? "descending" : "ascending";
  th.append(button);
  return th;
}

// The states' indices, sorted by a value; nulls last.
export function orderBy({ states, sort }, value) {
  const sign = sort.startsWith("-") ? -1 : 1;
  const values = states.map((_, row) => value(row));
  return states.map((_, row) => row).sort((a, b) => Number(values[a] === null) - Number(values[b] === null) || sign * (values[a] - values[b]) || a - b);
}

// The board's values for one answer in one state.
export const cellOf = (data, board, row, answer) => ({
  token: data.vocabulary[board.written[row][answer]],
  truth: data.vocabulary[data.truth[row][answer]],
  judged: board.judged[row][answer],
  follows: data.vocabulary[board.truth_as_written[row][answer]] ?? null,
  done: board.truth_do ? data.vocabulary[board.truth_do[row][answer]] : null,
  margin: board.margin[row][answer],
  probability: board.probability[row][answer],
});

// A cell of the table, marked; ringed if it differs from `before`, the cell of the unedited model.
export function answerCell(cell, before, label) {
  const td = make("td", "mono", cell.token);
  td.title = `${label}: wrote ${cell.token}, ${sayJudgement(cell.judged, cell.truth, cell.follows)}`
    + (cell.done === null ? "" : `, ${cell.done} with the forced output set by hand`)
    + `; margin ${cell.margin.toFixed(2)}, probability ${cell.probability.toFixed(4)}`
    + (before ? `; baseline wrote ${before.token}, margin ${before.margin.toFixed(2)}` : "");
  markToken(td, cell.judged);
  if (before && before.token !== cell.token) td.classList.add("changed");
  return td;
}

export const missingCell = () => make("td", "mono quiet missing", "·");

// Adds cells to a row, one for each answer, with a line before the first.
export function addGroup(tr, cells) {
  cells[0].classList.add("edge");
  tr.append(...cells);
}

// A row that so far has only the state, which can be chosen.
export function stateRow(data, row, virtual, send) {
  const [text, heldOut] = [data.states[row], data.held_out[row]];
  const tr = make("tr", heldOut ? "held-out-row" : "");
  if (text === data.chosen) tr.classList.add("chosen");
  const state = make("td", "first");
  const choose = make("button", "mono", virtual ? shortState(text) : text);
  choose.title = virtual ? `show ${text}` : "show this state";
  choose.dataset.focus = `state ${text}`;
  if (heldOut) choose.setAttribute("aria-label", `${text}, held out of training`);
  if (text === data.chosen) choose.setAttribute("aria-current", "true");
  choose.onclick = () => send("state", text);
  state.append(choose);
  tr.append(state, make("td", "mark held-out", heldOut ? "◆" : ""));
  return tr;
}

// Puts a table with its legend on the page; for many states, only the visible rows and how many are known so far.
export function showStates(root, data, { table, boards, order, makeRow, legend, csv }) {
  const [virtual, body] = [Boolean(boards[0].tag), table.tBodies[0]];
  const left = virtual ? progress(boards, data.states.length) : "";
  const below = make("div", "legend small quiet");
  below.append(make("div", "", MARKS_SAID), make("div", "", legend), ...neverSeen(data.never_seen));
  const tools = downloads(root, root.className, csv);
  if (virtual) {
    const focused = root.querySelector("button:focus")?.dataset.focus;
    const { scroller, begin } = showInSight(root, table, body, order, makeRow, data.states.indexOf(data.chosen), data.sort);
    const status = make("div", "progress small quiet", left || allRows(data.states.length));
    status.setAttribute("role", "status");
    root.replaceChildren(scroller, status, below, tools);
    begin();
    if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  } else {
    body.append(...order.map(makeRow));
    showFocused(root, table, below, tools);
  }
  root.dataset.condition = data.condition;
  root.dataset.left = left;
}
