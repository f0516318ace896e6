// A field of numbers, rows x tokens, as pictures side by side: a pointer reads a number, arrows move a cursor.

import { closest, make } from "../../../client/drawing/dom.js";
import { paintSigned, partUnder } from "../../../client/drawing/pixels.js";

const PAGE = 8;
const NAME_HEIGHT = 10; // pixels

// Colour is proportional to the value.
function paint(canvas, field, group, order, colours) {
  const width = field.tokens.length * field.components;
  const largest = group.largest || 1;
  const valueAt = (i) => group.at(order[Math.floor(i / width)], i % width);
  paintSigned(canvas, width, order.length, colours, valueAt, (size) => Math.min(1, size / largest));
}

// One bar per row, from zero to either side, or to the right if nothing is below zero.
function bars(body, field, group, order) {
  const zero = group.signed ? 50 : 0;
  const full = 100 - zero;
  const axis = make("span", "zero");
  axis.style.left = `${zero}%`;
  body.append(axis, ...order.map((row, line) => {
    const value = group.at(row, 0);
    const share = full * Math.min(1, Math.abs(value) / (group.largest || 1));
    const bar = make("span", `bar ${field.colourOf(row)}`);
    bar.style.cssText = `top:${(100 * line) / order.length}%;height:${100 / order.length}%;width:${share}%;left:${value < 0 ? zero - share : zero}%`;
    return bar;
  }));
}

function heading(field, group, withTokens) {
  const head = make("div", "head");
  head.append(make("div", "group", group.name));
  head.title = group.title ?? "";
  const names = make("div", "tokens small quiet");
  names.append(...field.tokens.map((token) => {
    const name = make("span", token.chosen ? "chosen" : "", token.name);
    name.dataset.token = token.index;
    return name;
  }));
  if (withTokens && field.tokens.length > 1) head.append(names);
  return head;
}

// The range of the colours, or of the bars.
function scale(group, columns, asBars) {
  const bar = make("div", "scale small mono quiet");
  bar.style.gridColumn = `span ${columns}`;
  const ends = [group.signed ? (-group.largest).toPrecision(3) : "0", group.largest.toPrecision(3)];
  bar.append(make("span", "", ends[0]), make("span", `ramp ${asBars ? "plain" : group.signed ? "both" : "one"}`), make("span", "", ends[1]));
  return bar;
}

// Names of rows: all if there is room, else some.
function gutter(field, order) {
  const every = Math.max(1, Math.ceil(NAME_HEIGHT / field.pitch));
  const labels = make("div", "gutter mono quiet");
  labels.style.height = `${order.length * field.pitch}px`;
  const must = every > 1 ? order.findIndex(field.mustName) : -1;
  order.forEach((row, line) => {
    if (line !== must && (line % every || (must >= 0 && Math.abs(line - must) < every))) return;
    const label = make("span");
    label.append(...field.rowName(row));
    label.style.top = `${line * field.pitch}px`;
    label.style.lineHeight = `${Math.max(NAME_HEIGHT, field.pitch)}px`;
    labels.append(label);
  });
  return labels;
}

