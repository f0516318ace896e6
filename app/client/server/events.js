// What the server says by itself, as server-sent events.

import { addressOf, ask } from "./api.js";

/**
 * Listen to events of a route. While the tab is not in sight nothing is listened to: a browser opens only a few connections
 * to one server, for all its tabs together.
 * @param {string} route
 * @param {() => string} query asked for whenever listening begins
 * @param {Record<string, (data: any, end: () => void) => void>} takes what is done with each event, by its name
 * @returns {() => void} ends it
 */
export function listen(route, query, takes) {
  let source = /** @type {EventSource | null} */ (null);
  let lost = /** @type {AbortController | null} */ (null);
  const close = () => {
    source?.close();
    lost?.abort();
    source = lost = null;
  };
  const open = () => {
    close();
    if (document.hidden) return;
    source = new EventSource(addressOf(route, query()));
    for (const [name, take] of Object.entries(takes)) {
      source.addEventListener(name, (event) => take(JSON.parse(/** @type {MessageEvent} */ (event).data), close));
    }
    source.onerror = reopen;
  };
  const reopen = async () => {
    close();
    const mine = (lost = new AbortController());
    try {
      await ask("alive", "", { signal: mine.signal });
    } catch (error) {
      if (mine.signal.aborted) return;
      throw error;
    }
    if (!mine.signal.aborted) open();
  };
  open();
  document.addEventListener("visibilitychange", open);
  return () => {
    document.removeEventListener("visibilitychange", open);
    close();
  };
}
