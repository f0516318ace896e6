// The cost and accuracy of every model, answer by answer, for seen and held-out states.

import { downloads, escape, share } from "../../client/drawing/dom.js";
import { neverSeen } from "../../client/drawing/marks.js";

function score(before, now, written) {
  if (!now) return '<span class="score quiet" title="this output was forced">forced</span>';
  return [["seen", ""], ["held_out", "◆ "]].map(([group, mark]) => {
    const [right, all] = now[group];
    const changed = share(now[group]) !== share(before[group]);
    const classes = ["score", group, all && right < all ? "short" : "", changed ? "changed" : ""].join(" ");
    return `<span class="${classes}" title="${group === "seen" ? "states seen in training" : "states held out"}`
      + `${changed ? `; unedited ${share(before[group])}` : ""}">${mark}${share(now[group])}</span>`;
  }).join("") + asWritten(now, written);
}

// What is right as written, where that differs.
function asWritten(now, written) {
  if (!written || ["seen", "held_out"].every((group) => share(now[group]) === share(written[group]))) return "";
  return `<span class="score as-written" title="right as written (given the text before it): states seen in training, and ◆ held out">≈ ${share(written.seen)} ◆ ${share(written.held_out)}</span>`;
}

export function draw(root, data) {
  const heads = ["parameters", "trained, s", "samples", "arithmetic", "whole", ...data.names];
  const titles = ["", "seconds of training, evaluations included", "training samples, repetitions included",
    "floating-point operations of the training's matrix products", "states whose whole answer is right"];
  const rows = data.models.map((model) => `<tr data-model="${escape(model.name)}">
      <th scope="row">${escape(model.name)} <span class="title quiet">${escape(model.title)}</span></th>
      ${model.costs.map((cost) => `<td class="mono">${escape(cost)}</td>`).join("")}
      ${model.scores.map(([before, now], index) => `<td class="mono">${score(before, now, model.as_written[index])}</td>`).join("")}</tr>`
    + (model.notes.length
      ? `<tr class="notes" data-notes="${escape(model.name)}"><td colspan="${heads.length + 1}">${model.notes.map((note) => `<div>⚠ ${escape(note)}</div>`).join("")}</td></tr>`
      : "")).join("");
  const predictor = data.predictor ? `<tr class="predictor" title="${escape(data.predictor.title)}"><th scope="row">predictor <span class="title quiet">${escape(data.predictor.name)}</span></th>
      ${heads.slice(0, 4).map(() => '<td class="quiet">–</td>').join("")}
      ${data.predictor.scores.map((score) => `<td class="mono"><span class="score held_out">◆ ${share(score)}</span></td>`).join("")}</tr>` : "";
  root.innerHTML = `<table aria-label="models"><thead><tr><th scope="col">model</th>
      ${heads.map((name, index) => `<th scope="col" title="${titles[index] ?? `states whose ${escape(name)} is right`}">${escape(name)}</th>`).join("")}</tr></thead>
      <tbody>${rows}${predictor}</tbody></table>
      <div class="small quiet legend">right states out of all: seen in training, ◆ held out${data.edited ? " · ring: differs from unedited" : ""} · ≈ right as written (given the text before it), where that differs</div>`;
  root.append(...neverSeen(data.never_seen));
  root.append(downloads(root, "scores", () => [["model", "states", "whole", ...data.names],
    ...data.models.flatMap((model) => ["seen", "held_out"].map((group) => [model.name, group,
      ...model.scores.map(([, now]) => (now ? share(now[group]) : "forced"))])),
    ...data.models.flatMap((model) => ["seen", "held_out"].map((group) => [model.name, `${group}, as written`,
      ...model.as_written.map((written) => (written ? share(written[group]) : ""))])),
    ...(data.predictor ? [["predictor", "held_out", ...data.predictor.scores.map(share)]] : [])]));
  root.dataset.condition = data.condition;
}
