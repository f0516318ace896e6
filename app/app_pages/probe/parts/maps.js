// Activations of one state as units x tokens, baseline and edited. A click ablates a unit, a second one undoes it.

import { signColours } from "../../../client/drawing/colours.js";
import { differenceSwitch, FULL_SCALE, make } from "../../../client/drawing/dom.js";
import { paintSigned, partButtons, partUnder } from "../../../client/drawing/pixels.js";

const FADED = 0.12;
const PAGE = 8;

const valueOf = (map, packed) => map.low + (packed / FULL_SCALE) * (map.high - map.low);

// Colour is proportional to the value. Faded: outside the receptive field of the chosen token.
function drawValues(canvas, map, packed, tokens, colours) {
  const width = tokens * map.components;
  const largest = Math.max(Math.abs(map.low), Math.abs(map.high)) || 1;
  const seen = map.reach ? new Set(map.reach) : null;
  const faded = (i) => (seen && !seen.has(Math.floor((i % width) / map.components)) ? FADED : 1);
  paintSigned(canvas, width, map.units, colours, (i) => valueOf(map, packed[i]), (size, i) => Math.min(1, size / largest) * faded(i));
}

function buildMap(map) {
  const box = make("div", "map");
  box.dataset.map = map.site;
  const whole = make("button", "whole");
  whole.dataset.site = map.site;
  whole.append(make("span", "what"), make("span", "moved mono quiet"));
  const pictures = make("div", "pictures");
  pictures.tabIndex = 0;
  pictures.dataset.units = map.site;
  pictures.dataset.unit = "0";
  pictures.setAttribute("role", "spinbutton");
  pictures.setAttribute("aria-valuemin", "0");
  for (const group of ["baseline", "edited"]) {
    const picture = make("div", "picture");
    picture.dataset.group = group;
    picture.append(document.createElement("canvas"), make("div", "marks"), make("div", "reach"));
    pictures.append(picture);
  }
  box.append(whole, pictures);
  return box;
}

// Edited minus baseline; the largest change in this map has full colour.
function drawDifference(canvas, map, before, after, tokens, colours) {
  const largest = Math.max(map.moved, 1e-9);
  const change = (i) => valueOf(map, after[i]) - valueOf(map, before[i]);
  paintSigned(canvas, tokens * map.components, map.units, colours, change, (size) => Math.min(1, size / largest));
}

function build(root, data) {
  const lines = data.lines.map((line) => {
    const row = make("div", "line" + (line.maps.length < 3 ? " wide" : "") + (line.alone ? " film" : ""));
    row.style.setProperty("--maps", line.maps.length);
    row.append(make("span", "name", line.name), ...line.maps.map(buildMap));
    row.append(partButtons(line.parts));
    return row;
  });
  root.replaceChildren(...lines, make("div", "status small quiet mono"), make("div", "tools"));
}

function place(element, first, count, units) {
  element.style.top = `${(100 * first) / units}%`;
  element.style.height = `max(2px, ${(100 * count) / units}%)`;
}

// The unit and the value under the pointer.
function under(event, data) {
  const canvas = event.target.closest("canvas, .marks")?.parentElement.querySelector("canvas");
  if (!canvas) return null;
  const map = data.byName[canvas.closest(".map").dataset.map];
  const box = canvas.getBoundingClientRect();
  const column = partUnder(event.clientX, box.left, box.width, data.tokens * map.components);
  return {
    map,
    unit: partUnder(event.clientY, box.top, box.height, map.units),
    token: Math.floor(column / map.components),
    component: column % map.components,
  };
}

function describe(data, found) {
  const { map, unit, token, component } = found;
  const index = (unit * data.tokens + token) * map.components + component;
  const say = (packed) => valueOf(map, packed[map.site][index]).toFixed(3);
  const inside = map.components > 1 ? `, component ${component}` : "";
  const faded = map.reach && !map.reach.includes(token) ? `; outside the receptive field of ${data.seen_from}` : "";
  return `${map.site}[${unit}] at ${data.labels[token]}${inside}: ${say(data.unpacked.baseline)}`
    + (data.edited ? `  edited, at ${data.edited_labels[token]}: ${say(data.unpacked.edited)}` : "") + faded;
}

// All values of a unit, token by token, for keyboard users.
function describeUnit(data, map, unit) {
  if (map.components > 1) return `${map.site}[${unit}]`;
  const group = data.edited ? "edited" : "baseline";
  const row = data.unpacked[group][map.site].slice(unit * data.tokens, (unit + 1) * data.tokens);
  const labels = data.edited ? data.edited_labels : data.labels;
  return `${map.site}[${unit}] ${group}: `
    + Array.from(row, (packed, token) => `${labels[token]} ${valueOf(map, packed).toFixed(2)}`).join("  ");
}

