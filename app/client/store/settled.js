// When a page has shown what was asked for, what can wait is asked for.

import { useLayoutEffect } from "../html.js";
import { question, settled } from "./store.js";

const REST = 150; // milliseconds: the browser paints first, and whoever clicks on at once does not wait for what can wait

/** Say whether the page shows all that the condition asks for.
 * @param {boolean} isThere
 */
export function useSettled(isThere) {
  const query = question("on");
  useLayoutEffect(() => {
    settled.value = "";
    if (!isThere) return undefined;
    const timer = setTimeout(() => { settled.value = query; }, REST);
    return () => clearTimeout(timer);
  }, [isThere, query]);
}
