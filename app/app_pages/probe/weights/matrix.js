// One weight in full. A click changes a number, a drag changes a region, a click on the edge a row or a column.

import { signColours } from "../../../client/drawing/colours.js";
import { downloads, FULL_SCALE, make } from "../../../client/drawing/dom.js";
import { paintSigned } from "../../../client/drawing/pixels.js";

const EDGE = 14;   // pixels of the strips on which a click takes a whole row or column
const BLOCK_GAP = 3;
const MOST = 32;   // pixels per number, at most
const HEIGHT = 360;

function paint(canvas, block, data, values, before, colours) {
  const { rows, columns, largest } = data;
  const start = block * rows * columns;
  const valueAt = (i) => values[start + i] - (before ? before[start + i] : 0);
  paintSigned(canvas, columns, rows, colours, valueAt, (size) => Math.sqrt(Math.min(1, size / largest)));
}

const numbers = (packed, largest) => Float32Array.from(packed, (x) => ((2 * x) / FULL_SCALE - 1) * largest);

// The index of a region of a block, with the axes in the weight's order.
function indexOf(data, region) {
  const range = ([from, to], length) => (to - from >= length ? ":" : to === from + 1 ? `${from}` : `${from}:${to}`);
  const parts = { blocks: `${region.block}`, rows: range(region.rows, data.rows), columns: range(region.columns, data.columns) };
  return data.axes.map((axis) => parts[axis]).join(",");
}

