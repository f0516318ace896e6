// The structure of a world: what depends on what, a line of facts, and how balanced its answers are.

import { closest, downloads, make, percent } from "../../client/drawing/dom.js";

function facts(data) {
  const line = make("div", "facts");
  for (const [value, meaning] of data.facts) {
    const fact = make("span", "fact");
    fact.append(make("b", "", value), ` ${meaning}`);
    line.append(fact);
  }
  return line;
}

function balance({ name, share: of, text, guessed }) {
  const row = make("li");
  const bar = make("span", "bar");
  const filled = make("span", "filled");
  filled.style.width = `${100 * of}%`;
  bar.append(filled);
  const label = make("span", "name", name);
  label.title = name;
  row.append(label, bar, make("span", "number small", `${text} ${percent(of)}`), make("span", "guessed small", guessed && `⚠ ${guessed}`));
  return row;
}

// The edges of the box under the pointer stand out.
function point(diagram, name) {
  diagram.classList.toggle("pointed", Boolean(name));
  for (const edge of diagram.querySelectorAll(".edge")) {
    edge.classList.toggle("near", edge.dataset.source === name || edge.dataset.target === name);
  }
}

/**
 * @param {any} root
 * @param {{ structure: any, stale: string }} data the structure of a world, and of which text it is if not of the present
 */
export function draw(root, { structure, stale }) {
  const wanted = JSON.stringify(structure);
  if (root.drawn !== wanted) {
    root.drawn = wanted;
    const diagram = make("div", "diagram");
    diagram.innerHTML = structure.svg;
    diagram.onmouseover = (event) => point(diagram, closest(event, ".box")?.dataset.name);
    diagram.onmouseleave = () => point(diagram, null);
    diagram.tabIndex = 0;
    diagram.setAttribute("role", "region");
    diagram.setAttribute("aria-label", "what depends on what");
    const list = make("ul", "balances");
    list.setAttribute("aria-label", "how balanced each answer is");
    list.append(...structure.balances.map(balance));
    const tools = make("div", "tools");
    tools.append(make("span", "small quiet", "Share of the states"), downloads(diagram, "dependencies"));
    root.replaceChildren(make("div", "stale small"), facts(structure), diagram, tools, list);
  }
  root.classList.toggle("is-stale", Boolean(stale));
  const said = root.querySelector(".stale");
  said.textContent = stale;
  said.style.visibility = stale ? "visible" : "hidden";
}
