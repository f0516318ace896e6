// All states: what the model writes unedited and edited, held against the rules.

const signed = (x) => `${x < 0 ? "−" : "+"}${Math.abs(x).toFixed(1)}`;

function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = text;
  return made;
}

function answerCell(cell, before, showMargin, label) {
  const td = element("td", "mono", cell.token);
  td.title = `${label}: wrote ${cell.token}, the rules say ${cell.truth}; `
    + `margin ${cell.margin.toFixed(2)}, probability ${cell.probability.toFixed(4)}`
    + (before ? `; baseline wrote ${before.token}, margin ${before.margin.toFixed(2)}` : "");
  if (!cell.right) {
    td.classList.add("wrong");
    td.append(element("span", "should", `≠${cell.truth}`));
  }
  if (before && before.token !== cell.token) td.classList.add("changed");
  if (showMargin) td.append(element("span", "margin quiet", signed(cell.margin)));
  return td;
}

const share = ([right, all]) => (all ? `${right}/${all}` : "–");

const cellOf = (data, group, row, answer) => ({
  token: data.vocabulary[data[group].written[row][answer]],
  truth: data.vocabulary[data.truth[row][answer]],
  right: data[group].written[row][answer] === data.truth[row][answer],
  margin: data[group].margin[row][answer],
  probability: data[group].probability[row][answer],
});

// What a row is sorted by. Answers: by margin, so that what is wrong or nearly so comes first.
function sortValue(data, key) {
  if (key === "state") return (row) => row;
  if (key === "held-out") return (row) => (data.held_out[row] ? 0 : 1);
  if (key === "moved") return (row) => -data.moved[row];
  const [group, name] = [key.slice(0, key.indexOf(".")), key.slice(key.indexOf(".") + 1)];
  const answer = data.names.indexOf(name);
  return (row) => (data[group] ?? data.baseline).margin[row][answer];
}

function sorted(data) {
  const sign = data.sort.startsWith("-") ? -1 : 1;
  const value = sortValue(data, data.sort.replace(/^-/, ""));
  return data.states.map((_, row) => row).sort((a, b) => sign * (value(a) - value(b)) || a - b);
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".board");
  const held = root.querySelector("button:focus") ? root.querySelector("button:focus").dataset.focus : null;
  const groups = data.edited ? ["baseline", "edited"] : ["baseline"];
  const table = element("table", data.margins ? "with-margins" : "");
  table.setAttribute("aria-label", "all states");

  const sortButton = (key, text, title) => {
    const button = element("button", "", text);
    const here = data.sort.replace(/^-/, "") === key;
    // What moved most comes first at the first click.
    const descending = data.sort.startsWith("-") !== (key === "moved");
    if (here) button.textContent += descending ? " ↓" : " ↑";
    button.title = title;
    button.dataset.focus = `sort ${key}`;
    button.onclick = () => setTriggerValue("sort", data.sort === key ? `-${key}` : key);
    const th = element("th");
    th.scope = "col";
    th.ariaSort = !here ? "none" : descending ? "descending" : "ascending";
    th.append(button);
    return th;
  };

  const head = element("thead");
  const top = element("tr", "groups");
  const corner = element("th");
  corner.colSpan = 2;
  const margins = element("button", "switch", data.margins ? "☑ margins" : "☐ margins");
  margins.title = "logit of the right token minus that of the best wrong one, for every answer";
  margins.dataset.focus = "margins";
  margins.setAttribute("aria-pressed", String(data.margins));
  margins.onclick = () => setTriggerValue("margins", !data.margins);
  corner.append(margins);
  top.append(corner);
  for (const group of groups) {
    const th = element("th", "edge", `${group} `);
    th.colSpan = data.names.length;
    th.append(element("span", "figure quiet",
      `right: seen ${share(data[group].tally.seen)} · held out ${share(data[group].tally.held_out)}`));
    top.append(th);
  }
  if (data.edited) top.append(element("th"));
  const names = element("tr", "names");
  names.append(sortButton("state", "state", "sort by state"), sortButton("held-out", "◆", "sort held-out states first"));
  for (const group of groups) {
    data.names.forEach((name, index) => {
      const th = sortButton(`${group}.${name}`, name, `sort by the margin of ${name}, ${group}: the least sure first`);
      if (!index) th.classList.add("edge");
      names.append(th);
    });
  }
  if (data.edited) names.append(sortButton("moved", "Δ", "sort by how much the margins moved, on average"));
  head.append(top, names);

  const body = element("tbody");
  for (const row of sorted(data)) {
    const [text, heldOut] = [data.states[row], data.held_out[row]];
    const tr = element("tr", heldOut ? "held-out-row" : "");
    if (text === data.chosen) tr.classList.add("chosen");
    const state = element("td", "first");
    const choose = element("button", "mono", text);
    choose.title = "show this state";
    choose.dataset.focus = `state ${text}`;
    if (heldOut) choose.setAttribute("aria-label", `${text}, held out of training`);
    if (text === data.chosen) choose.setAttribute("aria-current", "true");
    choose.onclick = () => setTriggerValue("state", text);
    state.append(choose);
    tr.append(state, element("td", "mark held-out", heldOut ? "◆" : ""));
    for (const group of groups) {
      data.names.forEach((name, answer) => {
        const before = group === "edited" ? cellOf(data, "baseline", row, answer) : null;
        const td = answerCell(cellOf(data, group, row, answer), before, data.margins, `${group} ${name}`);
        if (!answer) td.classList.add("edge");
        tr.append(td);
      });
    }
    if (data.edited) tr.append(element("td", "mono moved quiet", data.moved[row].toFixed(2)));
    body.append(tr);
  }
  table.append(head, body);
  const legend = element("div", "legend small quiet", "◆ held out of training · 4≠5: wrote 4, the rules say 5"
    + (data.edited ? " · ring: other than the baseline · Δ: mean change of the margins, in logits" : ""));
  root.replaceChildren(table, legend);
  if (held) root.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus();
  root.dataset.condition = data.condition;
}
