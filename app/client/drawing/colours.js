// The colours of the theme as numbers, for pictures that are painted pixel by pixel.

import { signal } from "../html.js";

/** Changes with the colours of the theme: what is painted has to be painted again. */
export const scheme = signal(0);
// The theme follows a little later.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(() => {
  known.clear();
  scheme.value += 1;
}, 100));

/** Reading a style makes the browser lay out all that has changed, so each is read once. @type {Map<string, number[]>} */
const known = new Map();

/**
 * A colour of the theme as three numbers.
 * @param {Element} root in the theme
 * @param {string} name
 * @param {string} otherwise the colour if the theme has none of this name
 */
export function rgb(root, name, otherwise) {
  let found = known.get(name);
  if (!found) {
    const probe = /** @type {CanvasRenderingContext2D} */ (document.createElement("canvas").getContext("2d"));
    probe.fillStyle = getComputedStyle(root).getPropertyValue(name).trim() || otherwise;
    const hex = String(probe.fillStyle);
    known.set(name, (found = [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16))));
  }
  return found;
}

/** @param {Element} root */
export const signColours = (root) => ({ positive: rgb(root, "--st-primary-color", "#0f6b74"), negative: rgb(root, "--st-orange-color", "#c5722a") });
