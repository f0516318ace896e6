// All weights of a layer as thumbnails, each with its singular values. A click shows one in full.

import { signColours } from "../../../client/drawing/colours.js";
import { make } from "../../../client/drawing/dom.js";
import { paintSigned } from "../../../client/drawing/pixels.js";

const TALLEST = 34;

function drawThumb(canvas, one, colours) {
  paintSigned(canvas, one.columns, one.rows, colours, (i) => one.values[i], (size) => Math.sqrt(size / 127));
}

// Bars of the singular values, the largest on the left.
function spectrum(values, width) {
  if (!values.length) return "";
  const shown = values.slice(0, 64);
  const step = width / shown.length;
  const bars = shown.map((value, i) => {
    const height = Math.max(0.5, (12 * value) / shown[0]);
    return `<rect x="${(i * step).toFixed(2)}" y="${(12 - height).toFixed(2)}" width="${Math.max(step * 0.8, 0.4).toFixed(2)}" height="${height.toFixed(2)}"/>`;
  });
  return `<svg width="${width}" viewBox="0 0 ${width} 12" aria-hidden="true">${bars.join("")}</svg>`;
}

function build(root, data, colours) {
  root.replaceChildren(...data.weights.map((one) => {
    const button = make("button", "thumb");
    button.dataset.weight = one.site;
    button.title = `${one.site}, ${one.shape}${one.singular.length ? `; bars: singular values, the largest ${one.singular[0].toPrecision(3)}` : ""}`;
    const canvas = make("canvas");
    const width = one.rows === 1 ? 96 : Math.round(Math.min(136, Math.max(34, (TALLEST * one.columns) / one.rows)));
    canvas.style.width = `${width}px`;
    if (one.rows === 1) canvas.style.height = "8px";
    drawThumb(canvas, one, colours);
    button.append(canvas);
    button.insertAdjacentHTML("beforeend", spectrum(one.singular, width));
    button.append(make("span", "name mono", one.site));
    return button;
  }));
}

export function draw(root, data, send) {
  const colours = signColours(root);
  // Elements are reused between clicks, which keeps the keyboard's focus.
  const shape = data.weights.map((one) => `${one.site} ${one.singular[0]}`).join();
  if (root.dataset.shape !== shape) build(root, data, colours);
  root.dataset.shape = shape;
  for (const one of data.weights) {
    const button = root.querySelector(`[data-weight="${one.site}"]`);
    button.setAttribute("aria-pressed", String(one.site === data.chosen));
    button.querySelector(".name").classList.toggle("edited", one.edited);
    button.querySelector(".name").textContent = one.edited ? `${one.site} ✎` : one.site;
  }
  root.onclick = (event) => {
    const button = event.target.closest("[data-weight]");
    if (button) send("weight", button.dataset.weight);
  };
  root.dataset.condition = data.condition;
}
