// The edits of the model, each with its tokens, a switch and a button to remove it; undo, redo, reset.

import { make } from "../../client/dom.js";

function entry(data, one, index, send) {
  const box = make("div", one.on ? "entry" : "entry off");
  box.dataset.entry = one.text;
  const on = make("input");
  on.type = "checkbox";
  on.checked = one.on;
  on.dataset.focus = `on ${index}`;
  on.setAttribute("aria-label", `${one.text} on`);
  on.title = one.on ? "switch off without removing" : "switch on";
  // Shown at once: the server takes a moment to answer.
  on.onchange = () => { box.classList.toggle("off", !on.checked); send("switched", index); };
  const remove = make("button", "remove", "✕");
  remove.dataset.focus = `remove ${index}`;
  remove.setAttribute("aria-label", `Remove ${one.text}`);
  remove.title = "remove this edit";
  remove.onclick = () => { box.remove(); send("removed", index); };
  const about = make("div", "about quiet");
  about.append(make("span", "tokens", one.tokens));
  if (one.unfit) {
    const unfit = make("span", "unfit", `⊘ not applied to ${one.unfit.models}`);
    unfit.title = one.unfit.why;
    about.append(document.createElement("br"), unfit);
  } else if (one.on) {
    about.append(document.createElement("br"));
    if (one.fixes === null) about.append(make("span", "", "counting what removing this fixes …"));
    else {
      const wrong = `of ${one.broken} wrong ${one.broken === 1 ? "state" : "states"}`;
      about.append(make("span", "", "removing this fixes "), make("span", "fixes", `${one.fixes}`), make("span", "", ` ${wrong}`));
    }
  }
  box.append(on, make("span", "what mono", one.text), remove, about);
  return box;
}

export function draw(root, data, send) {
  const focused = root.querySelector(":focus")?.dataset.focus;
  // The number of the change is sent too, so that a second click before the server answers still hits its target.
  const change = (what, index) => send(what, { index, text: data.entries[index]?.text ?? "" });
  const entries = data.entries.map((one, index) => entry(data, one, index, change));
  const buttons = make("div", "buttons");
  for (const [name, title, enabled] of [["Undo", "undo the last change of the edits", data.can_undo], ["Redo", "redo the change that was undone", data.can_redo], ["Reset", "remove all edits", data.entries.length > 0]]) {
    const button = make("button", "", name);
    button.title = title;
    button.disabled = !enabled;
    button.dataset.focus = name.toLowerCase();
    button.onclick = () => send("history", name.toLowerCase());
    buttons.append(button);
  }
  if (!entries.length) entries.push(make("div", "empty quiet", "No edits yet. Click a part of the model."));
  root.replaceChildren(...entries, buttons);
  if (focused) root.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus();
  root.dataset.edits = data.entries.map((one) => one.text).join(";");
}