function listen(root, data, send) {
  const status = root.querySelector(".status");
  const rest = "Rows are units, columns are tokens. Hover to read a value, click to ablate the unit.";
  status.textContent = rest;
  root.onmouseleave = () => { status.textContent = rest; };
  root.onmousemove = (event) => {
    const found = under(event, data);
    if (found) status.textContent = describe(data, found);
  };
  root.onclick = (event) => {
    const button = event.target.closest("button[data-site]");
    if (button) return send("site", button.dataset.site);
    const found = under(event, data);
    if (!found) return;
    choose(root, data, found.map, found.unit, false);
    send("site", `${found.map.site}[${found.unit}]`);
  };
  root.onkeydown = (event) => {
    const pictures = event.target.closest("[data-units]");
    if (!pictures) return;
    const map = data.byName[pictures.dataset.units];
    const unit = Number(pictures.dataset.unit);
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE, Home: -map.units, End: map.units };
    if (event.key in steps) choose(root, data, map, Math.min(map.units - 1, Math.max(0, unit + steps[event.key])), true);
    else if (event.key === "Enter" || event.key === " ") send("site", `${map.site}[${unit}]`);
    else return;
    event.preventDefault();
  };
}

// Move the keyboard's cursor of a map.
function choose(root, data, map, unit, speak) {
  const pictures = root.querySelector(`[data-units="${map.site}"]`);
  pictures.dataset.unit = unit;
  pictures.setAttribute("aria-valuenow", unit);
  const done = data.marks.filter((mark) => mark.site === map.site && mark.units.includes(unit)).map((mark) => mark.text);
  pictures.setAttribute("aria-valuetext", [`${map.site}[${unit}]`, ...done].join(", "));
  if (speak) root.querySelector(".status").textContent = describeUnit(data, map, unit);
  for (const cursor of pictures.querySelectorAll(".cursor")) place(cursor, unit, 1, map.units);
}

function fill(root, data, map, colours, differs) {
  const box = root.querySelector(`[data-map="${map.site}"]`);
  const done = data.active[map.site];
  const marked = data.marks.filter((mark) => mark.site === map.site);
  const count = marked.flatMap((mark) => mark.units).length;
  const whole = box.querySelector(".whole");
  whole.setAttribute("aria-pressed", String(Boolean(done)));
  whole.setAttribute("aria-label", `all of ${map.site}, ${map.title}${done ? `, ${done}` : ""}`);
  whole.title = `${map.title}; click to ablate all of it.${count ? ` ▸: edits act on ${count} of its units.` : ""} Full colour: ${map.high.toPrecision(3)}`;
  whole.querySelector(".what").textContent = done ? `${map.site} ${done}` : count ? `${map.site} ▸${count}` : map.site;
  whole.querySelector(".moved").textContent = data.edited && map.moved >= 0.005 ? `Δ${map.moved.toFixed(2)}` : "";
  const pictures = box.querySelector(".pictures");
  pictures.classList.toggle("pair", data.edited && !differs);
  pictures.setAttribute("aria-valuemax", map.units - 1);
  pictures.setAttribute("aria-label", `units of ${map.site}, ${map.title}: arrows choose one, Enter ablates it`);
  for (const picture of box.querySelectorAll(".picture")) {
    const group = picture.dataset.group;
    // The difference replaces the edited picture.
    picture.hidden = group === "edited" ? !data.edited : differs;
    picture.title = differs ? "edited minus baseline" : data.edited ? group : "";
    if (picture.hidden) continue;
    const canvas = picture.querySelector("canvas");
    if (differs) drawDifference(canvas, map, data.unpacked.baseline[map.site], data.unpacked.edited[map.site], data.tokens, colours);
    else drawValues(canvas, map, data.unpacked[group][map.site], data.tokens, colours);
    const cursor = make("span", "cursor");
    const marks = marked.flatMap((mark) => mark.units.map((unit) => {
      const line = make("span", "acted");
      line.title = `${map.site}[${unit}] ${mark.text}`;
      place(line, unit, 1, map.units);
      return line;
    }));
    picture.querySelector(".marks").replaceChildren(cursor, ...marks);
    const reach = picture.querySelector(".reach");
    reach.hidden = !map.reach;
    const seen = new Set(map.reach ?? []);
    reach.replaceChildren(...Array.from({ length: data.tokens }, (_, token) => make("span", seen.has(token) ? "on" : "")));
  }
  choose(root, data, map, Number(pictures.dataset.unit), false);
}

export function draw(root, data, send) {
  const maps = data.lines.flatMap((line) => line.maps);
  data.byName = Object.fromEntries(maps.map((map) => [map.site, map]));
  const unpackAll = (packed) => Object.fromEntries(maps.map((map, index) => [map.site, packed[index]]));
  data.unpacked = { baseline: unpackAll(data.baseline), edited: data.edited ? unpackAll(data.edited_values) : {} };
  // Elements are reused between clicks, which keeps the keyboard's focus.
  const shape = maps.map((map) => `${map.site}:${map.units}`).join();
  if (root.dataset.shape !== shape) build(root, data);
  root.dataset.shape = shape;
  const colours = signColours(root);
  const differs = differenceSwitch(root, data.edited, () => draw(root, data, send));
  for (const map of maps) fill(root, data, map, colours, differs);
  for (const part of data.lines.flatMap((line) => line.parts)) {
    const button = root.querySelector(`button.part[data-site="${part.site}"]`);
    const done = data.active[part.site];
    button.setAttribute("aria-pressed", String(Boolean(done)));
    button.setAttribute("aria-label", `${part.label}${done ? `, ${done}` : ""}`);
    button.textContent = done ? `${part.site} ${done.split(/[@ ]/)[0]}` : part.label;
    button.title = `ablate ${part.site}: the whole output of this layer`;
  }
  listen(root, data, send);
  root.dataset.condition = data.condition;
}
