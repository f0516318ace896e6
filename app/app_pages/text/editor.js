// A text for the models to continue: typed, or composed of tokens. The box belongs to whoever types in it.

import { html, useLayoutEffect, useRef, useState } from "../../client/html.js";
import { Faulty, ask } from "../../client/server/api.js";
import { change, condition, question } from "../../client/store/store.js";

const PAUSE = 250; // milliseconds without a key before the typed text is read
const LONGEST = 4000; // characters: more than any text has, and few enough for an address

/** @typedef {{ text: string, shown: string, name: string }} Token */

/**
 * The box as it is between two drawings.
 * @typedef {{ waiting: any, asking: AbortController | null, accepted: string | null, isGone: boolean }} Draft
 */

/**
 * @param {{ data: any, text: string, put: { current: (text: string) => void } }} props `data` of the last text that the
 *   models have continued; `text` that they are to continue now; `put` is set to what puts a text into the box
 */
export function Editor({ data, text, put }) {
  const box = useRef(/** @type {any} */ (null));
  const draft = useRef(/** @type {Draft} */ ({ waiting: null, asking: null, accepted: null, isGone: false }));
  const [wrong, setWrong] = useState(/** @type {string[]} */ ([]));

  // A text that is not from the box: of a link, of the chosen state, of the way back. What is being typed is newer.
  useLayoutEffect(() => {
    const { waiting, asking, accepted } = draft.current;
    if (waiting || asking || text === accepted) return;
    box.current.value = draft.current.accepted = text;
    setWrong([]);
  }, [text]);
  useLayoutEffect(() => () => {
    draft.current.isGone = true;
    if (draft.current.waiting) deliver();
  }, []);

  async function deliver() {
    clearTimeout(draft.current.waiting);
    draft.current.asking?.abort();
    const asking = new AbortController();
    Object.assign(draft.current, { waiting: null, asking });
    const about = question();
    try {
      const read = await ask("typed", `${about}&typed=${encodeURIComponent(box.current.value)}`, { signal: asking.signal });
      if (asking.signal.aborted || question() !== about) return;
      draft.current.accepted = read.text ?? read.state;
      setWrong([]);
      // The sidebar shows the state with which the text begins.
      change({ text: read.text, state: read.state ?? condition.value?.state }, { isLate: draft.current.isGone });
    } catch (error) {
      if (error instanceof Faulty && !asking.signal.aborted) setWrong(error.faults.map((fault) => fault.text));
      else if (!asking.signal.aborted) throw error;
    } finally {
      if (draft.current.asking === asking) draft.current.asking = null;
    }
  }

  const wait = () => {
    clearTimeout(draft.current.waiting);
    draft.current.waiting = setTimeout(deliver, PAUSE);
  };
  const set = (/** @type {string} */ chosen) => { box.current.value = chosen; deliver(); };
  put.current = set;
  const back = () => {
    const tokens = [...data.tokens].sort((a, b) => b.text.length - a.text.length);
    const last = tokens.find((/** @type {Token} */ each) => box.current.value.endsWith(each.text));
    set(box.current.value.slice(0, last ? -last.text.length : -1));
  };
  return html`<div class="editor" data-text=${data.text} data-condition=${data.condition}>
    <label for="text">Text to continue: a prompt and any part of an answer, right or wrong</label>
    <textarea id="text" class="mono" ref=${box} rows="3" maxlength=${LONGEST} spellcheck=${false} autocapitalize="off"
      aria-invalid=${String(wrong.length > 0)} aria-describedby="fault" onInput=${wait} onBlur=${() => { if (draft.current.waiting) deliver(); }}></textarea>
    <${Keys} data=${data} append=${(/** @type {string} */ token) => set(box.current.value + token)} back=${back} put=${set} />
    <div class="fault" id="fault" role="alert">${wrong.join(" ")}</div>
  </div>`;
}

/** Buttons for what can be appended.
 * @param {{ data: any, append: (token: string) => void, back: () => void, put: (text: string) => void }} props
 */
function Keys({ data, append, back, put }) {
  const key = (/** @type {string} */ name, /** @type {string} */ text, /** @type {string} */ title, /** @type {() => void} */ act, isOn = true, kind = "") =>
    html`<button key=${name} class=${kind} data-focus=${name} title=${title} aria-label=${title} disabled=${!isOn} onClick=${act}>${text}</button>`;
  const isFull = data.count >= data.most;
  return html`<div class="keys">
    <div class="line">
      ${data.tokens.map((/** @type {Token} */ each) => key(`token ${each.shown}`, each.shown, `append ${each.name}`, () => append(each.text), !isFull, "token"))}
      ${key("back", "⌫", "remove the last token", back, data.count > 0, "token")}
    </div>
    <div class="line">
      ${key("prompt", `prompt of the state ${data.prompt}`, `begin with the prompt of the chosen state, ${data.prompt}`, () => put(data.prompt), data.text !== data.prompt)}
      ${key("right", "next right token", "append what the rules say comes next", () => put(data.right), data.right !== null)}
      ${key("written", "next token of the model", `append what ${data.model} writes next`, () => put(data.written), data.written !== null)}
    </div>
    <div class="about small quiet" aria-live="polite">${data.about}</div>
  </div>`;
}
