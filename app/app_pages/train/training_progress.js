// The progress of a training: loss and learning rate, and the accuracy of each output, by step.
// Only paths and texts change: updates are frequent, and the training beside it needs all cores.

import { asCsv, make, percent, save } from "../../client/drawing/dom.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 1000; // units of every picture, whatever its width on the screen; heights are in pixels
const PAGE = 10;
const TICK = 5; // pixels
const SPREAD = { loss: 6, output: 2 }; // approximate number of labels on the step axis
const HEIGHT = { loss: 168, output: 72 };
const ROUND = [1, 2, 5, 10];
const MOST = 7; // labels on the loss axis, at most

const FORMAT = new Intl.NumberFormat("en");
const thousands = (step) => FORMAT.format(step);
const isNumber = (value) => typeof value === "number" && Number.isFinite(value);
const brief = (value) => (isNumber(value) ? String(Number(value.toPrecision(3))) : "–");

function write(node, text) {
  if (node.textContent !== text) node.textContent = text;
}

// The last value is remembered: reading a path back is slower than comparing it.
function set(node, name, value) {
  node.given ??= {};
  if (node.given[name] === value) return;
  node.given[name] = value;
  node.setAttribute(name, value);
}

// The round number nearest to a value: 1, 2 or 5 times a power of ten.
function round(value, up) {
  const power = 10 ** Math.floor(Math.log10(value));
  const factors = ROUND.map((factor) => factor * power);
  const near = 1e-9 * value;
  return up ? factors.find((each) => each >= value - near) : factors.findLast((each) => each <= value + near);
}

// The range of the loss axis, and its labels.
function lossAxis(points) {
  let [low, high] = [Infinity, 0];
  for (const [, value] of points) {
    if (!isNumber(value) || value <= 0) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (!high) [low, high] = [0.1, 1];
  [low, high] = [round(low, false), round(high, true)];
  if (low === high) high = round(high * 1.5, true);
  const powers = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) powers.push(power);
  const labelled = [[1, 2, 5], [1, 3], [1]].map((factors) => powers.flatMap((power) => factors.map((factor) => Number(`${factor}e${power}`)))
    .filter((tick) => tick >= low * 0.999 && tick <= high * 1.001));
  const ticks = labelled.find((each) => each.length <= MOST) ?? labelled.at(-1);
  const place = (value) => Math.log(Math.max(value, low) / low) / Math.log(high / low);
  return { ticks: ticks.map((tick) => [place(tick), String(tick)]), place };
}

function rateAxis(points) {
  const largest = Math.max(0, ...points.map(([, value]) => value).filter(isNumber));
  const high = largest ? round(largest, true) : 1;
  return { ticks: largest ? [0, high / 2, high].map((tick) => [tick / high, brief(tick)]) : [], place: (value) => value / high };
}

const shareAxis = { ticks: [[0, "0%"], [0.5, "50%"], [1, "100%"]], place: (value) => value };

function stepTicks(last, about) {
  const every = Math.max(1, round(last / about, true));
  const ticks = [];
  for (let step = 0; step < last - 0.6 * every; step += every) ticks.push(step);
  return [...ticks, last];
}

// The point next to a step; points are in the order of their steps.
function nearest(points, step) {
  let [low, high] = [0, points.length - 1];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (points[middle][0] < step) low = middle + 1;
    else high = middle;
  }
  return low > 0 && step - points[low - 1][0] < points[low][0] - step ? low - 1 : low;
}

const unite = (...series) => [...new Set(series.flatMap((points) => points.map(([step]) => step)))].sort((a, b) => a - b);

// One picture with its name, a line that describes it, and its axes. `kinds` names its lines.
function chart(kind, kinds) {
  const height = HEIGHT[kind];
  const root = make("div", `chart ${kind}`);
  const [name, said, frame] = [make("div", "name"), make("div", "said"), make("div", "frame")];
  frame.tabIndex = 0;
  frame.setAttribute("role", "slider");
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `0 0 ${WIDTH} ${height}`);
  svg.setAttribute("preserveAspectRatio", "none");
  svg.setAttribute("aria-hidden", "true");
  const path = (className) => {
    const made = document.createElementNS(SVG, "path");
    made.setAttribute("class", className);
    svg.append(made);
    return made;
  };
  const [rules, marks, cursor] = ["rules", "marks", "cursor"].map(path);
  const lines = Object.fromEntries(kinds.map((each) => [each, path(`line ${each}`)]));
  const dots = Object.fromEntries(kinds.map((each) => [each, path(`dot ${each}`)]));
  const labels = ["left", "right", "below"].map((side) => make("div", `labels ${side} mono quiet`));
  for (const each of labels) each.setAttribute("aria-hidden", "true");
  frame.append(svg, ...labels);
  root.append(name, said, frame);
  return { kind, root, name, said, frame, svg, rules, marks, cursor, lines, dots, labels, height };
}

