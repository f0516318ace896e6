// One activation as units x tokens (baseline, edited and their difference, or two states), and one of its units
// in all states.

import { signColours } from "../../../client/drawing/colours.js";
import { downloads, make } from "../../../client/drawing/dom.js";
import { drawField } from "./field.js";

const HIGHEST = 384; // pixels; a taller picture scrolls
const [LOWEST, WIDEST] = [2, 20]; // pixels per row
const STATE_PITCH = 11;
const CATEGORIES = 5;

const number = (value) => (value === 0 ? "0" : Math.abs(value) < 1e-3 ? value.toExponential(1) : value.toFixed(3)).replace("-", "−");


// The pictures side by side; values are stored row by row, token by token.
function groupsOf(source, columns, limits) {
  const groups = source.groups.map((group) => ({ name: group.name, labels: group.labels, packed: group.values, largest: limits[1], signed: limits[0] < 0, shared: true }));
  if (source.difference !== null) groups.push({ name: "difference", title: source.difference_name, packed: source.difference, largest: source.difference_limit, signed: true, shared: false });
  for (const group of groups) group.at = (row, column) => group.packed[row * columns + column];
  return groups;
}

function unitsField(data, groups, events) {
  const { components } = data;
  const name = (unit) => (data.names ? data.names[unit] : String(unit));
  const say = (unit) => (data.names ? `${data.site} of ${data.names[unit]}` : `${data.site}[${unit}]`);
  return {
    key: "units",
    label: `${data.noun}s of ${data.site} by tokens: arrows move, ${data.action ? `Enter: ${data.action}, ` : ""}Space: look at it in all states`,
    order: data.order,
    groups,
    components,
    tokens: data.slots.map((slot, index) => ({ name: slot, index, chosen: index === data.token })),
    pitch: Math.max(LOWEST, Math.min(WIDEST, Math.floor(HIGHEST / (components > 1 ? data.units * groups.length : data.units)))),
    gutter: "2.1rem",
    rowName: (unit) => [unit === data.unit ? make("b", "here", `▸${name(unit)}`) : name(unit)],
    mustName: (unit) => unit === data.unit,
    marksOf: (unit) => [
      ...data.marks.filter((mark) => mark.units.includes(unit)).map((mark) => ({ kind: "acted", title: `${say(unit)} ${mark.text}` })),
      ...(unit === data.unit ? [{ kind: "picked" }] : []),
    ],
    describe: (unit, column) => {
      const token = Math.floor(column / components);
      const inside = components > 1 ? `, component ${column % components}` : "";
      const places = new Set(groups.filter((group) => group.labels).map((group) => group.labels[token]));
      const values = groups.map((group) => `${group.name}${places.size > 1 && group.labels ? ` (${group.labels[token]})` : ""} ${number(group.at(unit, column))}`);
      return `${say(unit)} at ${groups[0].labels[token]}${inside}: ${values.join(" · ")}`;
    },
    onEnter: data.action ? events.act : events.pick,
    onSpace: events.pick,
    onToken: events.token,
  };
}

// The states in their order, or grouped by the value of an answer.
function statesField(data, states, token) {
  const { components } = data;
  const tokens = token === null ? data.slots.map((name, index) => ({ name, index, chosen: false })) : [{ name: data.token_name, index: token, chosen: true }];
  const all = data.slots.length * components;
  const first = token === null ? 0 : token * components;
  const groups = groupsOf(states, all, states.limits).map((group) => ({ ...group, at: (row, column) => group.packed[row * all + first + column] }));
  const answer = states.answers.indexOf(states.grouped);
  const truthOf = (row) => states.truth[row][answer];
  const kinds = answer < 0 ? [] : [...new Set(states.truth.map((row) => row[answer]))].sort();
  const rank = (row) => (answer < 0 ? 0 : kinds.indexOf(truthOf(row)));
  const rows = states.names.map((_, row) => row);
  return {
    key: "states",
    label: `${data.site} ${data.unit} in all states: arrows move`,
    order: rows.sort((a, b) => rank(a) - rank(b) || a - b),
    groups,
    components,
    tokens,
    pitch: components > 1 && groups.length > 1 ? STATE_PITCH / 2 : STATE_PITCH,
    gutter: `calc(${states.names[0].length}ch * 0.8 + ${answer < 0 ? 1.4 : 2.6}rem)`,
    asBars: token !== null && components === 1,
    colourOf: (row) => (answer < 0 ? "" : `c${rank(row) % CATEGORIES}`),
    mustName: () => false,
    rowName: (row) => [
      ...(states.held_out[row] ? [make("b", "held-out", "◆")] : []),
      row === states.chosen || row === states.versus ? make("b", "here", states.names[row]) : states.names[row],
      ...(answer < 0 ? [] : [make("i", `truth c${rank(row) % CATEGORIES}`, truthOf(row))]),
    ],
    marksOf: (row) => (row === states.chosen || row === states.versus ? [{ kind: "picked" }] : []),
    describe: (row, column) => {
      const place = tokens[Math.floor(column / components)];
      const inside = components > 1 ? `, component ${column % components}` : "";
      const values = groups.map((group) => `${group.name} ${number(group.at(row, column))}`);
      const truth = answer < 0 ? "" : `, ${states.grouped} is ${truthOf(row)}`;
      return `${states.names[row]}${states.held_out[row] ? " (held out)" : ""}${truth}, at ${data.positions[place.index]}${inside}: ${values.join(" · ")}`;
    },
  };
}

