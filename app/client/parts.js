// How a page is put together: parts that are drawn by a function, answers that follow the condition.

import { scheme } from "./drawing/colours.js";
import { html, useLayoutEffect, useRef, useState } from "./html.js";
import { Faulty, askOnce, askParts } from "./server/api.js";
import { asked as askedNow } from "./server/frames.js";

/**
 * A part that a function draws into an element of its own. While a pointer is pressed in it, drawing waits: replacing the
 * element would lose the click or the drag.
 * @param {{ name: string, draw: (root: any, data: any, send: (event: string, payload: any) => void) => void, data: any,
 *   send?: (event: string, payload: any) => void }} props
 */
export function Part({ name, draw, data, send = () => {} }) {
  const place = useRef(/** @type {any} */ (null));
  const held = useRef({ pressed: false, late: /** @type {(() => void) | null} */ (null), send });
  held.current.send = send;
  const painted = scheme.value;
  useLayoutEffect(() => {
    if (!data) return;
    const paint = () => draw(place.current, data, (event, payload) => held.current.send(event, payload));
    held.current.late = held.current.pressed ? paint : null;
    if (!held.current.pressed) paint();
  }, [draw, data, painted]);
  useLayoutEffect(() => {
    const release = () => {
      if (!held.current.pressed) return;
      held.current.pressed = false;
      // The click comes after the release.
      setTimeout(() => {
        if (held.current.pressed) return;
        held.current.late?.();
        held.current.late = null;
      });
    };
    const ends = ["pointerup", "pointercancel", "blur"];
    for (const end of ends) window.addEventListener(end, release);
    return () => { for (const end of ends) window.removeEventListener(end, release); };
  }, []);
  return html`<div class=${name} ref=${place} onPointerDown=${() => { held.current.pressed = true; }}></div>`;
}

/**
 * An answer that follows its question. The last answer stays until the next is there; late ones are dropped.
 * @typedef {{ query: string | null, data: any, faults: import("./server/api.js").Fault[] }} Answer
 */

/** @type {Answer} */
const NOTHING = { query: null, data: null, faults: [] };

/**
 * @param {string} route
 * @param {string | null | undefined} query null: there is no answer; undefined: the next question is not due yet
 * @returns {Answer}
 */
export const useAnswer = (route, query) => useParts(route, query, undefined, askOnce);

/**
 * An answer that comes in parts.
 * @param {string} route
 * @param {string | null | undefined} query
 * @param {(before: any, part: any) => any} [join] the answer so far; by default the last part
 * @param {typeof askParts} [asked] how it is asked for
 * @returns {Answer}
 */
export function useParts(route, query, join = (_, part) => part, asked = askParts) {
  const [answer, setAnswer] = useState(NOTHING);
  const complete = useRef("");
  useLayoutEffect(() => {
    if (query === null) {
      complete.current = "";
      setAnswer(NOTHING);
    }
    if (query === null || query === undefined || complete.current === `${route}?${query}`) return undefined;
    complete.current = "";
    const controller = new AbortController();
    const { show, end } = askedNow();
    const take = (/** @type {any} */ data, /** @type {import("./server/api.js").Fault[]} */ faults) => {
      show(() => { if (!controller.signal.aborted) setAnswer({ query, data, faults }); });
    };
    const work = async () => {
      let whole = null;
      for await (const part of asked(route, query, { signal: controller.signal })) take((whole = join(whole, part)), []);
      if (!controller.signal.aborted) complete.current = `${route}?${query}`;
    };
    work().catch((error) => {
      if (error instanceof Faulty) take(null, error.faults);
      else if (!controller.signal.aborted) throw error;
    });
    return () => { controller.abort(); end(); };
  }, [route, query]);
  return query === null ? NOTHING : answer;
}

/** What was wrong, each fault in its own box.
 * @param {{ faults: import("./server/api.js").Fault[] }} props
 */
export const Faults = ({ faults }) => html`${faults.map((fault) => html`<div class="fault" role="alert">${fault.text}</div>`)}`;

/** A choice among options, with its label above.
 * @param {{ label: string, name: string, value: string, options: [string, string][], choose: (value: string) => void, help?: string, wide?: boolean }} props
 */
export function Choice({ label, name, value, options, choose, help, wide }) {
  return html`<label class=${wide ? "choice wide" : "choice"} title=${help}>
    <span class="label">${label}${help && html` <span class="help" aria-hidden="true">?</span>`}</span>
    <select data-key=${name} value=${value} onChange=${(/** @type {any} */ event) => choose(event.target.value)}>
      ${options.map(([key, text]) => html`<option key=${key} value=${key} selected=${key === value}>${text}</option>`)}
    </select></label>`;
}

/** Buttons of which one is pressed.
 * @param {{ label: string, name: string, value: string, options: [string, string][], choose: (value: string) => void, help?: string, hidden?: boolean }} props
 */
export function Segments({ label, name, value, options, choose, help, hidden }) {
  return html`<div class="choice" role="group" aria-label=${label} data-key=${name}>
    ${!hidden && html`<span class="label" title=${help}>${label}${help && html` <span class="help" aria-hidden="true">?</span>`}</span>`}
    <span class="segments">${options.map(([key, text]) => html`<button key=${key} data-value=${key} aria-pressed=${String(key === value)} onClick=${() => choose(key)}>${text}</button>`)}</span></div>`;
}

/** A number that is taken when it is valid and the user leaves the box or presses Enter.
 * @param {{ label: string, name: string, value: number, lowest: number, largest: number, step: number, choose: (value: number) => void }} props
 */
export function Amount({ label, name, value, lowest, largest, step, choose }) {
  const take = (/** @type {any} */ event) => {
    const given = event.target.valueAsNumber;
    if (Number.isFinite(given) && given >= lowest && given <= largest) choose(given);
    else event.target.value = String(value);
  };
  return html`<label class="choice narrow"><span class="label">${label}</span>
    <input type="number" data-key=${name} value=${value} min=${lowest} max=${largest} step=${step === 1 ? 1 : "any"} onChange=${take} /></label>`;
}
