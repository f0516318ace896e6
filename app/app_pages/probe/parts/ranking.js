// The elements of a model, ranked by how much ablating each alone moves the margins; seen and held-out states apart.

import { downloads, escape } from "../../../client/drawing/dom.js";

export function draw(root, data, send) {
  const focused = root.querySelector("button:focus")?.dataset.site;
  const longest = Math.max(...data.elements.map((one) => Math.max(one.seen, one.held_out ?? 0)), 1e-9);
  const bar = (kind, value) => (value === null ? "" : `<span class="bar ${kind}" style="width:${(100 * value / longest).toFixed(1)}%"></span>`);
  const broken = (one) => `${one.broken_seen} / ${one.held_out === null ? "–" : one.broken_held_out}`;
  const number = (value) => (value === null ? "–" : value.toFixed(2));
  const rows = data.elements.map((one) => `<tr>
      <td><button class="element mono" data-site="${escape(one.site)}" aria-pressed="${one.active}" title="ablate ${escape(one.site)}">${escape(one.site)}</button></td>
      <td class="bars">${bar("seen", one.seen)}${bar("unseen", one.held_out)}</td>
      <td class="mono">${number(one.seen)} / ${number(one.held_out)}</td>
      <td class="mono">${broken(one)}</td></tr>`).join("");
  const rest = data.left_out ? `<div class="small quiet">${data.left_out} more have smaller effects.</div>` : "";
  root.innerHTML = `<table aria-label="${data.noun}s by effect"><thead><tr><th scope="col">${data.noun}</th>
      <th scope="col"><span class="bar seen key"></span>seen <span class="bar unseen key"></span>held out</th>
      <th scope="col" title="mean absolute change of the margins, in logits">logits</th>
      <th scope="col" title="states that were right before the ablation and are wrong after it">broken</th></tr></thead><tbody>${rows}</tbody></table>${rest}`;
  root.append(downloads(root, "ranking", () => [[data.noun, "seen", "held_out", "broken_seen", "broken_held_out"],
    ...data.elements.map((one) => [one.site, one.seen, one.held_out ?? "", one.broken_seen, one.broken_held_out])]));
  root.onclick = (event) => {
    const button = event.target.closest("button[data-site]");
    if (button) send("site", button.dataset.site);
  };
  if (focused) root.querySelector(`button[data-site="${focused}"]`)?.focus();
}