// Draws a field into a box, and listens. `field` describes its rows, `state` keeps its cursor.
export function drawField(box, field, state, colours, say) {
  const { order, groups } = field;
  const height = order.length * field.pitch;
  const grid = make("div", "field");
  // Several numbers per token need the full width, so the pictures are stacked.
  const stacked = field.components > 1;
  grid.style.gridTemplateColumns = `${field.gutter} repeat(${stacked ? 1 : groups.length}, minmax(0, 1fr))`;
  const bodies = groups.map((group) => {
    const body = make("div", "body");
    body.dataset.group = group.name;
    body.style.height = `${height}px`;
    if (field.asBars) bars(body, field, group, order);
    else {
      const canvas = make("canvas");
      paint(canvas, field, group, order, colours);
      body.append(canvas);
    }
    for (const token of field.asBars ? [] : field.tokens.filter((each) => each.chosen && field.tokens.length > 1)) {
      const column = make("span", "column");
      column.style.cssText = `left:${(100 * field.tokens.indexOf(token)) / field.tokens.length}%;width:${100 / field.tokens.length}%`;
      body.append(column);
    }
    body.append(...order.flatMap((row, line) => field.marksOf(row).map((mark) => band(`mark ${mark.kind}`, line, order.length, mark.title))));
    body.append(make("span", "cursor"));
    return body;
  });
  const heads = groups.map((group, index) => heading(field, group, !stacked || !index));
  if (stacked) grid.append(...groups.flatMap((_, index) => [make("div"), heads[index], gutter(field, order), bodies[index]]));
  else grid.append(make("div", "corner"), ...heads, gutter(field, order), ...bodies);
  grid.classList.toggle("stacked", stacked);
  const scales = make("div", "scales");
  scales.style.gridTemplateColumns = grid.style.gridTemplateColumns;
  const shared = groups.filter((group) => group.shared);
  const own = groups.filter((group) => !group.shared);
  if (stacked) scales.style.gridTemplateColumns = "repeat(2, minmax(0, 1fr))";
  else scales.append(make("span"));
  scales.append(scale(shared[0], stacked ? 2 - own.length : shared.length, field.asBars), ...own.map((group) => scale(group, 1, field.asBars)));
  const scroll = make("div", stacked ? "scroll high" : "scroll");
  scroll.tabIndex = 0;
  scroll.dataset.focus = field.key;
  scroll.setAttribute("role", "spinbutton");
  scroll.setAttribute("aria-label", field.label);
  scroll.setAttribute("aria-valuemin", "0");
  scroll.setAttribute("aria-valuemax", String(order.length - 1));
  scroll.append(grid);
  box.append(scroll, scales);
  listenTo(scroll, field, state, say);
  scroll.scrollTop = state.scrolled ?? 0;
  return grid;
}

function band(className, line, lines, title) {
  const element = make("span", className);
  element.style.top = `${(100 * line) / lines}%`;
  element.style.height = `max(2px, ${100 / lines}%)`;
  if (title) element.title = title;
  return element;
}

function listenTo(scroll, field, state, say) {
  const { order } = field;
  const columns = field.tokens.length * field.components;
  const under = (event) => {
    const body = closest(event, ".body");
    if (!body) return null;
    const frame = body.getBoundingClientRect();
    const column = field.asBars ? 0 : partUnder(event.clientX, frame.left, frame.width, columns);
    return { row: order[partUnder(event.clientY, frame.top, frame.height, order.length)], column };
  };
  const move = (row, column, speak) => {
    [state.row, state.column] = [row, column];
    const line = Math.max(0, order.indexOf(row));
    scroll.setAttribute("aria-valuenow", line);
    scroll.setAttribute("aria-valuetext", field.describe(row, column));
    for (const cursor of scroll.querySelectorAll(".cursor")) {
      cursor.style.cssText = `top:${(100 * line) / order.length}%;height:max(3px, ${100 / order.length}%);`
        + `left:${(100 * column) / columns}%;width:max(3px, ${100 / columns}%)`;
    }
    if (!speak) return;
    say(field.describe(row, column));
    scroll.querySelector(".cursor").scrollIntoView({ block: "nearest" });
  };
  scroll.onscroll = () => { state.scrolled = scroll.scrollTop; };
  scroll.onmousemove = (event) => {
    const found = under(event);
    if (found) say(field.describe(found.row, found.column));
  };
  scroll.onmouseleave = () => say(null);
  scroll.onclick = (event) => {
    const name = closest(event, ".tokens [data-token]");
    if (name && field.onToken) return field.onToken(Number(name.dataset.token));
    const found = under(event);
    if (!found) return;
    move(found.row, found.column, false);
    (event.shiftKey ? field.onSpace : field.onEnter)?.(found.row);
  };
  scroll.onkeydown = (event) => {
    const line = Math.max(0, order.indexOf(state.row));
    const steps = { ArrowUp: -1, ArrowDown: 1, PageUp: -PAGE, PageDown: PAGE, Home: -order.length, End: order.length };
    const sideways = { ArrowLeft: -1, ArrowRight: 1 };
    const within = (index, count) => Math.min(count - 1, Math.max(0, index));
    if (event.key in steps) move(order[within(line + steps[event.key], order.length)], state.column, true);
    else if (event.key in sideways) move(order[line], within(state.column + sideways[event.key], columns), true);
    else if (event.key === "Enter" && field.onEnter) field.onEnter(order[line]);
    else if (event.key === " " && field.onSpace) field.onSpace(order[line]);
    else return;
    event.preventDefault();
  };
  move(order.includes(state.row) ? state.row : order[0], Math.min(state.column ?? 0, columns - 1), false);
}
