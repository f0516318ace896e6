// Attention patterns of all heads for one state. A click ablates a head, a second one undoes it.

import { signColours } from "../../../client/drawing/colours.js";
import { differenceSwitch, FULL_SCALE, make } from "../../../client/drawing/dom.js";
import { paintPixels, paintSigned, partButtons, partUnder } from "../../../client/drawing/pixels.js";

// Square root, to make small weights visible: weight 0.04 is drawn at a fifth of full colour.
function drawPattern(canvas, weights, offset, size, colour) {
  paintPixels(canvas, size, size, (i) => [colour, Math.sqrt(weights[offset + i] / FULL_SCALE)]);
}

// Full colour is the largest change of any head.
function drawDifference(canvas, before, after, offset, size, colours, largest) {
  paintSigned(canvas, size, size, colours, (i) => after[offset + i] - before[offset + i], (change) => Math.sqrt(change / largest));
}

function build(root, data) {
  const nodes = data.layers.map((layer) => {
    const line = make("div", "layer");
    line.style.setProperty("--heads", layer.heads.length);
    line.append(make("span", "name", layer.name));
    for (const head of layer.heads) {
      const button = make("button", "head");
      button.dataset.site = head.site;
      button.innerHTML = '<span class="pictures"><canvas></canvas><canvas></canvas></span>'
        + '<span class="caption"><span class="what"></span><span class="moved mono quiet"></span></span>';
      line.append(button);
    }
    line.append(partButtons(layer.parts));
    return line;
  });
  root.replaceChildren(...nodes, make("div", "status small quiet mono"), make("div", "tools"));
}

function hover(root, data, baseline, edited) {
  const status = root.querySelector(".status");
  const rest = "Row attends to column. Hover to read, click to ablate the head.";
  status.textContent = rest;
  root.onmouseleave = () => { status.textContent = rest; };
  root.onmousemove = (event) => {
    const canvas = event.target.closest("canvas");
    if (!canvas) return;
    const box = canvas.getBoundingClientRect();
    const [key, query] = [partUnder(event.clientX, box.left, box.width, data.size), partUnder(event.clientY, box.top, box.height, data.size)];
    const site = canvas.closest("button").dataset.site;
    if (key > query) { status.textContent = `${site}: ${data.labels[key]} comes after ${data.labels[query]}`; return; }
    const index = data.order.indexOf(site) * data.size * data.size + query * data.size + key;
    const weight = (weights) => (weights[index] / FULL_SCALE).toFixed(3);
    status.textContent = `${site}: ${data.labels[query]} → ${data.labels[key]}  ${weight(baseline)}`
      + (data.edited ? `  edited ${data.edited_labels[query]} → ${data.edited_labels[key]}  ${weight(edited)}` : "");
  };
}

export function draw(root, data, send) {
  data.order = data.layers.flatMap((layer) => layer.heads.map((head) => head.site));
  // Buttons stay in place between clicks, which keeps the keyboard's focus.
  const shape = data.order.join();
  if (root.dataset.shape !== shape) build(root, data);
  root.dataset.shape = shape;
  root.onclick = (event) => {
    const button = event.target.closest("button[data-site]");
    if (button) send("site", button.dataset.site);
  };
  const [baseline, edited] = [data.baseline, data.edited_patterns];
  const colours = signColours(root);
  const differs = differenceSwitch(root, data.edited, () => draw(root, data, send));
  const largest = Math.max(1, ...data.layers.flatMap((layer) => layer.heads.map((head) => FULL_SCALE * head.moved)));
  data.layers.forEach((layer) => {
    for (const head of layer.heads) {
      const button = root.querySelector(`button[data-site="${head.site}"]`);
      const offset = data.order.indexOf(head.site) * data.size * data.size;
      const [left, right] = button.querySelectorAll("canvas");
      if (differs) drawDifference(left, baseline, edited, offset, data.size, colours, largest);
      else drawPattern(left, baseline, offset, data.size, colours.positive);
      right.hidden = !data.edited || differs;
      if (!right.hidden) drawPattern(right, edited, offset, data.size, colours.positive);
      button.querySelector(".pictures").classList.toggle("pair", !right.hidden);
      const done = data.active[head.site];
      button.setAttribute("aria-pressed", String(Boolean(done)));
      button.setAttribute("aria-label", `head ${head.site}${done ? `, ${done}` : ""}`);
      button.querySelector(".what").textContent = done ? `${head.site} ${done}` : head.site;
      button.querySelector(".moved").textContent = data.edited && head.moved >= 0.005 ? `Δ${head.moved.toFixed(2)}` : "";
      button.title = differs ? "edited minus baseline; Δ: the largest change of a weight"
        : data.edited ? "left: baseline, right: edited; Δ: the largest change of a weight" : "";
    }
    for (const part of layer.parts) {
      const button = root.querySelector(`button[data-site="${part.site}"]`);
      const done = data.active[part.site];
      button.setAttribute("aria-pressed", String(Boolean(done)));
      button.setAttribute("aria-label", `layer ${layer.name} ${part.label}${done ? `, ${done}` : ""}`);
      button.textContent = done ? `${part.label} ${done.split(/[@ ]/)[0]}` : part.label;
      button.title = `ablate ${part.site}: what ${part.label === "both" ? "attention and MLP add" : `the ${part.label} adds`} to the residual stream`;
    }
  });
  hover(root, data, baseline, edited);
  root.dataset.condition = data.condition;
}
