// All states: what the model writes, baseline and edited, compared with the rules.

import { make, share } from "../drawing/dom.js";
import { isJudged, isRight, isRightAsWritten, JUDGEMENTS } from "../drawing/marks.js";
import { isKnown, MOST_WIDE } from "./virtual_table.js";
import { addGroup, answerCell, cellOf, missingCell, orderBy, showStates, sortHead, stateRow } from "./states.js";

const signed = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(1)}`;

// The value a row is sorted by. For an answer, its margin: wrong and nearly wrong ones come first.
function sortValue(data, key) {
  if (key === "state") return (row) => row;
  if (key === "held-out") return (row) => (data.held_out[row] ? 0 : 1);
  if (key === "moved") return (row) => -movedIn(data, row);
  const [group, name] = [key.slice(0, key.indexOf(".")), key.slice(key.indexOf(".") + 1)];
  const answer = data.names.indexOf(name);
  const shown = data[group] ?? data.baseline;
  // Unknown ones last.
  return (row) => (isKnown(shown, row) ? shown.margin[row][answer] : null);
}

// The mean change of the margins of a state.
function movedIn(data, row) {
  if (!data.edited || !isKnown(data.edited, row) || !isKnown(data.baseline, row)) return null;
  const [before, after] = [data.baseline.margin[row], data.edited.margin[row]];
  return after.reduce((sum, margin, index) => sum + Math.abs(margin - before[index]), 0) / after.length;
}

const sorted = (data) => orderBy(data, sortValue(data, data.sort.replace(/^-/, "")));

// The board as CSV: one row per state, with the truth and the written token of each answer.
function csvRows(data, groups) {
  const head = ["state", "held_out", ...data.names.map((name) => `${name}_truth`)];
  for (const group of groups) for (const name of data.names) head.push(`${group}_${name}`, `${group}_${name}_judgement`, `${group}_${name}_probability`, `${group}_${name}_margin`);
  return [head, ...sorted(data).map((row) => {
    const line = [data.states[row], data.held_out[row], ...data.names.map((_, answer) => data.vocabulary[data.truth[row][answer]])];
    for (const group of groups) data.names.forEach((_, answer) => {
      if (!isKnown(data[group], row)) { line.push("", "", "", ""); return; }
      const cell = cellOf(data, data[group], row, answer);
      line.push(cell.token, JUDGEMENTS[cell.judged].word, cell.probability, cell.margin);
    });
    return line;
  })];
}

// In how many of the known states each answer is right: by the rules, and as written.
function counts(data, groups) {
  const foot = make("tfoot");
  const figure = (group, answer, right) => {
    const places = data.states.map((_, row) => (isKnown(data[group], row) ? data[group].judged[row][answer] : null)).filter((place) => place !== null);
    return places.some(isJudged) ? String(places.filter((place) => isJudged(place) && right(place)).length) : "–";
  };
  for (const { label, title, right } of [
    { label: "by rules", title: "states in which the answer is right by the rules", right: isRight },
    { label: "as written", title: "states in which the answer is right given the text before it", right: isRightAsWritten },
  ]) {
    const tr = make("tr", "count quiet");
    const th = make("th", "", label);
    [th.scope, th.colSpan, th.title] = ["row", 2, title];
    tr.append(th);
    for (const group of groups) data.names.forEach((name, answer) => {
      const td = make("td", answer ? "mono" : "mono edge", figure(group, answer, right));
      td.title = `${group} ${name}: ${title}`;
      tr.append(td);
    });
    if (data.edited) tr.append(make("td"));
    foot.append(tr);
  }
  return foot;
}

export function draw(root, data, send) {
  const groups = data.edited ? ["baseline", "edited"] : ["baseline"];
  const virtual = Boolean(data.baseline.tag);
  // With many columns, names are vertical, and the right answer is in a cell's title.
  const narrow = data.names.length * groups.length > MOST_WIDE;
  const table = make("table", [data.margins ? "with-margins" : "", narrow ? "narrow" : ""].join(" ").trim());
  table.setAttribute("aria-label", "all states");

  const sortButton = (key, text, title) => {
    const here = data.sort.replace(/^-/, "") === key;
    // The first click sorts by the largest change first.
    const descending = here ? data.sort.startsWith("-") !== (key === "moved") : null;
    return sortHead(data.sort, key, text, title, descending, send);
  };

  const head = make("thead");
  const top = make("tr", "groups");
  const corner = make("th");
  corner.colSpan = 2;
  const margins = make("button", "switch check", "margins");
  margins.title = "show the margin of every answer: logit of the right token minus that of the best wrong one";
  margins.dataset.focus = "margins";
  margins.setAttribute("aria-pressed", String(data.margins));
  margins.onclick = () => send("margins", !data.margins);
  corner.append(margins);
  top.append(corner);
  for (const group of groups) {
    const th = make("th", "edge", `${group} `);
    th.colSpan = data.names.length;
    const some = virtual && data[group].known < data.states.length ? "so far " : "";
    th.append(make("span", "figure quiet",
      `right: ${some}seen ${share(data[group].tally.seen)} · held out ${share(data[group].tally.held_out)}`));
    if (data.predictor) th.append(make("span", "figure quiet guessed", `predictor: held out ${share(data.predictor)}`));
    if (data[group].tally_do) th.append(make("span", "figure quiet under",
      `under do: ${some}seen ${share(data[group].tally_do.seen)} · held out ${share(data[group].tally_do.held_out)}`));
    if (data[group].tally_do) th.title = "under do: right by the rules with the forced output set by hand, and everything that depends on it recomputed";
    top.append(th);
  }
  if (data.edited) top.append(make("th"));
  const names = make("tr", "names");
  names.append(sortButton("state", "state", "sort by state"), sortButton("held-out", "◆", "sort held-out states first"));
  for (const group of groups) {
    addGroup(names, data.names.map((name) => {
      const th = sortButton(`${group}.${name}`, name, `sort by the margin of ${name}, ${group}: least certain first`);
      th.classList.add("answer");
      return th;
    }));
  }
  if (data.edited) names.append(sortButton("moved", "Δ", "sort by the mean change of the margins"));
  head.append(top, names);

  const answer = (group, row, index) => {
    if (!isKnown(data[group], row)) return missingCell();
    const cell = cellOf(data, data[group], row, index);
    const before = group === "edited" && isKnown(data.baseline, row) ? cellOf(data, data.baseline, row, index) : null;
    const td = answerCell(cell, before, `${group} ${data.names[index]}`);
    if (isJudged(cell.judged) && !isRight(cell.judged) && !narrow) td.append(make("span", "should", cell.truth));
    if (data.margins) td.append(make("span", "margin quiet", signed(cell.margin)));
    return td;
  };
  const makeRow = (row) => {
    const tr = stateRow(data, row, virtual, send);
    for (const group of groups) addGroup(tr, data.names.map((_, index) => answer(group, row, index)));
    if (data.edited) tr.append(make("td", "mono moved quiet", movedIn(data, row)?.toFixed(2) ?? ""));
    return tr;
  };
  table.append(head, make("tbody"), counts(data, groups));
  const legend = `◆ held out of training${narrow ? "" : " · 4✗5: wrote 4, the rules say 5"}`
    + (data.edited ? " · ring: differs from the baseline · Δ: mean change of the margins, in logits" : "");
  showStates(root, data, { table, boards: [data.baseline, data.edited], order: sorted(data), makeRow, legend, csv: () => csvRows(data, groups) });
}
