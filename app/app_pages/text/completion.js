// How models continue a text, token by token, one line per model; and the probability of every other token.

import { downloads, find, findAll, fitTokens, make, nameHead, percent } from "../../client/drawing/dom.js";
import { JUDGEMENTS, MARKS_SAID, markToken, neverSeen, sayJudgement } from "../../client/drawing/marks.js";

const nameOf = (data, index) => data.slots[index].name || `position ${index}`;
const rounded = (chance) => Number(chance.toFixed(6));
const kindOf = (line) => (line.edited ? "edited" : "baseline");

function cell(data, line, index, row, select) {
  const slot = data.slots[index];
  const td = make("td", [slot.given ? "given" : "", slot.name ? (slot.given ? "" : "answer") : "separator"].filter(Boolean).join(" "));
  if (index === data.given) td.classList.add("first-written");
  const token = make("button", "cell mono", data.shown[line.tokens[index]]);
  if (line.judged) markToken(token, line.judged[index]);
  const changed = line.before !== null && line.before[index] !== line.tokens[index];
  if (changed) token.classList.add("changed");
  const chance = line.chances[index][line.tokens[index]];
  td.title = `${nameOf(data, index)}: ${slot.given ? "was given" : "wrote"} ${data.shown[line.tokens[index]]}`
    + (changed ? ` (baseline ${data.shown[line.before[index]]})` : "")
    + `, probability ${chance.toFixed(4)}`
    + (line.judged && JUDGEMENTS[line.judged[index]].word !== "given" ? `; ${sayJudgement(line.judged[index], data.shown[data.truth[index]], data.shown[line.as_written[index]] ?? null)}` : "");
  token.setAttribute("aria-label", `${line.model}, ${kindOf(line)}, ${td.title}`);
  token.dataset.index = index;
  token.dataset.row = row;
  token.onclick = () => select(index, row);
  td.append(token, make("span", "sure mono quiet", index ? percent(chance) : "\u00a0"));
  return td;
}

function heading(data, line) {
  const th = make("th", "row", line.model);
  th.scope = "row";
  if (data.edited) th.append(make("span", "kind quiet", kindOf(line)));
  return th;
}

// Each model's probability of every token at one position, given its own text before it.
function panel(data, index, choose) {
  const box = make("div", "panel");
  box.append(make("h3", "", `At ${nameOf(data, index)}: the probability of every token`));
  const table = make("table");
  table.setAttribute("aria-label", `probabilities at ${nameOf(data, index)}`);
  const head = make("tr");
  head.append(make("td"));
  data.shown.forEach((token, id) => {
    const th = make("th", "");
    th.scope = "col";
    const [rules, under] = [data.truth, data.truth_do].map((ids) => ids?.[index] === id);
    th.append(make("span", "token", token), make("span", "said quiet", rules && (under || !data.truth_do) ? "✓ right" : rules ? "the rules" : under ? "under do" : ""));
    head.append(th);
  });
  const last = make("th", "wide");
  last.scope = "col";
  last.append(make("span", "said quiet", "the text up to here"));
  head.append(last);
  table.append(head);
  data.lines.forEach((line, row) => {
    const tr = make("tr");
    tr.append(heading(data, line));
    line.chances[index].forEach((chance, id) => {
      const chosen = line.tokens[index] === id;
      const button = make("button", `chance${chosen ? " chosen" : ""}${chance < 0.0005 ? " quiet" : ""}`, percent(chance));
      button.style.background = `linear-gradient(to right, color-mix(in srgb, var(--st-primary-color) 30%, transparent) ${100 * chance}%, transparent 0)`;
      button.title = `continue from ${data.shown[id]} at ${nameOf(data, index)}, after what ${line.model} wrote before it; probability ${chance.toFixed(6)}`;
      button.setAttribute("aria-label", `${line.model}, ${kindOf(line)}: ${data.shown[id]}, ${percent(chance)}; continue from it`);
      button.dataset.focus = `chance ${row} ${id}`;
      button.onclick = () => choose([...line.tokens.slice(0, index), id]);
      const td = make("td");
      td.append(button);
      tr.append(td);
    });
    const take = make("button", "take", "take it");
    take.title = `continue from what ${line.model} (${kindOf(line)}) wrote up to here`;
    take.setAttribute("aria-label", take.title);
    take.dataset.focus = `take ${row}`;
    take.onclick = () => choose(line.tokens.slice(0, index + 1));
    const td = make("td", "wide");
    td.append(take);
    tr.append(td);
    table.append(tr);
  });
  if (data.truth) {
    const tr = make("tr");
    const th = make("th", "row", data.truth_do ? "under do" : "the rules");
    th.scope = "row";
    const wide = make("td", "wide");
    const take = make("button", "take", "take it");
    take.title = "continue from the right text up to here";
    take.setAttribute("aria-label", take.title);
    take.dataset.focus = "take rules";
    take.onclick = () => choose((data.truth_do ?? data.truth).slice(0, index + 1));
    wide.append(take);
    const right = make("td", "small quiet", data.truth_do ? "the rules with the forced outputs set by hand" : "what is right");
    right.colSpan = data.shown.length;
    tr.append(th, right, wide);
    table.append(tr);
  }
  box.append(table);
  return box;
}

