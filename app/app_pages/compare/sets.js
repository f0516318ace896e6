// Named sets of edits side by side: what the model still gets right under each, with buttons for each.

import { downloads, make, save, share } from "../../client/drawing/dom.js";
import { neverSeen } from "../../client/drawing/marks.js";

const ORDER = "order";
const total = (score) => (score ? score.seen[0] + score.held_out[0] : -1);

function keyOf(entry, key, index) {
  if (key === ORDER) return index;
  if (key === "name") return entry.name.toLowerCase();
  if (key === "all") return total(entry.whole);
  if (key === "seen" || key === "held_out") return entry.whole ? entry.whole[key][0] : -1;
  return total(entry.answers[key]);
}

function sorted(entries, sort) {
  const key = sort.replace(/^-/, "");
  const sign = sort.startsWith("-") ? -1 : 1;
  const values = entries.map((entry, index) => keyOf(entry, key, index));
  return entries.map((_, index) => index)
    .sort((a, b) => sign * (values[a] < values[b] ? -1 : values[a] > values[b] ? 1 : 0) || a - b)
    .map((index) => entries[index]);
}

const whole = ([a, b], [c, d]) => [a + c, b + d];

// The number of right whole answers; below it, the same by the rules under do if something is forced.
function figure(entry, group, clean) {
  const of = (score) => (group === "all" ? whole(score.seen, score.held_out) : score[group]);
  const td = make("td", "mono");
  if (!entry.whole) { td.textContent = entry.pending ? "…" : "–"; return td; }
  const lost = clean.whole && of(entry.whole)[0] < of(clean.whole)[0] ? " lost" : "";
  td.append(make("span", `figure${group === "held_out" ? " held-out" : ""}${lost}`, share(of(entry.whole))));
  td.dataset.group = group;
  if (entry.whole_do) td.append(make("span", "second quiet", `do ${share(of(entry.whole_do))}`));
  td.title = `${share(of(entry.whole))} whole answers right${clean.whole ? `; unedited ${share(of(clean.whole))}` : ""}`
    + (entry.whole_do ? `; by the rules with the forced outputs set by hand ${share(of(entry.whole_do))}` : "");
  return td;
}

function answer(entry, name, clean) {
  const td = make("td", "mono");
  td.dataset.answer = name;
  if (!entry.whole) { td.textContent = entry.pending ? "…" : "–"; return td; }
  const score = entry.answers[name];
  if (!score) { td.append(make("span", "quiet", "forced")); return td; }
  const lost = (group) => (score[group][0] < clean.answers[name]?.[group][0] ? " lost" : "");
  td.append(make("span", `figure${lost("seen")}`, share(score.seen)), make("span", `second held-out${lost("held_out")}`, `◆ ${share(score.held_out)}`));
  td.title = `${name}: ${share(score.seen)} of the seen states right, ${share(score.held_out)} of the held-out ones`;
  const written = entry.answers_as_written[name];
  if (share(written.seen) !== share(score.seen) || share(written.held_out) !== share(score.held_out)) {
    td.append(make("span", "second as-written", `≈ ${share(written.seen)} ◆ ${share(written.held_out)}`));
    td.title += `; as written ${share(written.seen)} and ${share(written.held_out)}`;
  }
  return td;
}

function actions(root, entry, send) {
  const bar = make("div", "actions");
  const add = (name, text, title, act) => {
    const button = make("button", name, text);
    button.title = title;
    button.setAttribute("aria-label", `${title}: ${entry.name}`);
    button.dataset.focus = `${name} ${entry.name}`;
    button.onclick = act;
    bar.append(button);
    return button;
  };
  add("load", "load", "replace the current edits with this set", () => send("load", entry.name));
  add("add", "add", "add this set to the current edits", () => send("add", entry.name));
  add("rename", "rename", "rename this set", () => {
    const input = make("input", "new-name");
    input.value = entry.name;
    input.dataset.renames = entry.name;
    input.setAttribute("aria-label", `new name of ${entry.name}`);
    const stop = () => bar.replaceWith(actions(root, entry, send));
    input.onkeydown = (event) => {
      if (event.key === "Enter" && input.value !== entry.name) send("rename", entry.name, input.value);
      if (event.key !== "Enter" && event.key !== "Escape") return;
      stop();
      root.querySelector(`[data-focus="${CSS.escape(`rename ${entry.name}`)}"]`)?.focus();
    };
    bar.replaceChildren(input, make("span", "small quiet", "Enter: rename · Esc: cancel"));
    input.select();
  });
  add("file", "JSON", "download as JSON", () => save(`${entry.name.replace(/[^\p{L}\p{N}._ -]+/gu, "_")}.json`, `data:application/json;charset=utf-8,${encodeURIComponent(entry.file)}`));
  add("delete", "delete", "delete this set (you can undo it)", () => send("delete", entry.name));
  return bar;
}

