// How a model comes to its answers: in sentences, in shares, as claims that open to their counterexamples.

import { downloads, escape, percent, share } from "../../client/drawing/dom.js";
import { graphs, widthBeside } from "./graphs.js";

const WAYS = [["read", "read as written"], ["recomputed", "recomputed"], ["other", "neither"]];

function routeSummary(one) {
  // The server rounds every percentage together with its sentence, so that the two never disagree.
  const held = one.held_out === null ? ""
    : `<span class="held-out">◆ held out: ${WAYS.map(([, words], index) => `${words} ${one.held_out[index]} %`).join(", ")}</span>`;
  const along = one.along.map(([name, share]) => `${escape(name)} ${percent(share)}`).join(", ");
  const said = WAYS.map(([kind, words], index) => ({ kind, words, count: one.counts[index], percent: `${one.percent[index]} %` }));
  const bar = said.map((each) => `<span class="part ${each.kind}" style="flex-grow:${each.count}" title="${each.words}: ${each.count} of ${one.texts} texts"></span>`).join("");
  const key = said.map((each) => `<span><i class="dot ${each.kind}"></i>${each.words} <b>${each.percent}</b> <span class="quiet">${each.count}</span></span>`).join("\n      ");
  const shares = one.texts ? `<div class="bar" aria-hidden="true">${bar}</div>
    <div class="key">${key}${held}</div>` : "";
  return `<div class="route-summary" data-answer="${escape(one.answer)}">
    <p class="sentence">${escape(one.sentence)}</p>
    ${shares}
    <div class="small quiet">Best single formula: <span class="mono">${escape(one.derivation)}</span>, right on ${percent(one.agreement)} of all texts.
      Follows when one output alone is flipped in the text: ${along}.</div></div>`;
}

function claim(one, index) {
  const words = `<span class="share mono">${escape(one.share)}</span><span class="text">${escape(one.text)} <span class="quiet">– ${escape(one.cases)}</span></span>`;
  if (!one.counterexamples.length) return `<li><div class="claim"><span class="turn" title="no counterexample">✓</span>${words}</div></li>`;
  return `<li><details data-claim="${index}"><summary class="claim" title="${escape(one.counted)}"><span class="turn" aria-hidden="true">▶</span>${words}</summary>
    <ul class="counterexamples mono">${one.counterexamples.map((each) => `<li><button data-state="${escape(each.split(" ")[0])}" title="show this state">${escape(each)}</button></li>`).join("")}</ul></details></li>`;
}

export function draw(root, data, send) {
  const same = root.dataset.condition === data.condition;
  const open = same ? [...root.querySelectorAll("details[open]")].map((each) => each.dataset.claim) : [];
  const focused = same ? root.querySelector("summary:focus")?.parentElement.dataset.claim : undefined;
  const under = data.under.length ? `under <span class="mono">${data.under.map(escape).join("; ")}</span>` : "unedited";
  root.innerHTML = `<div class="of"><b>${escape(data.model)}</b> <span class="quiet">${under} · ${share(data.seen)} seen states right</span></div>
    ${data.caveats.map((each) => `<p class="caveat">⚠ ${escape(each)}</p>`).join("")}
    ${data.notes.map((each) => `<p class="note small">ⓘ ${escape(each)}</p>`).join("")}
    <div class="top"><div>${data.answers.map(routeSummary).join("")}</div><figure class="diagram" tabindex="0" aria-label="what each answer depends on">${graphs(data.diagram)}<figcaption class="small quiet">${escape(data.diagram_says)}</figcaption></figure></div>
    ${data.claims.length ? `<h4>Claims</h4><ul class="claims">${data.claims.map(claim).join("")}</ul>` : ""}
    ${data.claims.length ? `<div class="small quiet">Each claim gives the share of cases in which it holds; click ▶ to list the others.</div>` : ""}`;
  // Where both graphs do not fit beside the answers, they go below them.
  root.querySelector(".diagram").style.flexBasis = `min(100%, ${widthBeside(data.diagram)}px)`;
  for (const each of open) root.querySelector(`details[data-claim="${each}"]`)?.setAttribute("open", "");
  if (focused) root.querySelector(`details[data-claim="${focused}"] summary`)?.focus();
  root.onclick = (event) => {
    const button = event.target.closest("button[data-state]");
    if (button) send("state", button.dataset.state);
  };
  root.append(downloads(root, "verdict", () => [["claim", "cases", "holds", "counterexample"],
    ...data.claims.flatMap((one) => (one.counterexamples.length ? one.counterexamples : [""]).map((each) => [one.text, one.cases, one.share, each]))]));
  root.dataset.whole = data.whole;
  root.dataset.condition = data.condition;
}
