// Numbers as pictures, one pixel per number; and buttons beside them.

import { make, rgb } from "./dom.js";

export const signColours = (root) => ({ positive: rgb(root, "--st-primary-color", "#0f6b74"), negative: rgb(root, "--st-orange-color", "#c5722a") });

// `pixel` returns for each index a colour and how opaque it is, from 0 to 1.
export function paintPixels(canvas, width, height, pixel) {
  [canvas.width, canvas.height] = [width, height];
  const context = canvas.getContext("2d");
  const image = context.createImageData(width, height);
  for (let i = 0; i < width * height; i++) {
    const [colour, opacity] = pixel(i);
    image.data.set(colour, 4 * i);
    image.data[4 * i + 3] = Math.round(255 * opacity);
  }
  context.putImageData(image, 0, 0);
}

// One colour per sign; `opacity` maps the size of a value to its opacity.
export function paintSigned(canvas, width, height, colours, valueAt, opacity) {
  paintPixels(canvas, width, height, (i) => {
    const value = valueAt(i);
    return [value < 0 ? colours.negative : colours.positive, opacity(Math.abs(value), i)];
  });
}

// Which of `count` equal parts of a length a position lies in.
export const partUnder = (position, start, length, count) => Math.min(count - 1, Math.max(0, Math.floor(((position - start) / length) * count)));

// Buttons for parts of a model that have no picture.
export function partButtons(parts) {
  const buttons = make("span", "parts");
  for (const part of parts) {
    const button = make("button", "part");
    button.dataset.site = part.site;
    buttons.append(button);
  }
  return buttons;
}