export function draw(root, data, send) {
  const focused = root.querySelector(":focus")?.dataset.focus;
  const old = root.querySelector(".window");
  const same = root.dataset.site === data.site;
  if (!same) { delete root.dataset.difference; root.scale = root.fit = null; root.cursor = { block: 0, row: 0, column: 0 }; }
  const scroll = same && old ? [old.scrollLeft, old.scrollTop] : [0, 0];
  const colours = signColours(root);
  const before = numbers(data.values, data.largest);
  const after = data.edited ? numbers(data.edited, data.largest) : null;
  root.mode ??= "edited";

  const around = EDGE * (data.blocks + 1) + BLOCK_GAP * (data.blocks - 1) + 18;
  // Fixed from then on: an edit must not resize it under the pointer.
  root.fit ??= Math.max(0.5, Math.min((root.clientWidth - around) / (data.blocks * data.columns), MOST));
  const scale = root.scale ?? root.fit;
  // Few rows are drawn taller, which makes them easier to hit.
  const tall = Math.max(scale, Math.min(MOST, HEIGHT / data.rows / (data.rows > 1 ? 1.4 : 8)));

  const window_ = make("div", "window");
  window_.tabIndex = 0;
  window_.dataset.focus = "window";
  window_.setAttribute("role", "application");
  window_.setAttribute("aria-label", `${data.site}: arrows move, Shift with arrows chooses a region, Enter changes it as the click action says, Alt with Enter sets it to zero, H takes the row, V the column`);
  const sheet = make("div", "sheet");
  const blockWidth = data.columns * scale;
  const left = (block) => EDGE + block * (blockWidth + EDGE + BLOCK_GAP);
  sheet.style.width = `${left(data.blocks) - BLOCK_GAP}px`;
  sheet.style.height = `${EDGE + data.rows * tall}px`;
  for (let block = 0; block < data.blocks; block++) {
    const canvas = make("canvas");
    Object.assign(canvas.style, { left: `${left(block)}px`, top: `${EDGE}px`, width: `${blockWidth}px`, height: `${data.rows * tall}px` });
    const differs = root.mode === "difference" && after;
    paint(canvas, block, data, root.mode === "baseline" || !after ? before : after, differs ? before : null, colours);
    const rowEdge = make("div", "edge");
    rowEdge.dataset.edge = `rows ${block}`;
    Object.assign(rowEdge.style, { left: `${left(block) - EDGE}px`, top: `${EDGE}px`, width: `${EDGE - 1}px`, height: `${data.rows * tall}px` });
    const columnEdge = make("div", "edge");
    columnEdge.dataset.edge = `columns ${block}`;
    Object.assign(columnEdge.style, { left: `${left(block)}px`, top: "0", width: `${blockWidth}px`, height: `${EDGE - 1}px` });
    rowEdge.title = "click to change the whole row";
    columnEdge.title = "click to change the whole column";
    sheet.append(canvas, rowEdge, columnEdge);
  }
  const mark = make("div", "chosen");
  sheet.append(mark);
  window_.append(sheet);

  const status = make("div", "status small quiet mono");
  status.setAttribute("aria-live", "polite");
  const say = (block, row, column) => {
    const i = (block * data.rows + row) * data.columns + column;
    const name = `${data.site}[${indexOf(data, { block, rows: [row, row + 1], columns: [column, column + 1] })}]`;
    status.textContent = `${name}: ${before[i].toPrecision(4)}${after ? `  edited ${after[i].toPrecision(4)}` : ""}`;
  };
  const outline = (region) => {
    Object.assign(mark.style, {
      left: `${left(region.block) + region.columns[0] * scale - 2}px`,
      top: `${EDGE + region.rows[0] * tall - 2}px`,
      width: `${(region.columns[1] - region.columns[0]) * scale + 4}px`,
      height: `${(region.rows[1] - region.rows[0]) * tall + 4}px`,
    });
  };
  const act = (region, nuke) => send("act", { index: indexOf(data, region), nuke: Boolean(nuke) });

  // Where the pointer is: a number, or an edge.
  const at = (event) => {
    const box = sheet.getBoundingClientRect();
    const [x, y] = [event.clientX - box.left, event.clientY - box.top];
    const block = Math.min(data.blocks - 1, Math.max(0, Math.floor((x + BLOCK_GAP) / (blockWidth + EDGE + BLOCK_GAP))));
    const clip = (value, length) => Math.min(length - 1, Math.max(0, Math.floor(value)));
    return { block, row: clip((y - EDGE) / tall, data.rows), column: clip((x - left(block)) / scale, data.columns) };
  };
  const between = (one, other) => ({
    block: one.block,
    rows: [Math.min(one.row, other.row), Math.max(one.row, other.row) + 1],
    columns: [Math.min(one.column, other.column), Math.max(one.column, other.column) + 1],
  });
  const whole = (edge, place) => (edge.startsWith("rows")
    ? { block: place.block, rows: [place.row, place.row + 1], columns: [0, data.columns] }
    : { block: place.block, rows: [0, data.rows], columns: [place.column, place.column + 1] });
  let start = null;
  sheet.onpointerdown = (event) => {
    if (event.button) return;
    start = { ...at(event), edge: /** @type {HTMLElement} */ (event.target).dataset.edge };
    sheet.setPointerCapture(event.pointerId);
  };
  sheet.onpointermove = (event) => {
    const place = at(event);
    if (start && !start.edge) {
      const region = between(start, place.block === start.block ? place : start);
      outline(region);
      status.textContent = `${data.site}[${indexOf(data, region)}]: ${(region.rows[1] - region.rows[0]) * (region.columns[1] - region.columns[0])} weights`;
    } else if (!start) say(place.block, place.row, place.column);
  };
  sheet.onpointerup = (event) => {
    if (!start) return;
    const place = at(event);
    const region = start.edge ? whole(start.edge, place) : between(start, place.block === start.block ? place : start);
    root.cursor = { block: region.block, row: region.rows[0], column: region.columns[0] };
    outline(region);
    act(region, event.altKey || root.nuke);
    start = null;
  };
  sheet.onpointercancel = () => { start = null; };

  // The keyboard's cursor, and with Shift the other end of a region.
  const cursor = () => between(root.anchor ?? root.cursor, root.cursor);
  window_.onkeydown = (event) => {
    const steps = { ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1], PageUp: [-8, 0], PageDown: [8, 0], Home: [0, -data.columns], End: [0, data.columns] };
    if (event.key in steps) {
      const [down, right] = steps[event.key];
      if (event.shiftKey) root.anchor ??= { ...root.cursor };
      else root.anchor = null;
      let { block, row, column } = root.cursor;
      row = Math.min(data.rows - 1, Math.max(0, row + down));
      column += right;
      if (!event.shiftKey && column >= data.columns && block < data.blocks - 1 && event.key === "ArrowRight") { block += 1; column = 0; }
      if (!event.shiftKey && column < 0 && block > 0 && event.key === "ArrowLeft") { block -= 1; column = data.columns - 1; }
      root.cursor = { block, row, column: Math.min(data.columns - 1, Math.max(0, column)) };
      outline(cursor());
      mark.scrollIntoView({ block: "nearest", inline: "nearest" });
      say(block, root.cursor.row, root.cursor.column);
    } else if (event.key === "Enter" || event.key === " ") act(cursor(), event.altKey || root.nuke);
    else if (event.key === "h" || event.key === "v") act(whole(event.key === "h" ? "rows" : "columns", root.cursor), event.altKey || root.nuke);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  const bar = make("div", "bar");
  const button = (name, text, title, pressed, go, disabled = false) => {
    const made = make("button", "", text);
    made.disabled = disabled;
    made.title = title;
    made.dataset.focus = name;
    if (pressed !== null) made.setAttribute("aria-pressed", String(pressed));
    made.onclick = () => { go(); draw(root, data, send); };
    bar.append(made);
  };
  button("smaller", "−", "zoom out", null, () => { root.scale = Math.max(root.fit, scale / 2); });
  button("larger", "+", "zoom in", null, () => { root.scale = Math.min(MOST, scale * 2); });
  button("fit", "fit", "fit the whole matrix", null, () => { root.scale = root.fit = null; });
  if (!data.nukes) button("nuke", "nuke instead", "clicks set to zero, whatever the click action (or hold Alt)", Boolean(root.nuke), () => { root.nuke = !root.nuke; });

  // Always there: an edit must not move anything.
  for (const mode of ["baseline", "edited", "difference"]) {
    button(mode, mode, `show the ${mode} weights`, Boolean(after) && root.mode === mode, () => { root.mode = mode; }, !after);
  }
  const spectra = data.singular.filter((line) => line.length);
  const svg = spectra.length ? spectrum(spectra) : "";
  const about = make("div", "about small quiet", data.about);
  // Below the picture, so that nothing moves under the pointer.
  const done = make("div", "small quiet", data.done.length ? `edits here: ${data.done.join(", ")}` : "");
  status.textContent = "Click to change a number, drag to change a region, click the edge to change a row or column; hold Alt to set to zero. Keys: arrows and Enter; H for the row, V for the column.";
  root.replaceChildren(about, bar, window_, status, done);
  if (svg) {
    root.append(make("div", "small quiet", spectra.length > 1 ? "singular values of each part, the largest on the left" : `singular values, from ${spectra[0][0].toPrecision(3)} down`));
    root.insertAdjacentHTML("beforeend", svg);
  }
  root.append(downloads(root, data.site, () => rowsOf(data, before, after)));
  [window_.scrollLeft, window_.scrollTop] = scroll;
  outline(cursor());
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  root.dataset.site = data.site;
  root.dataset.condition = data.condition;
}

