// All states, compactly: which are held out of training, and what the model writes in each while it trains.
// Only changes are drawn: updates are frequent, and the training beside it needs all cores.

import { make, share } from "./dom.js";
import { inWords, JUDGEMENTS, neverSeen } from "./marks.js";

const GAP = 20; // pixels between two tables
const MOST = 4; // tables side by side
const FEWEST = 16; // lines per table, if there are several tables
const PAGE = 8;
const LONGEST = 8; // characters shown of a name or a token

// A visible form of a token: anything but words and numbers is quoted.
const shown = (token) => (token === "\n" ? "⏎" : /^[^\p{L}\p{N}⏎]*$/u.test(token) ? `“${token}”` : token);

const isQuoted = (token) => shown(token).startsWith("“");

const widthOf = (texts) => Math.min(LONGEST, Math.max(...texts.map((text) => String(text).length)));

// Width in characters of every input, and of every output with room for its mark.
function widths(data) {
  const { inputs, outputs, states } = data;
  return {
    inputs: inputs.map((name, i) => widthOf([name, ...states.map((state) => shown(state.values[i]))])).map((wide) => (wide > 1 ? wide + 1.4 : 1.6)),
    outputs: outputs.map((name, i) => Math.max(3.8, 0.85 * widthOf([name]) + 1, widthOf(states.map((state) => shown(state.truth[i]))) + 2)),
  };
}

function values(texts, wide) {
  return texts.map((text, i) => {
    const value = make("span", "value", text);
    value.style.width = `${wide[i]}ch`;
    return value;
  });
}

// Each row is laid out by itself, and only when visible. That hides the table from screen readers, hence the roles.
function part(tag, role, className) {
  const made = make(tag, className);
  made.setAttribute("role", role);
  return made;
}

function table(data, wide, label) {
  const made = part("table", "table", "mono");
  made.setAttribute("aria-label", label);
  const state = wide.inputs.reduce((sum, width) => sum + width, 2.6);
  made.style.setProperty("--columns", [state, ...wide.outputs].map((width) => `${width}ch`).join(" "));
  const head = part("tr", "row");
  const corner = part("th", "columnheader", "state");
  corner.append(make("span", "mark"), ...values(data.inputs, wide.inputs));
  head.append(corner, ...data.outputs.map((name) => {
    const th = part("th", "columnheader");
    th.title = name;
    th.append(make("span", "", name));
    return th;
  }));
  const header = part("thead", "rowgroup");
  header.append(head);
  made.append(header, part("tbody", "rowgroup"));
  return made;
}

function line(data, state, wide) {
  const tr = part("tr", "row");
  const th = part("th", "rowheader", "state");
  const button = make("button");
  button.tabIndex = -1;
  const mark = make("span", "mark");
  button.append(mark, ...values(state.values.map(shown), wide.inputs));
  th.append(button);
  const cells = state.truth.map(() => part("td", "cell"));
  // Each has a text node that is updated later: cheaper than a new one.
  for (const td of cells) td.append("");
  tr.append(th, ...cells);
  return { tr, button, mark, cells, drawn: [], held: null, editable: null };
}

// As many tables side by side as the width allows.
function arrange(root) {
  const { lines, tables, box } = root.made;
  const parts = Math.max(1, Math.min(tables.length, Math.floor((box.clientWidth + GAP) / (tables[0].offsetWidth + GAP))));
  if (parts === root.made.parts) return;
  root.made.parts = parts;
  const length = Math.ceil(lines.length / parts);
  const focused = root.querySelector("button:focus");
  tables.forEach((each, index) => {
    each.hidden = index >= parts;
    each.tBodies[0].replaceChildren(...(each.hidden ? [] : lines.slice(index * length, (index + 1) * length).map(({ tr }) => tr)));
  });
  focused?.focus({ preventScroll: true });
}

function listen(root, box) {
  const found = (event) => root.made.lines.findIndex(({ tr }) => tr === event.target.closest("tbody tr"));
  const stand = (index) => {
    const { lines } = root.made;
    lines[root.made.cursor].button.tabIndex = -1;
    root.made.cursor = index;
    lines[index].button.tabIndex = 0;
  };
  box.onclick = (event) => {
    const index = found(event);
    if (index < 0 || !root.made.data.editable) return;
    stand(index);
    root.made.send(root.made.data.states[index].state);
  };
  box.addEventListener("focusin", (event) => { if (found(event) >= 0) stand(found(event)); });
  box.onkeydown = (event) => {
    const { lines, cursor } = root.made;
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE, Home: -lines.length, End: lines.length };
    if (!(event.key in steps) || found(event) < 0) return;
    event.preventDefault();
    stand(Math.min(lines.length - 1, Math.max(0, cursor + steps[event.key])));
    lines[root.made.cursor].button.focus();
  };
  // The full title of a cell is made when the pointer is on it.
  box.onmouseover = (event) => {
    const td = event.target.closest("td");
    const index = td ? found(event) : -1;
    if (index < 0) return;
    const { data } = root.made;
    const output = root.made.lines[index].cells.indexOf(td);
    const written = data.written?.[index]?.[output];
    const judged = data.judged?.[index]?.[output];
    const truth = shown(data.states[index].truth[output]);
    td.title = `${data.states[index].state}: ${data.outputs[output]} is ${truth} by the rules`
      + (written === undefined || written === null ? "" : `, the model writes ${shown(written)}: ${inWords(judged)}`);
  };
}