function statesBox(root, data, colours, say, events) {
  const box = make("div", "states");
  const { states } = data;
  const title = make("div", "title");
  box.append(title);
  if (!states) {
    title.textContent = "In all states";
    box.append(make("div", "empty quiet", `Choose a ${data.noun}: ${data.action ? "Shift-click" : "click"} it in the picture, press Space there, or click its number in the list on the left.`));
    return box;
  }
  title.append(make("span", "", `${data.names ? `${data.site} of ${data.names[data.unit]}` : `${data.site}[${data.unit}]`} in all states`));
  const by = make("select", "small");
  by.dataset.focus = "grouped";
  by.setAttribute("aria-label", "group states by the truth of");
  for (const [value, text] of [["", "by number"], ...states.answers.map((name) => [name, `by ${name}`])]) {
    const option = make("option", "", text);
    option.value = value;
    option.selected = value === (states.grouped ?? "");
    by.append(option);
  }
  by.onchange = () => events.group(by.value);
  title.append(by);
  const field = statesField(data, states, data.token);
  root.cursors.states ??= {};
  const grid = drawField(box, field, root.cursors.states, colours, say);
  box.append(files(grid, "unit in all states", () => table(field, data, "state", (row) => states.names[row], field.tokens[0].index)));
  return box;
}

// A picture as files: the whole picture, scrolled to the top.
function files(grid, name, rows) {
  const bar = downloads(grid, name, rows);
  bar.addEventListener("click", () => { grid.parentElement.scrollTop = 0; }, true);
  return bar;
}

// What a field shows, as rows of a table.
function table(field, data, noun, name, firstToken) {
  const inside = data.components > 1;
  const head = [noun, "position", "token", ...(inside ? ["component"] : []), ...field.groups.map((group) => group.name)];
  const columns = field.tokens.length * data.components;
  return [head, ...field.order.flatMap((row) => Array.from({ length: columns }, (_, column) => {
    const position = firstToken + Math.floor(column / data.components);
    return [name(row), position, data.positions[position], ...(inside ? [column % data.components] : []), ...field.groups.map((group) => group.at(row, column))];
  }))];
}

export function draw(root, data, send) {
  const focused = root.querySelector(":focus")?.dataset.focus;
  if (root.dataset.site !== data.site) root.cursors = { units: {} };
  const colours = signColours(root);
  const site = (unit) => `${data.site}[${unit}]`;
  const events = {
    act: (unit) => send("acted", site(unit)),
    pick: (unit) => send("picked", unit === data.unit ? data.site : site(unit)),
    token: (token) => send("token", token === data.token ? -1 : token),
    group: (answer) => send("grouped", answer),
  };
  const groups = groupsOf(data, data.slots.length * data.components, data.limits);

  const status = make("div", "status small quiet mono");
  const rest = data.action
    ? `Click: ${data.action}. Shift-click: show the ${data.noun} in all states.`
    : `Click: show the ${data.noun} in all states.`;
  const say = (text) => { status.textContent = text ?? rest; };
  say(null);

  const field = unitsField(data, groups, events);
  const pictures = make("div", "pictures");
  const grid = drawField(pictures, field, root.cursors.units, colours, say);
  const tools = make("div", "tools");
  const whole = make("button", "whole small", data.whole ? `all of ${data.site}: ${data.whole}` : `${data.action} all of ${data.site}`);
  whole.hidden = !data.action;
  whole.dataset.focus = "whole";
  whole.setAttribute("aria-pressed", String(Boolean(data.whole)));
  whole.onclick = () => send("acted", data.site);
  tools.append(whole, files(grid, `${data.site}`, () => table(field, data, data.noun, (unit) => (data.names ? data.names[unit] : unit), 0)));
  root.replaceChildren(pictures, tools, status, statesBox(root, data, colours, say, events));
  for (const [key, state] of Object.entries(root.cursors)) {
    const scroll = root.querySelector(`.scroll[data-focus=${key}]`);
    if (scroll) scroll.scrollTop = state.scrolled ?? 0;
  }
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  Object.assign(root.dataset, {
    site: data.site,
    sort: data.sort,
    token: data.token ?? "",
    unit: data.unit ?? "",
    versus: data.versus ?? "",
    grouped: data.states?.grouped ?? "",
    condition: data.condition,
  });
}
