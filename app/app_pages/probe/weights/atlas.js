// How many states break if a row, a column or a single weight is flipped: the darker, the more.

import { rgb } from "../../../client/drawing/colours.js";
import { downloads, make } from "../../../client/drawing/dom.js";
import { paintPixels, partUnder } from "../../../client/drawing/pixels.js";

const UNKNOWN = 255;

// Red where states break; elsewhere violet, by the lost share of the smallest margin.
function shade(canvas, counts, losses, width, height, states, colours) {
  paintPixels(canvas, width, height, (i) => {
    const [x, y] = [i % width, Math.floor(i / width)];
    const count = counts(x, y);
    if (count === UNKNOWN) return [[128, 128, 128], 40 / 255];
    // A single broken state is already visible; beyond that, the square root.
    return count ? [colours.broken, (80 + 175 * Math.sqrt(count / states)) / 255] : [colours.lost, (losses(x, y) * 0.8) / 255];
  });
}

export function draw(root, data, send) {
  const focused = root.querySelector(":focus")?.dataset.focus;
  const scroll = root.querySelector(".map")?.scrollLeft ?? 0;
  const { shape, axes, known, states } = data;
  const length = (by) => (by in axes ? shape[axes[by]] : 1);
  const [blocks, rows, columns] = shape.length === 1 ? [1, 1, shape[0]] : [length("blocks"), length("rows"), length("columns")];
  const colours = { broken: rgb(root, "--st-red-color", "#b3372b"), lost: rgb(root, "--st-violet-color", "#6b4aa0") };
  const got = Object.fromEntries(Object.entries(known).map(([by, one]) => [by, one.broken]));
  const gone = Object.fromEntries(Object.entries(known).map(([by, one]) => [by, one.lost]));
  const flat = (block, row, column) => (shape.length === 1 ? column
    : shape.reduce((sum, size, axis) => sum * size + (axis === axes.blocks ? block : axis === axes.rows ? row : column), 0));
  const wide = Math.max(0.5, Math.min(12, (root.clientWidth - 40) / (blocks * columns)));
  const tall = Math.max(wide, Math.min(12, 220 / rows));
  const map = make("div", "map");
  const grid = make("div", "grid");
  const status = make("div", "status small quiet mono");
  const rest = Object.keys(got).length ? "Hover over the map to read it; click a part below to flip it." : "Nothing measured yet.";
  status.textContent = rest;
  const part = (width, height, cssWidth, cssHeight, counts, losses, name) => {
    const canvas = make("canvas");
    Object.assign(canvas.style, { width: `${cssWidth}px`, height: `${cssHeight}px` });
    shade(canvas, counts, losses, width, height, states, colours);
    canvas.onmousemove = (event) => {
      const box = canvas.getBoundingClientRect();
      const x = partUnder(event.clientX, box.left, box.width, width);
      const y = partUnder(event.clientY, box.top, box.height, height);
      const count = counts(x, y);
      status.textContent = `${data.site} ${name(x, y)} flipped: ${count === UNKNOWN ? "not measured yet"
        : `${count} of ${states} states break, ${Math.round((100 * losses(x, y)) / UNKNOWN)}% of the smallest margin is lost`}`;
    };
    canvas.onmouseleave = () => { status.textContent = rest; };
    return canvas;
  };
  const number = (by, index) => got[by]?.[index] ?? UNKNOWN;
  const loss = (by, index) => gone[by]?.[index] ?? 0;
  const top = shape.length === 1 ? "weights" : "columns";
  const block = (x) => Math.floor(x / columns);
  grid.append(
    make("span"),
    part(blocks * columns, 1, blocks * columns * wide, 12,
      (x) => number(top, x % columns), (x) => loss(top, x % columns), (x) => `column ${x % columns}`),
    part(1, rows, 12, rows * tall, (x, y) => number("rows", y), (x, y) => loss("rows", y), (x, y) => `row ${y}`),
    part(blocks * columns, rows, blocks * columns * wide, rows * tall,
      (x, y) => number("weights", flat(block(x), y, x % columns)),
      (x, y) => loss("weights", flat(block(x), y, x % columns)),
      (x, y) => `row ${y}, column ${x % columns}${blocks > 1 ? `, part ${block(x)}` : ""}`),
  );
  map.append(grid);
  const scale = make("div", "scale small quiet");
  const ramp = make("canvas", "ramp");
  shade(ramp, (x) => Math.round((x / 39) * states), () => 0, 40, 1, states, colours);
  scale.append(make("span", "", "0"), ramp, make("span", "", `${states} states break · violet: none breaks, but the smallest margin shrinks · grey: not measured · top strip: columns, left strip: rows`));
  const list = make("div", "list");
  for (const one of data.fragile) {
    const button = make("button", "mono");
    button.dataset.focus = one.site;
    button.dataset.part = one.site;
    button.title = `flip ${one.site}: ${one.broken} of ${states} states break, smallest margin ${one.margin?.toFixed(2) ?? "unknown"}`;
    button.append(make("span", "", `${one.site.slice(data.site.length)} `), make("span", "count", one.broken ? `${one.broken} break` : `margin ${one.margin?.toFixed(1) ?? "–"}`));
    button.onclick = () => send("flip", one.site);
    list.append(button);
  }
  root.replaceChildren(map, scale, status, list, downloads(root, `atlas ${data.site}`, () => csvRows(got, shape)));
  map.scrollLeft = scroll;
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  root.dataset.site = data.site;
  root.dataset.known = Object.entries(got).map(([by, counts]) => `${by}:${counts.filter((count) => count !== UNKNOWN).length}`).join(" ");
}

function csvRows(got, shape) {
  const rows = [["flipped", "index", "states_broken"]];
  for (const [by, counts] of Object.entries(got)) {
    counts.forEach((count, flat) => {
      if (count === UNKNOWN) return;
      let [index, rest] = [[], flat];
      for (const size of by === "weights" ? [...shape].reverse() : [counts.length]) { index.unshift(rest % size); rest = Math.floor(rest / size); }
      rows.push([by, index.join(","), count]);
    });
  }
  return rows;
}
