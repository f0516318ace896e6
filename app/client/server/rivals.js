// Pages that show all models that can be compared tell the sidebar which edits some of them cannot carry out.

import { useLayoutEffect } from "../html.js";
import { unfit } from "../store/store.js";

/** Say, as long as the page is shown, which edits cannot be carried out by which models.
 * @param {{ model: string, edit: string, why: string }[]} found the same list as before if nothing has changed
 */
export function useUnfit(found) {
  useLayoutEffect(() => {
    unfit.value = found;
    return () => { if (unfit.value === found) unfit.value = null; };
  }, [found]);
}

/** By edit, the models that cannot carry it out, and why.
 * @param {{ model: string, edit: string, why: string }[]} found
 * @returns {Map<string, { models: string, why: string }>}
 */
export function byEdit(found) {
  const grouped = Map.groupBy(found, (each) => each.edit);
  return new Map([...grouped].map(([edit, all]) => [edit, {
    models: all.map((each) => each.model).join(", "),
    why: all.map((each) => `${each.model}: ${each.why}`).join("\n"),
  }]));
}
