// Can a simple predictor do this? The held-out states that predictors fitted on the seen states get right.

import { downloads, escape, percent } from "./dom.js";
import { neverSeen } from "./marks.js";

const ofAll = (part, all) => `${part}/${all}`;

function predictors(data) {
  const cell = (right) => `<td class="mono${right === data.held ? " all" : ""}">${ofAll(right, data.held)}</td>`;
  const rows = data.predictors.map((each) => `<tr class="${each.best ? "best" : ""}"><th scope="row">${escape(each.name)}${each.best ? ' <span class="quiet">best</span>' : ""}</th>
    ${each.by_answer.map(cell).join("")}${data.counted ? cell(each.outputs) : ""}${cell(each.whole)}</tr>`).join("");
  const formulas = data.formulas;
  const counted = (each) => (each === null ? '<td class="quiet" title="follows from the outputs">–</td>' : each.count
    ? `<td class="mono" title="${escape(each.title)}">${percent(each.share)}<span class="count quiet">${escape(each.words)}</span></td>`
    : `<td class="quiet" title="${escape(each.title)}">none fits</td>`);
  const line = formulas ? `<tr class="formulas"><th scope="row" title="${escape(formulas.title)}">formulas that fit <span class="quiet">${escape(formulas.size)}</span></th>
    ${formulas.by_answer.map(counted).join("")}${data.counted ? '<td class="quiet">–</td>' : ""}${formulas.whole === null ? '<td class="quiet">–</td>' : `<td class="mono">${percent(formulas.whole)}</td>`}</tr>` : "";
  return `<div class="window" tabindex="0" role="region" aria-label="predictors"><table aria-label="what simple predictors get right"><thead><tr><th scope="col">held-out states right</th>
    ${data.answers.map((name) => `<th scope="col">${escape(name)}</th>`).join("")}${data.counted ? '<th scope="col" title="all outputs right, whatever the counts">outputs</th>' : ""}<th scope="col">whole</th></tr></thead><tbody>${rows}${line}</tbody></table></div>`;
}

function states(data) {
  const mark = (right) => (right ? '<td title="right">✓</td>' : '<td class="quiet" title="wrong">·</td>');
  const rows = data.states.map((each) => `<tr><th scope="row" class="mono">${escape(each.state)}</th>${each.right.map(mark).join("")}
    <td class="mono">${each.formulas === null ? "–" : percent(each.formulas)}</td></tr>`).join("");
  return `<details${data.unfolded ? " open" : ""}><summary class="small">Which held-out states each predictor gets right</summary>
    <div class="window" tabindex="0" role="region" aria-label="held-out states"><table aria-label="held-out states"><thead><tr><th scope="col">state</th>
    ${data.predictors.map((each) => `<th scope="col">${escape(each.name)}</th>`).join("")}<th scope="col" title="probability that the whole answer is right if a fitting formula is drawn for each output">formulas</th></tr></thead>
    <tbody>${rows}</tbody></table></div></details>`;
}

export function draw(root, data) {
  const unfolded = root.querySelector("details")?.open ?? false;
  root.innerHTML = `<div class="summary">${escape(data.summary)}</div>`
    + (data.held ? predictors(data) + states({ ...data, unfolded }) : "");
  root.append(...neverSeen(data.never_seen));
  if (data.held) {
    root.append(downloads(root, "predictors", () => [["predictor", ...data.answers, "outputs", "whole"],
      ...data.predictors.map((each) => [each.name, ...each.by_answer, each.outputs, each.whole])]));
  }
  root.dataset.what = data.what;
}
