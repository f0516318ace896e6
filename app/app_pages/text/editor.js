// A text for the models to continue: typed, or composed of tokens.

import { make } from "../../client/dom.js";

const PAUSE = 250; // milliseconds without a key before the typed text is sent
const PATIENCE = 3000; // milliseconds to wait for an answer to it

export function draw(root, data, send) {
  const deliver = (text) => {
    clearTimeout(root.waiting);
    root.waiting = null;
    root.sent = { text, at: performance.now() };
    send("text", text);
  };
  const box = root.querySelector("textarea") ?? build(root);
  // Text typed or clicked meanwhile is newer than the server's answer.
  const late = root.sent && root.sent.text !== data.typed && performance.now() - root.sent.at < PATIENCE;
  if (!root.waiting && !late) {
    if (box.value !== data.typed) box.value = data.typed;
    root.sent = null;
  }
  const put = (text) => { box.value = text; deliver(text); };
  box.oninput = () => {
    clearTimeout(root.waiting);
    root.waiting = setTimeout(() => deliver(box.value), PAUSE);
  };
  const backspace = () => {
    const last = [...data.tokens].sort((a, b) => b.text.length - a.text.length).find((each) => box.value.endsWith(each.text));
    put(box.value.slice(0, last ? -last.text.length : -1));
  };

  const focused = root.querySelector("button:focus")?.dataset.focus;
  const line = (...buttons) => {
    const made = make("div", "line");
    made.append(...buttons.map(([name, text, title, act, enabled = true, kind = ""]) => {
      const button = make("button", kind, text);
      button.dataset.focus = name;
      button.title = title;
      button.setAttribute("aria-label", title);
      button.disabled = !enabled;
      button.onclick = act;
      return button;
    }));
    return made;
  };
  const full = data.count >= data.most;
  const keys = root.querySelector(".keys");
  keys.replaceChildren(
    line(
      ...data.tokens.map((each) => [`token ${each.shown}`, each.shown, `append ${each.name}`, () => put(box.value + each.text), !full, "token"]),
      ["back", "⌫", "remove the last token", backspace, box.value !== "", "token"],
    ),
    line(
      ["prompt", `prompt of the state ${data.prompt}`, `begin with the prompt of the chosen state, ${data.prompt}`, () => put(data.prompt), data.text !== data.prompt],
      ["right", "next right token", "append what the rules say comes next", () => put(data.right), data.right !== null],
      ["written", "next token of the model", `append what ${data.model} writes next`, () => put(data.written), data.written !== null],
    ),
    make("div", "about small quiet", data.about),
  );
  keys.querySelector(".about").setAttribute("aria-live", "polite");
  const fault = root.querySelector(".fault");
  fault.textContent = data.faults.join(" ");
  box.setAttribute("aria-invalid", String(data.faults.length > 0));
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]:enabled`)?.focus();
  root.dataset.text = data.text;
  root.dataset.condition = data.condition;
}

function build(root) {
  const label = make("label", "", "Text to continue: a prompt and any part of an answer, right or wrong");
  const box = make("textarea", "mono");
  box.id = "text";
  label.htmlFor = "text";
  box.spellcheck = false;
  box.autocapitalize = "off";
  box.rows = 3;
  const fault = make("div", "fault");
  fault.id = "fault";
  fault.setAttribute("role", "alert");
  box.setAttribute("aria-describedby", "fault");
  root.replaceChildren(label, box, make("div", "keys"), fault);
  return box;
}
