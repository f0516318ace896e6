// The open model on pages that show none: their addresses name it too, so that neither a reload nor a link forgets it.

import { readAddress, writeAddress } from "./address.js";
import { condition } from "./store.js";

/** @typedef {import("./address.js").Condition} Condition */

const CARRIED = ["model", "state", "on", "off"];

/** What the address named when the tab was loaded; it counts until a model is open. @type {Condition | null} */
let named = null;

/** Remember the model that an address names.
 * @param {string} search the part of an address from its "?" on
 */
export function remember(search) {
  const said = readAddress(search);
  const [name, model] = said.model?.includes("/") ? said.model.split("/") : [said.name, said.model];
  if (name && model) named = { ...said, name, model };
}

/** The query that names the open model, its state and its edits; "" if none is known. */
export function carriedQuery() {
  const now = condition.value ?? named;
  return now ? writeAddress(now, ["name", ...CARRIED]) : "";
}

/** The same for page Train, whose `name` is that of what is trained: there, model is NAME/RUN. */
export function carriedToTrain() {
  const now = condition.value ?? named;
  return now ? writeAddress({ ...now, model: `${now.name}/${now.model}` }, CARRIED).replaceAll("%2F", "/") : "";
}

/** Name the remembered model in the address of a page that follows its address, if that names nothing. */
export function bring() {
  const query = carriedQuery();
  if (location.search.length <= 1 && query) history.replaceState(history.state, "", `${location.pathname}?${query}`);
}
