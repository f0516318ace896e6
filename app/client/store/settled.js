// When a page shows what was asked for, what can wait is asked for.

import { useLayoutEffect } from "../html.js";
import { question, settled } from "./store.js";

/** Say whether the page shows all that the condition asks for.
 * @param {boolean} isThere
 */
export function useSettled(isThere) {
  const query = question("on");
  useLayoutEffect(() => { settled.value = isThere ? query : ""; }, [isThere, query]);
}
