// The heads by how much their ablation alone moves the margins, seen and held-out states apart.

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".ranking");
  const focused = root.querySelector("button:focus")?.dataset.site;
  const longest = Math.max(...data.heads.map((head) => Math.max(head.seen, head.held_out ?? 0)), 1e-9);
  const bar = (kind, value) => (value === null ? "" : `<span class="bar ${kind}" style="width:${(100 * value / longest).toFixed(1)}%"></span>`);
  const broken = (head) => `${head.broken_seen} / ${head.held_out === null ? "–" : head.broken_held_out}`;
  const number = (value) => (value === null ? "–" : value.toFixed(2));
  const rows = data.heads.map((head) => `<tr>
      <td><button class="head mono" data-site="${head.site}" aria-pressed="${head.active}" title="ablate ${head.site}">${head.site}</button></td>
      <td class="bars">${bar("seen", head.seen)}${bar("unseen", head.held_out)}</td>
      <td class="mono">${number(head.seen)} / ${number(head.held_out)}</td>
      <td class="mono">${broken(head)}</td></tr>`).join("");
  root.innerHTML = `<table aria-label="heads by effect"><thead><tr><th scope="col">head</th>
      <th scope="col"><span class="bar seen key"></span>seen <span class="bar unseen key"></span>held out</th>
      <th scope="col" title="mean absolute change of the margins, in logits">logits</th>
      <th scope="col" title="states whose answer was right and is no longer">broken</th></tr></thead><tbody>${rows}</tbody></table>`;
  root.onclick = (event) => {
    const button = event.target.closest("button[data-site]");
    if (button) setTriggerValue("site", button.dataset.site);
  };
  if (focused) root.querySelector(`button[data-site="${focused}"]`)?.focus();
}
