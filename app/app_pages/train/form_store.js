// The form of a training: what is chosen on page Train, kept by the browser and written into the address.

import { signal } from "../../client/html.js";
import { writeAddress } from "../../client/store/address.js";
import { carriedToTrain } from "../../client/store/carried.js";

/** Choices by name; null for one that has its default. @typedef {Record<string, string | null>} Choices */

const CHOICES = ["rules", "held", "models", "name", "seed", "until", "epochs", "learning_rate", "width", "layers", "heads"];

/** The parameters of the address: the choices, how many states are drawn, and which training is watched. */
const PARAMETERS = [...CHOICES, "count", "watch"];

/** @type {import("../../client/html.js").Signal<Choices | null>} */
export const form = signal(null);

/** Begin, or come back to the page: on the way from page to page the query is dropped, and what was chosen stays. */
export function begin() {
  if (location.search.length > 1 || !form.value) follow();
  const address = addressOf(/** @type {Choices} */ (form.value));
  if (address !== location.pathname + location.search) history.replaceState(history.state, "", address);
}

/** Follow the address: at first, back and forward. */
export function follow() {
  const said = new URLSearchParams(location.search);
  form.value = Object.fromEntries(PARAMETERS.map((name) => [name, said.get(name) || null]));
}

/** Change some of the choices.
 * @param {Choices} values
 */
export function change(values) {
  const before = /** @type {Choices} */ (form.value);
  if (Object.entries(values).every(([name, value]) => before[name] === value)) return;
  form.value = { ...before, ...values };
  history.pushState(history.state, "", addressOf(form.value));
}

/** The query of a question about the form. */
export const formQuery = () => writeAddress(/** @type {Choices} */ (form.value), CHOICES);

/** @param {Choices} choices */
function addressOf(choices) {
  const query = [writeAddress(choices, PARAMETERS).replaceAll("%2F", "/"), carriedToTrain()].filter(Boolean).join("&");
  return location.pathname + (query && `?${query}`);
}