function build(root, data) {
  const wide = widths(data);
  const most = Math.max(1, Math.min(MOST, Math.ceil(data.states.length / FEWEST)));
  const tables = Array.from({ length: most }, (_, index) => table(data, wide, index ? `states, part ${index + 1}` : "states"));
  const lines = data.states.map((state) => line(data, state, wide));
  lines[0].button.tabIndex = 0;
  const box = make("div", "box");
  box.style.gap = `${GAP}px`;
  box.append(...tables);
  const [head, legend] = [make("div", "head"), make("div", "legend small quiet")];
  const [caption, tally] = [make("div", "caption small quiet"), make("div", "tally small")];
  head.append(caption, tally);
  const sample = (className, text, meaning, mark) => {
    const [entry, token] = [make("span", "entry"), make("span", `${className} mono`, text)];
    if (mark) token.dataset.mark = mark;
    entry.append(token, ` ${meaning}`);
    return entry;
  };
  const seen = make("div", "said");
  const hint = make("span", "entry hint");
  legend.append(sample("sample truth", "1", "by the rules, nothing written yet"), sample("sample right", "1", "right"),
    sample("sample as-written", "0", "right as written", "≈"), sample("sample by-rules", "1", "right by the rules alone", "†"),
    sample("sample wrong", "0", "wrong both ways", "✗"), sample("held-out", "◆", "held out of training"), hint);
  root.watcher?.disconnect();
  root.replaceChildren(head, box, legend, seen);
  root.made = { tables, lines, box, caption, tally, hint, seen, cursor: 0, parts: null };
  listen(root, box);
  arrange(root);
  root.watcher = new ResizeObserver(() => arrange(root));
  root.watcher.observe(box);
}

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

function fill(one, state, written, judged, editable) {
  if (one.held !== state.held) {
    one.held = state.held;
    one.tr.classList.toggle("held", state.held);
    one.mark.textContent = state.held ? "◆" : "";
    one.button.setAttribute("aria-pressed", String(state.held));
    one.button.setAttribute("aria-label", `${state.state}, ${state.held ? "held out of training" : "in training"}`);
  }
  if (one.editable !== editable) {
    one.editable = editable;
    one.button.setAttribute("aria-disabled", String(!editable));
  }
  for (let index = 0; index < state.truth.length; index++) {
    const token = written?.[index] ?? null;
    const { kind, mark } = token === null ? { kind: "truth", mark: "" } : JUDGEMENTS[judged[index]];
    const drawn = `${kind}${token ?? state.truth[index]}`;
    if (one.drawn[index] === drawn) continue;
    one.drawn[index] = drawn;
    const td = one.cells[index];
    td.className = isQuoted(token ?? state.truth[index]) ? `${kind} quoted` : kind;
    if (mark) td.dataset.mark = mark;
    else delete td.dataset.mark;
    td.firstChild.data = shown(token ?? state.truth[index]);
  }
}

// How many states are held out and, once there is a board, in how many the whole answer is right.
function tallyOf(data) {
  const held = data.states.filter((state) => state.held).length;
  if (!data.written) return `◆ ${held} of ${data.states.length} held out`;
  const count = { seen: [0, 0], held: [0, 0] };
  data.states.forEach((state, index) => {
    const group = count[state.held ? "held" : "seen"];
    group[0] += Number(state.truth.every((truth, output) => data.written[index]?.[output] === truth));
    group[1] += 1;
  });
  return `whole answer right: seen ${share(count.seen)}${held ? ` · ◆ held out ${share(count.held)}${data.predictor ? ` (predictor ${share(data.predictor)})` : ""}` : ""}`;
}

export function draw(root, data, send) {
  const signature = JSON.stringify([data.inputs, data.outputs, data.states.map(({ state, values: of }) => [state, of])]);
  if (root.signature !== signature) {
    build(root, data);
    root.signature = signature;
  }
  const { lines, caption, tally, hint, seen } = root.made;
  root.made.data = data;
  root.made.send = (state) => send("toggle", state);
  data.states.forEach((state, index) => fill(lines[index], state, data.written?.[index], data.judged?.[index], data.editable));
  root.classList.toggle("editable", data.editable);
  root.classList.toggle("writing", Boolean(data.written));
  root.classList.toggle("bare", Boolean(data.bare));
  root.classList.toggle("stale", Boolean(data.stale));
  write(caption, data.caption);
  write(tally, tallyOf(data));
  const [said] = neverSeen(data.never_seen);
  if (seen.textContent !== (said?.textContent ?? "")) seen.replaceChildren(...(said ? [said] : []));
  write(hint, data.editable ? "click a state to hold it out or take it back in" : "");
}