function csvRows(data) {
  return [["model", "condition", "position", "name", "given", "token", "judgement", "probability", "rules", "rules_under_do", ...data.shown.map((token) => `p(${token})`)],
    ...data.lines.flatMap((line) => data.slots.map((slot, index) => [line.model, kindOf(line), index, slot.name, slot.given,
      data.shown[line.tokens[index]], line.judged ? JUDGEMENTS[line.judged[index]].word : "", rounded(line.chances[index][line.tokens[index]]),
      data.truth ? data.shown[data.truth[index]] : "", data.truth_do ? data.shown[data.truth_do[index]] : "", ...[...line.chances[index]].map(rounded)]))];
}

export function draw(root, data, send) {
  const held = root.querySelector(":focus")?.dataset;
  const kept = held && { focus: held.focus, row: held.row };
  if (root.dataset.text !== data.text) root.at = null;
  // By default the next position with a name: models are seldom unsure about separators.
  const next = data.slots.findIndex((slot, index) => index >= data.given && slot.name);
  const at = () => root.at ?? (next < 0 ? data.slots.length - 1 : next);
  const choose = (ids) => send("text", [...ids].map((id) => data.tokens[id]).join(""));
  const place = make("div");
  const table = make("table", "strip-table");
  fitTokens(table, data.slots.length);
  table.setAttribute("aria-label", "how the models continue");

  const mark = () => {
    for (const each of findAll(table, "button.cell")) {
      each.setAttribute("aria-pressed", String(Number(each.dataset.index) === at()));
      each.tabIndex = Number(each.dataset.index) === at() ? 0 : -1;
    }
    for (const each of findAll(table, "[data-slot]")) each.classList.toggle("at", Number(each.dataset.slot) === at());
    place.replaceChildren(panel(data, at(), choose));
  };
  const select = (index) => { root.at = index; mark(); };
  table.onkeydown = (event) => {
    const { index, row } = /** @type {HTMLElement} */ (event.target).dataset;
    const [dx, dy] = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key] ?? [0, 0];
    const other = index && (dx || dy) && find(table, `button.cell[data-index="${Number(index) + dx}"][data-row="${Number(row) + dy}"]`);
    if (!other) return;
    event.preventDefault();
    select(Number(other.dataset.index));
    other.focus();
  };

  const names = make("tr");
  const corner = make("th", "row", "token");
  names.append(corner, ...data.slots.map((slot, index) => {
    const th = nameHead(slot, index === data.given ? " first-written" : "");
    th.dataset.slot = index;
    return th;
  }));
  const lines = data.lines.map((line, row) => {
    const tr = make("tr");
    tr.dataset.row = `${line.model} ${kindOf(line)}`;
    tr.append(heading(data, line), ...data.slots.map((_, index) => cell(data, line, index, row, select)));
    return tr;
  });
  const rules = [[data.truth, "the rules", "rules"], [data.truth_do, "under do", "second"]].filter(([ids]) => ids).map(([ids, label, name]) => {
    const tr = make("tr", `truth ${name}`);
    tr.dataset.row = label;
    const th = make("th", "row", label);
    th.scope = "row";
    tr.append(th, ...ids.map((id, index) => {
      const td = make("td", `mono ${id === data.truth[index] ? "quiet" : "other"}`, data.shown[id]);
      td.dataset.slot = index;
      return td;
    }));
    return tr;
  });
  table.append(names, ...lines, ...rules);
  const legend = make("div", "legend small quiet", data.truth ? MARKS_SAID : "");
  legend.append(make("div", "", ["grey: given", "line: from here on the model writes", "percentage: probability of the token",
    ...(data.edited ? ["ring: differs from the baseline"] : []),
    ...(data.set ? [`under do: the rules with ${data.set} set by hand`] : []),
    ...(data.truth ? [] : ["the rules do not apply, because the text does not begin with a state's prompt"])].join(" · ")));
  legend.append(...neverSeen(data.never_seen));
  root.replaceChildren(table, legend, downloads(root, "completion", () => csvRows(data)), place);
  mark();
  if (kept?.focus) root.querySelector(`[data-focus="${CSS.escape(kept.focus)}"]`)?.focus();
  else if (kept?.row) find(table, `button.cell[data-index="${at()}"][data-row="${kept.row}"]`)?.focus();
  root.dataset.text = data.text;
  root.dataset.condition = data.condition;
}