// Labels of an axis, at fractions of its length.
function label(box, ticks, side) {
  const signature = ticks.join(";");
  if (box.drawn === signature) return;
  box.drawn = signature;
  box.replaceChildren(...ticks.map(([at, text]) => {
    const made = make("span", at <= 0 ? "lowest" : at >= 1 ? "highest" : "", text);
    made.style[side] = `${(100 * at).toFixed(2)}%`;
    return made;
  }));
}

function drawChart(made, axes, series, last, marks) {
  const x = (step) => Math.round((10 * WIDTH * step) / last) / 10;
  const y = (place) => Math.round(10 * (1 - place) * made.height) / 10;
  made.at = {};
  for (const [kind, points] of Object.entries(series)) {
    const place = (value) => y(axes[kind].place(value));
    let d = "";
    let pen = "M";
    for (const [step, value] of points) {
      if (!isNumber(value)) { pen = "M"; continue; }
      d += `${pen}${x(step)} ${place(value)}`;
      pen = "L";
    }
    set(made.lines[kind], "d", d);
    made.at[kind] = { points, x, place };
  }
  const [left, right] = [Object.values(axes)[0], axes.rate];
  set(made.rules, "d", [0, ...left.ticks.map(([at]) => at).filter(Boolean)].map((at) => `M0 ${y(at)}H${WIDTH}`).join(""));
  set(made.marks, "d", marks.map((step) => `M${x(step)} ${made.height}v${TICK}`).join(""));
  label(made.labels[0], left.ticks, "bottom");
  if (right) label(made.labels[1], right.ticks, "bottom");
  label(made.labels[2], stepTicks(last, SPREAD[made.kind]).map((step) => [step / last, thousands(step)]), "left");
  made.last = last;
}

// The point of each line nearest to a step, or its last.
function read(made, step) {
  return Object.fromEntries(Object.entries(made.at).map(([kind, { points }]) => {
    const index = step === null ? points.findLastIndex(([, value]) => isNumber(value)) : points.length ? nearest(points, step) : -1;
    return [kind, points[index] ?? null];
  }));
}

function wording(made, found, step) {
  const value = (kind) => found[kind]?.[1];
  const own = Object.values(found).filter(Boolean).map(([at]) => at);
  // The steps of one picture may lie between those of another.
  const at = step === null || !own.length ? "" : `step ${thousands(own.reduce((best, each) => (Math.abs(each - step) < Math.abs(best - step) ? each : best)))}: `;
  if (made.kind === "loss") {
    if (!own.length) return "no steps yet";
    return `${at}loss ${brief(value("loss"))}${isNumber(value("loss")) ? " nats" : ""}, learning rate ${brief(value("rate"))}`;
  }
  if (!own.length) return "not evaluated yet";
  const part = (kind, text) => (found[kind] ? [`${text} ${isNumber(value(kind)) ? percent(value(kind)) : "–"}`] : []);
  return at + [...part("seen", "seen"), ...part("held", "held out")].join(", ");
}

// Reads a picture at a step, or at its end; pointing into one picture reads them all.
function point(made, step) {
  const found = read(made, step);
  const own = Object.entries(found).filter(([, each]) => each);
  for (const kind of Object.keys(made.dots)) {
    const each = found[kind];
    const { x, place } = made.at[kind] ?? {};
    set(made.dots[kind], "d", each && isNumber(each[1]) ? `M${x(each[0])} ${place(each[1])}h0` : "");
  }
  const at = step !== null && own.length ? made.at[own[0][0]].x(own[0][1][0]) : null;
  set(made.cursor, "d", at === null ? "" : `M${at} 0V${made.height}`);
  const text = wording(made, found, step);
  write(made.said, text);
  const now = step ?? own[0]?.[1][0] ?? 0;
  set(made.frame, "aria-valuemax", String(made.last));
  set(made.frame, "aria-valuenow", String(now));
  set(made.frame, "aria-valuetext", step === null && own.length ? `step ${thousands(now)}: ${text}` : text);
}

function pointAll(root) {
  for (const made of [root.made.loss, ...root.made.outputs]) point(made, root.cursor ?? null);
}

