// A line to type into. Enter sends it; it is cleared once the server has accepted it.

import { make } from "../../client/dom.js";

const PATIENCE = 3000; // milliseconds to wait for an answer before the same text is sent again

export function draw(root, data, send) {
  let box = root.querySelector("input");
  if (!box) {
    box = make("input", "mono");
    box.type = "text";
    box.spellcheck = false;
    box.autocomplete = "off";
    box.autocapitalize = "off";
    root.replaceChildren(box);
  }
  box.placeholder = data.placeholder;
  box.setAttribute("aria-label", data.label);
  if (root.sent && data.taken?.number === root.sent.number) {
    // Text typed since then stays.
    if (data.taken.added && box.value === root.sent.typed) box.value = "";
    root.sent = null;
  }
  box.onkeydown = (event) => {
    const text = box.value.trim();
    const waiting = root.sent?.typed === box.value && Date.now() - root.sent.number < PATIENCE;
    if (event.key !== "Enter" || event.isComposing || !text || waiting) return;
    root.sent = { typed: box.value, number: Date.now() };
    send("text", { text, number: root.sent.number });
  };
}
