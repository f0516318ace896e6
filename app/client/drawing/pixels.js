// Numbers as pictures, one pixel per number; and buttons beside them.

import { make } from "./dom.js";

// `pixel` returns for each index a colour, as three numbers up to 255, and how opaque it is, from 0 to 1.
export function paintPixels(canvas, width, height, pixel) {
  // A canvas whose size is set takes memory anew.
  if (canvas.width !== width || canvas.height !== height) [canvas.width, canvas.height] = [width, height];
  const image = new ImageData(width, height);
  const { data } = image;
  for (let i = 0, byte = 0; i < width * height; i++, byte += 4) {
    const [colour, opacity] = pixel(i);
    // One by one: to set a typed array from a list takes several times as long.
    data[byte] = colour[0];
    data[byte + 1] = colour[1];
    data[byte + 2] = colour[2];
    data[byte + 3] = Math.round(255 * opacity);
  }
  canvas.getContext("2d").putImageData(image, 0, 0);
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
