// Questions that may take seconds take turns: a browser opens only a few connections to one server, and what a click asks
// for must not wait for one.

import { askParts } from "../../client/server/api.js";

const MOST = 2;

/** Those that wait for their turn. @type {(() => void)[]} */
const waiting = [];
let running = 0;

/**
 * Ask for an answer in parts when it is its turn.
 * @param {string} route
 * @param {string} query
 * @param {{ signal?: AbortSignal }} [options]
 */
export async function* askInTurn(route, query, options = {}) {
  if (running >= MOST) await turn(options.signal);
  running += 1;
  try {
    yield* askParts(route, query, options);
  } finally {
    running -= 1;
    waiting.shift()?.();
  }
}

/** @param {AbortSignal} [stop] */
function turn(stop) {
  return new Promise((/** @type {(value: void) => void} */ resolve, reject) => {
    const come = () => resolve();
    waiting.push(come);
    stop?.addEventListener("abort", () => {
      const place = waiting.indexOf(come);
      if (place >= 0) waiting.splice(place, 1);
      reject(new DOMException("aborted", "AbortError"));
    });
  });
}
