// All states: what every model writes under one condition, held against the rules.

function answerCell(data, model, row, answer) {
  const shown = model.edited ?? model.baseline;
  if (!isKnown(shown, row) || !isKnown(model.baseline, row)) {
    const td = make("td", "mono quiet missing", "·");
    if (!answer) td.classList.add("edge");
    return td;
  }
  const token = data.vocabulary[shown.written[row][answer]];
  const truth = data.vocabulary[data.truth[row][answer]];
  const before = data.vocabulary[model.baseline.written[row][answer]];
  const place = shown.judged[row][answer];
  const td = make("td", "mono", token);
  markToken(td, place);
  if (before !== token) td.classList.add("changed");
  if (!answer) td.classList.add("edge");
  td.title = `${model.name} ${data.names[answer]}: wrote ${token}, ${sayJudgement(place, truth, data.vocabulary[shown.truth_as_written[row][answer]] ?? null)}; `
    + `margin ${shown.margin[row][answer].toFixed(2)}, probability ${shown.probability[row][answer].toFixed(4)}`
    + (model.edited ? `; baseline wrote ${before}, margin ${model.baseline.margin[row][answer].toFixed(2)}` : "");
  return td;
}

function truthCell(data, row, answer) {
  const td = make("td", "mono quiet", data.vocabulary[data.truth[row][answer]]);
  if (!answer) td.classList.add("edge");
  return td;
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

function show({ data: sent, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".comparison");
  const again = () => {
    const models = sent.models.map((model) => ({ ...model, baseline: fill(model.baseline), edited: fill(model.edited) }));
    draw(root, { ...sent, models }, setTriggerValue);
  };
  drawAgainWith(root, sent.models.flatMap((model) => [model.baseline.tag, model.edited?.tag]).filter(Boolean), again);
  again();
}

function draw(root, data, setTriggerValue) {
  const focused = root.querySelector("button:focus")?.dataset.focus;
  const key = data.sort.replace(/^-/, "");
  const heldOutFirst = key === "held-out";
  const sign = data.sort.startsWith("-") ? -1 : 1;
  const value = (row) => (heldOutFirst ? (data.held_out[row] ? 0 : 1) : row);
  const rows = data.states.map((_, row) => row).sort((a, b) => sign * (value(a) - value(b)) || a - b);

  const sortButton = (name, text, title) => {
    const here = (heldOutFirst ? "held-out" : "state") === name;
    const button = make("button", "", here ? `${text} ${sign < 0 ? "↓" : "↑"}` : text);
    button.title = title;
    button.dataset.focus = `sort ${name}`;
    button.onclick = () => setTriggerValue("sort", data.sort === name ? `-${name}` : name);
    const th = make("th");
    th.scope = "col";
    th.ariaSort = !here ? "none" : sign < 0 ? "descending" : "ascending";
    th.append(button);
    return th;
  };

  const virtual = Boolean(data.models[0].baseline.tag);
  const left = virtual ? progress(data.models.flatMap((model) => [model.baseline, model.edited]), data.states.length) : "";
  // Many columns side by side: names stand upright.
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
  const nameCells = () => data.names.map((name, index) => {
    const th = make("th", index ? "answer" : "answer edge");
    th.append(make("span", "", name));
    th.scope = "col";
    return th;
  });
  names.append(...nameCells());
  for (const model of data.models) {
    const th = make("th", "edge", `${model.name} `);
    th.colSpan = data.names.length;
    const tally = (model.edited ?? model.baseline).tally;
    const was = model.edited ? ` (${share(model.baseline.tally.seen)} · ${share(model.baseline.tally.held_out)} unedited)` : "";
    th.append(make("span", "figure quiet", `${virtual && (model.edited ?? model.baseline).known < data.states.length ? "so far " : ""}seen ${share(tally.seen)} · ◆ ${share(tally.held_out)}`));
    th.title = `${model.name}: whole answers right${was}`;
    top.append(th);
    names.append(...nameCells());
  }
  head.append(top, names);

  const makeRow = (row) => {
    const [text, heldOut] = [data.states[row], data.held_out[row]];
    const tr = make("tr", heldOut ? "held-out-row" : "");
    if (text === data.chosen) tr.classList.add("chosen");
    const state = make("td", "first");
    const choose = make("button", "mono", virtual ? shortState(text) : text);
    choose.title = virtual ? `show ${text}` : "show this state";
    choose.dataset.focus = `state ${text}`;
    if (heldOut) choose.setAttribute("aria-label", `${text}, held out of training`);
    if (text === data.chosen) choose.setAttribute("aria-current", "true");
    choose.onclick = () => setTriggerValue("state", text);
    state.append(choose);
    tr.append(state, make("td", "mark held-out", heldOut ? "◆" : ""));
    data.names.forEach((_, answer) => tr.append(truthCell(data, row, answer)));
    for (const model of data.models) data.names.forEach((_, answer) => tr.append(answerCell(data, model, row, answer)));
    return tr;
  };
  const body = make("tbody");
  table.append(head, body);
  const scroller = virtual ? showInSight(root, table, body, rows, makeRow, data.states.indexOf(data.chosen), data.sort) : null;
  if (!virtual) body.append(...rows.map(makeRow));
  const legend = make("div", "legend small quiet");
  legend.append(make("div", "", MARKS_SAID), make("div", "", "◆ held out of training"
    + (data.models.some((model) => model.edited) ? " · ring: other than the same model unedited" : "")));
  legend.append(...neverSeen(data.never_seen));
  const tools = downloads(root, "comparison", () => csvRows(data));
  if (virtual) {
    const status = make("div", "progress small quiet", left || allRows(data.states.length));
    status.setAttribute("role", "status");
    root.replaceChildren(scroller, status, legend, tools);
    scroller.begin();
  } else root.replaceChildren(table, legend, tools);
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  root.dataset.condition = data.condition;
  root.dataset.left = left;
}
