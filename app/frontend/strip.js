// The written text of one state, token by token, one line a model or condition, and what the rules say.

const percent = (p) => (p > 0.9995 ? "100%" : p < 0.0005 ? "0%" : `${(100 * p).toFixed(p > 0.995 || p < 0.1 ? 1 : 0)}%`);

function cell(slot, written, before) {
  const td = document.createElement("td");
  td.className = slot.given ? "given" : slot.name ? "answer" : "separator";
  const token = document.createElement("span");
  token.className = "cell mono";
  token.textContent = written.token + (written.right ? "" : "✗");
  if (!written.right) token.classList.add("wrong");
  const changed = before !== null && before !== written.token;
  if (changed) token.classList.add("changed");
  td.append(token);
  if (!slot.given) {
    const sure = document.createElement("span");
    sure.className = "sure mono quiet";
    sure.textContent = percent(written.probability);
    td.append(sure);
    td.title = `${slot.name || "separator"}: wrote ${written.token}${changed ? ` (baseline ${before})` : ""}, `
      + `probability ${written.probability.toFixed(4)}; the rules say ${slot.truth}`;
  }
  return td;
}

function row(label, slots, make, name) {
  const tr = document.createElement("tr");
  if (name) tr.className = name;
  tr.dataset.row = label;
  const th = document.createElement("th");
  th.className = "row";
  th.scope = "row";
  th.textContent = label;
  tr.append(th, ...slots.map(make));
  return tr;
}

export default function ({ data, parentElement }) {
  const root = parentElement.querySelector(".strip");
  const table = document.createElement("table");
  const names = row("token", data.slots, (slot) => {
    const th = document.createElement("th");
    th.scope = "col";
    th.className = "name" + (slot.acted_on ? " acted" : "");
    th.textContent = slot.name;
    if (slot.acted_on) th.title = "an intervention acts at this token";
    return th;
  });
  const truth = row("the rules", data.slots, (slot) => {
    const td = document.createElement("td");
    td.className = "mono quiet";
    td.textContent = slot.truth;
    return td;
  }, "truth");
  const lines = data.rows.map((line) => row(line.label, data.slots,
    (slot, index) => cell(slot, line.cells[index], line.before ? line.before[index] : null)));
  table.append(names, ...lines, truth);
  const legend = document.createElement("div");
  legend.className = "legend small quiet";
  legend.textContent = "✗ wrong"
    + (data.edited ? " · ring: other than the baseline · bar under a name: an intervention acts there" : "")
    + " · per cent: probability of the token";
  root.replaceChildren(table, legend);
  root.dataset.condition = data.condition;
}
