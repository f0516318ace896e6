// All states: what every model writes under one condition, compared with the rules.

import { make, share } from "../../client/drawing/dom.js";
import { JUDGEMENTS } from "../../client/drawing/marks.js";
import { isKnown, MOST_WIDE } from "../../client/board/virtual_table.js";
import {
  addGroup, answerCell, cellOf, missingCell, orderBy, showStates, sortHead, stateRow,
} from "../../client/board/states.js";

function answer(data, model, row, index) {
  const shown = model.edited ?? model.baseline;
  if (!isKnown(shown, row) || !isKnown(model.baseline, row)) return missingCell();
  const before = model.edited ? cellOf(data, model.baseline, row, index) : null;
  return answerCell(cellOf(data, shown, row, index), before, `${model.name} ${data.names[index]}`);
}

function csvRows(data) {
  const head = ["state", "held_out", ...data.names.map((name) => `${name}_truth`)];
  for (const model of data.models) for (const name of data.names) head.push(`${model.name}_${name}`, `${model.name}_${name}_judgement`);
  return [head, ...data.states.map((state, row) => [state, data.held_out[row],
    ...data.truth[row].map((token) => data.vocabulary[token]),
    ...data.models.flatMap((model) => {
      const shown = model.edited ?? model.baseline;
      return data.names.flatMap((_, answer) => (isKnown(shown, row)
        ? [data.vocabulary[shown.written[row][answer]], JUDGEMENTS[shown.judged[row][answer]].word] : ["", ""]));
    })])];
}

export function draw(root, data, send) {
  const heldOutFirst = data.sort.replace(/^-/, "") === "held-out";
  const order = orderBy(data, (row) => (heldOutFirst ? (data.held_out[row] ? 0 : 1) : row));
  const sortButton = (key, text, title) => {
    const here = (heldOutFirst ? "held-out" : "state") === key;
    return sortHead(data.sort, key, text, title, here ? data.sort.startsWith("-") : null, send);
  };

  const virtual = Boolean(data.models[0].baseline.tag);
  // With many columns, names are vertical.
  const narrow = virtual && data.names.length > MOST_WIDE / 2;
  const table = make("table", narrow ? "narrow" : "");
  table.setAttribute("aria-label", "all states, all models");
  const head = make("thead");
  const top = make("tr", "groups");
  const corner = make("td");
  corner.colSpan = 2;
  const rules = make("th", "edge", "the rules ");
  if (data.predictor) rules.append(make("span", "figure quiet", `predictor ◆ ${share(data.predictor)}`));
  rules.colSpan = data.names.length;
  top.append(corner, rules);
  const names = make("tr", "names");
  names.append(sortButton("state", "state", "sort by state"), sortButton("held-out", "◆", "sort held-out states first"));
  const addNames = () => addGroup(names, data.names.map((name) => {
    const th = make("th", "answer");
    th.append(make("span", "", name));
    th.scope = "col";
    return th;
  }));
  addNames();
  for (const model of data.models) {
    const th = make("th", "edge", `${model.name} `);
    th.colSpan = data.names.length;
    const tally = (model.edited ?? model.baseline).tally;
    const was = model.edited ? ` (${share(model.baseline.tally.seen)} · ${share(model.baseline.tally.held_out)} unedited)` : "";
    th.append(make("span", "figure quiet", `${virtual && (model.edited ?? model.baseline).known < data.states.length ? "so far " : ""}seen ${share(tally.seen)} · ◆ ${share(tally.held_out)}`));
    th.title = `${model.name}: whole answers right${was}`;
    top.append(th);
    addNames();
  }
  head.append(top, names);

  const makeRow = (row) => {
    const tr = stateRow(data, row, virtual, send);
    addGroup(tr, data.truth[row].map((token) => make("td", "mono quiet", data.vocabulary[token])));
    for (const model of data.models) addGroup(tr, data.names.map((_, index) => answer(data, model, row, index)));
    return tr;
  };
  table.append(head, make("tbody"));
  const boards = data.models.flatMap((model) => [model.baseline, model.edited]);
  const legend = `◆ held out of training${data.models.some((model) => model.edited) ? " · ring: differs from the unedited model" : ""}`;
  showStates(root, data, { table, boards, order, makeRow, legend, csv: () => csvRows(data) });
}
