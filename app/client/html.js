// What a script of the client needs of the libraries in vendor: components of HTML templates, and signals.

import htm from "./vendor/htm.js";
import { h } from "./vendor/preact.js";

export const html = htm.bind(h);

export { render } from "./vendor/preact.js";
export { useEffect, useLayoutEffect, useMemo, useRef, useState } from "./vendor/hooks.js";
export { batch, computed, effect, signal, untracked, useComputed, useSignal } from "./vendor/signals.js";

/**
 * @template T
 * @typedef {import("./vendor/signals.js").Signal<T>} Signal
 */