function spectrum(lines) {
  const [width, height] = [640, 44];
  const highest = Math.max(...lines.map((line) => line[0]));
  const step = width / Math.max(...lines.map((line) => line.length));
  const bars = lines.flatMap((line, number) => line.map((value, i) => {
    const tall = Math.max(0.6, (height * value) / highest);
    return `<rect x="${(i * step + (number * step * 0.85) / lines.length).toFixed(2)}" y="${(height - tall).toFixed(2)}" width="${((step * 0.8) / lines.length).toFixed(2)}" height="${tall.toFixed(2)}" opacity="${1 - 0.15 * number}"><title>${value}</title></rect>`;
  }));
  return `<svg class="spectrum" viewBox="0 0 ${width} ${height}" preserveAspectRatio="none" role="img" aria-label="singular values">${bars.join("")}</svg>`;
}

function rowsOf(data, before, after) {
  const rows = [["index", "value", ...(after ? ["edited"] : [])]];
  for (let i = 0; i < before.length; i++) {
    const block = Math.floor(i / (data.rows * data.columns));
    const row = Math.floor(i / data.columns) % data.rows;
    const column = i % data.columns;
    rows.push([indexOf(data, { block, rows: [row, row + 1], columns: [column, column + 1] }), before[i], ...(after ? [after[i]] : [])]);
  }
  return rows;
}
