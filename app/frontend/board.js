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

const share = (rows, group, heldOut) => {
  const those = rows.filter((row) => row.held_out === heldOut);
  return those.length ? `${those.filter((row) => row[`${group}_correct`]).length}/${those.length}` : "–";
};

// What a row is sorted by. Answers: by margin, so that what is wrong or nearly so comes first.
function sortValue(key, names) {
  if (key === "state") return (row) => row.state;
  if (key === "held-out") return (row) => (row.held_out ? 0 : 1);
  if (key === "moved") return (row) => -row.moved;
  const [group, name] = [key.slice(0, key.indexOf(".")), key.slice(key.indexOf(".") + 1)];
  return (row) => row[group][names.indexOf(name)].margin;
}

function sorted(data) {
  const key = data.sort.replace(/^-/, "");
  const sign = data.sort.startsWith("-") ? -1 : 1;
  const value = sortValue(key, data.names);
  return [...data.rows].sort((a, b) => {
    const [x, y] = [value(a), value(b)];
    return sign * (x < y ? -1 : x > y ? 1 : 0);
  });
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
    if (here) button.textContent += data.sort.startsWith("-") ? " ↑" : " ↓";
    button.title = title;
    button.dataset.focus = `sort ${key}`;
    button.onclick = () => setTriggerValue("sort", data.sort === key ? `-${key}` : key);
    const th = element("th");
    th.scope = "col";
    th.ariaSort = !here ? "none" : data.sort.startsWith("-") ? "descending" : "ascending";
    th.append(button);
    return th;
  };

  const head = element("thead");
  const top = element("tr", "groups");
  top.append(element("th"), element("th"));
  for (const group of groups) {
    const th = element("th", "edge", `${group} `);
    th.colSpan = data.names.length;
    th.append(element("span", "figure quiet",
      `right: seen ${share(data.rows, group, false)} · held out ${share(data.rows, group, true)}`));
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
    const tr = element("tr", row.held_out ? "held-out-row" : "");
    if (row.state === data.chosen) tr.classList.add("chosen");
    const state = element("td", "first");
    const choose = element("button", "mono", row.state);
    choose.title = "show this state";
    choose.dataset.focus = `state ${row.state}`;
    if (row.state === data.chosen) choose.setAttribute("aria-current", "true");
    choose.onclick = () => setTriggerValue("state", row.state);
    state.append(choose);
    if (row.held_out) choose.setAttribute("aria-label", `${row.state}, held out of training`);
    tr.append(state, element("td", "mark held-out", row.held_out ? "◆" : ""));
    for (const group of groups) {
      row[group].forEach((cell, index) => {
        const before = group === "edited" ? row.baseline[index] : null;
        const td = answerCell(cell, before, data.margins, `${group} ${data.names[index]}`);
        if (!index) td.classList.add("edge");
        tr.append(td);
      });
    }
    if (data.edited) tr.append(element("td", "mono moved quiet", row.moved.toFixed(2)));
    body.append(tr);
  }
  table.append(head, body);
  const legend = element("div", "legend small quiet", "◆ held out of training · 4≠5: wrote 4, the rules say 5"
    + (data.edited ? " · ring: other than the baseline · Δ: mean change of the margins, in logits" : ""));
  root.replaceChildren(table, legend);
  if (held) root.querySelector(`[data-focus="${CSS.escape(held)}"]`)?.focus();
  root.dataset.condition = data.condition;
}