function listen(root, made) {
  const { frame, svg } = made;
  const steps = () => unite(...Object.values(made.at).map(({ points }) => points));
  const go = (step) => { root.cursor = step; pointAll(root); };
  frame.setAttribute("aria-valuemin", "0");
  frame.onpointermove = (event) => {
    const all = steps();
    if (!all.length) return;
    const box = svg.getBoundingClientRect();
    const step = ((event.clientX - box.left) / box.width) * made.last;
    const next = all[nearest(all.map((each) => [each]), step)];
    if (next !== root.cursor) go(next);
  };
  frame.onpointerleave = () => go(null);
  frame.onblur = () => go(null);
  frame.onkeydown = (event) => {
    const all = steps();
    const moves = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1, PageDown: -PAGE, PageUp: PAGE, Home: -all.length, End: all.length };
    if (event.key === "Escape" && root.cursor !== null) go(null);
    else if (event.key in moves && all.length) {
      const here = root.cursor === null || root.cursor === undefined ? all.length - 1 : nearest(all.map((each) => [each]), root.cursor);
      go(all[Math.min(all.length - 1, Math.max(0, here + moves[event.key]))]);
    } else return;
    event.preventDefault();
  };
}

function csvRows(data) {
  const series = [["loss", data.loss], ["learning_rate", data.rate],
    ...data.outputs.flatMap(({ name, seen, held_out: held }) => [[`${name}_seen`, seen], ...(held ? [[`${name}_held_out`, held]] : [])])];
  const values = series.map(([, points]) => new Map(points));
  return [["step", ...series.map(([name]) => name)],
    ...unite(...series.map(([, points]) => points)).map((step) => [step, ...values.map((of) => of.get(step) ?? "")])];
}

// A short piece of a line, for the legend.
function sample(kind, text) {
  const entry = make("span", "entry");
  const svg = document.createElementNS(SVG, "svg");
  const wide = kind === "marks" ? 6 : 26;
  svg.setAttribute("viewBox", `0 0 ${wide} 10`);
  svg.setAttribute("width", String(wide));
  svg.setAttribute("class", "sample");
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("class", kind === "marks" ? "marks" : `line ${kind}`);
  path.setAttribute("d", kind === "marks" ? `M3 2v${TICK}` : "M1 5H25");
  svg.append(path);
  entry.append(svg, text);
  return entry;
}

function build(root) {
  const top = make("div", "top");
  const [title, progress, save_] = [make("div", "title"), make("div", "progress small quiet mono"), make("button", "small save", "Download CSV")];
  save_.title = "loss, learning rate and accuracy by step, as a table";
  save_.onclick = () => {
    const { data } = root.made;
    save(`${data.title.replace(/[^\p{L}\p{N}._ -]+/gu, "_")}.csv`, `data:text/csv;charset=utf-8,${encodeURIComponent(asCsv(csvRows(data)))}`);
  };
  top.append(title, progress, save_);
  const loss = chart("loss", ["rate", "loss"]);
  const legend = make("div", "legend small quiet");
  loss.name.append("loss");
  legend.append(sample("loss", "loss, nats, logarithmic, left"), sample("rate", "learning rate, right"), sample("marks", "snapshot"));
  loss.root.insertBefore(legend, loss.said);
  const [heading, grid] = [make("div", "heading"), make("div", "grid")];
  const meaning = make("div", "legend small quiet");
  const held = sample("held", "held out of training");
  meaning.append(sample("seen", "seen in training"), held);
  heading.append(make("div", "name", "share of states right"), meaning);
  root.replaceChildren(top, loss.root, heading, grid);
  root.made = { title, progress, loss, heading, held, grid, outputs: [], names: null };
  loss.frame.setAttribute("aria-label", "loss and learning rate by step");
  listen(root, loss);
}

function buildOutputs(root, names) {
  root.made.names = names.join("\n");
  root.made.outputs = names.map((name) => {
    const made = chart("output", ["seen", "held"]);
    made.name.textContent = name;
    made.name.title = name;
    made.frame.setAttribute("aria-label", `${name}: share of the states right, by step`);
    listen(root, made);
    return made;
  });
  root.made.grid.replaceChildren(...root.made.outputs.map((made) => made.root));
}

export function draw(root, data) {
  if (!root.made) build(root);
  const names = data.outputs.map(({ name }) => name);
  if (root.made.names !== names.join("\n")) buildOutputs(root, names);
  root.made.data = data;
  const last = Math.max(data.last, data.step, 1);
  write(root.made.title, data.title);
  write(root.made.progress, `step ${thousands(data.step)} of ${thousands(data.total)}`);
  root.made.heading.hidden = !names.length;
  root.made.held.hidden = data.outputs.every(({ held_out: held }) => !held);
  drawChart(root.made.loss, { loss: lossAxis(data.loss), rate: rateAxis(data.rate) }, { loss: data.loss, rate: data.rate }, last, data.marks);
  data.outputs.forEach(({ seen, held_out: held }, index) => {
    drawChart(root.made.outputs[index], { seen: shareAxis, held: shareAxis }, { seen, held: held ?? [] }, last, data.marks);
  });
  pointAll(root);
}