function csvRows(data, entries) {
  const pair = (score, group) => (score ? score[group] : ["", ""]);
  const groups = ["seen", "held_out"];
  return [["set", "interventions", "note", "not_applied",
    ...groups.flatMap((group) => [`${group}_right`, `${group}_states`]), ...groups.map((group) => `${group}_right_under_do`),
    ...data.names.flatMap((name) => groups.map((group) => `${name}_${group}_right`)),
    ...data.names.flatMap((name) => groups.map((group) => `${name}_${group}_right_as_written`))],
  ...entries.map((entry) => [entry.name, entry.interventions.join(";"), entry.note, entry.unfit.map((each) => each.text).join(";"),
    ...groups.flatMap((group) => pair(entry.whole, group)), ...groups.map((group) => pair(entry.whole_do, group)[0]),
    ...data.names.flatMap((name) => groups.map((group) => pair(entry.answers[name], group)[0])),
    ...data.names.flatMap((name) => groups.map((group) => pair(entry.answers_as_written[name], group)[0]))])];
}

// Opens the box for a new name again after a redraw, with what was typed into it.
function reopen(root, { name, value, from, to }) {
  root.querySelector(`[data-focus="${CSS.escape(`rename ${name}`)}"]`)?.click();
  const input = root.querySelector("input.new-name");
  if (!input) return;
  input.value = value;
  input.setSelectionRange(from, to);
}

export function draw(root, data, send) {
  // Rows are measured one by one, and each redraws the table, perhaps while a name is being typed.
  const box = root.querySelector("input.new-name");
  const typed = box && { name: box.dataset.renames, value: box.value, from: box.selectionStart, to: box.selectionEnd };
  const focused = root.querySelector(":focus")?.dataset.focus;
  const act = (what, name, to = "") => send("act", { what, name, to });
  root.dataset.sort ||= ORDER;
  const fixed = data.entries.filter((entry) => entry.fixed);
  const clean = fixed[0];
  const redraw = () => {
    const sort = root.dataset.sort;
    const entries = [...fixed, ...sorted(data.entries.filter((entry) => !entry.fixed), sort)];
    const table = make("table");
    table.setAttribute("aria-label", "named sets");
    const head = make("tr");
    const heads = [["name", "set"], ["all", "all"], ["seen", "seen"], ["held_out", "◆ held out"], ...data.names.map((name) => [name, name])];
    for (const [key, text] of heads) {
      const here = sort.replace(/^-/, "") === key;
      const th = make("th", key === "name" ? "name" : "");
      th.scope = "col";
      th.ariaSort = !here ? "none" : sort.startsWith("-") ? "descending" : "ascending";
      const button = make("button", "", `${text}${here ? (sort.startsWith("-") ? " ↓" : " ↑") : ""}`);
      button.title = `sort by ${text}; the third click restores the order of the file`;
      button.dataset.focus = `sort ${key}`;
      button.onclick = () => {
        root.dataset.sort = sort === key ? `-${key}` : sort === `-${key}` ? ORDER : key;
        redraw();
        root.querySelector(`[data-focus="sort ${key}"]`).focus();
      };
      th.append(button);
      head.append(th);
    }
    const header = make("thead");
    header.append(head);
    const body = make("tbody");
    for (const entry of entries) {
      const tr = make("tr", entry.fixed ? "fixed" : "");
      tr.dataset.name = entry.name;
      const th = make("th", "name");
      th.scope = "row";
      const top = make("div", "head");
      top.append(make("span", "title", entry.name), ...(entry.fixed ? [] : [actions(root, entry, act)]));
      th.append(top);
      if (entry.note) th.append(make("span", "note quiet", entry.note));
      if (entry.interventions.length) th.append(make("span", "what mono quiet", entry.interventions.join("; ")));
      for (const each of entry.unfit) th.append(make("span", "unfit", `⊘ ${each.text}: ${each.why}`));
      tr.append(th, ...["all", "seen", "held_out"].map((group) => figure(entry, group, clean)), ...data.names.map((name) => answer(entry, name, clean)));
      body.append(tr);
    }
    table.append(header, body);
    const legend = make("div", "legend small quiet", "right states: whole answer, then each answer; seen in training and ◆ held out"
      + (data.predictor ? ` (predictor: ${share(data.predictor)})` : "")
      + " · underlined: fewer right than unedited"
      + (data.entries.some((entry) => entry.whole_do) ? " · do: by the rules with the forced outputs set by hand" : "")
      + " · ≈: right as written (given the text before the answer), where that differs");
    legend.append(...neverSeen(data.never_seen));
    root.replaceChildren(table, legend, downloads(root, "named sets", () => csvRows(data, entries)));
  };
  redraw();
  if (typed) reopen(root, typed);
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  root.dataset.pending = String(data.entries.some((entry) => entry.pending));
  root.dataset.names = data.entries.filter((entry) => !entry.fixed).map((entry) => entry.name).join(";");
  root.dataset.condition = data.condition;
}
