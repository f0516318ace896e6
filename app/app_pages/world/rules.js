// The rules that are edited on page World: their text, what the server says of it, and the result of the last request.
// They survive the way from page to page. The address says them; as part of the browser's history they outlive a reload,
// even those that are too long for an address.

import { batch, signal } from "../../client/html.js";
import { Faulty, ask } from "../../client/server/api.js";
import { carriedQuery } from "../../client/store/carried.js";
import { packedQuery, plainQuery } from "./rules_address.js";

/** @typedef {import("../../client/server/api.js").Fault} Fault */

const PAUSE = 200; // milliseconds without a key before the server is asked about the typed text
const KEPT = "the-experiment rules"; // what the browser keeps under this name outlives a reload
const MOST = 40000; // characters of a text that are sent: more than any rules have

/** @type {Fault} */
const UNREACHED = {
  where: "", message: "the server cannot be reached", expected: "an answer", got: "none", hint: "Try again.",
  text: "The server cannot be reached: nothing was done. Try again as soon as it answers.",
};

/** The text in the editor; null until the first one is known. @type {import("../../client/html.js").Signal<string | null>} */
export const text = signal(null);

/** The last text that was not typed; a fresh object each time. @type {import("../../client/html.js").Signal<{ text: string }>} */
export const loaded = signal({ text: "" });

/** The name to save under; null if the files say it. @type {import("../../client/html.js").Signal<string | null>} */
export const name = signal(null);

/** What the server says of a text, and that text. @type {import("../../client/html.js").Signal<any>} */
export const answer = signal(null);

/** The world of the last text without faults, and that text. @type {import("../../client/html.js").Signal<any>} */
export const world = signal(null);

/** The result of the last request. @type {import("../../client/html.js").Signal<{ faults: Fault[], said?: string, isTaken?: boolean }>} */
export const notice = signal({ faults: [] });

/** Of several texts that are asked for in a row, the last one counts; what is typed meanwhile counts more. */
let asking = 0;

/** A link to the page with the rules as they are; "" if they are too long for an address. @type {import("../../client/html.js").Signal<string>} */
export const link = signal("");

/** The path of the page, and the text that its address was given last. */
let [here, written] = ["", /** @type {string | null} */ (null)];

let waiting = /** @type {number | undefined} */ (undefined);
let looking = new AbortController();
let checked = Promise.resolve();

const queryOf = (/** @type {Record<string, string>} */ values) => String(new URLSearchParams(values));
const sent = () => String(text.value).slice(0, MOST).toWellFormed();

/** Begin, or come back to the page. */
export function begin() {
  here = location.pathname;
  const kept = takeKept();
  if (kept === null) follow();
  else show(kept, null);
}

/** Follow the address: at first, on a link, back and forward. */
export function follow() {
  const query = new URLSearchParams(location.search);
  const kept = history.state?.rules;
  const isNamed = query.has("rules") || query.has("rulesz");
  // What was typed since the address was written is newer; and the way from page to page drops the query.
  if (text.value !== null && (kept === undefined ? !isNamed : kept === written)) show(text.value, name.value);
  else if (kept !== undefined) show(kept, null);
  else followLink(query);
}

/** @param {URLSearchParams} query */
async function followLink(query) {
  const mine = ++asking;
  const named = ["rulesz", "rules"].filter((each) => query.has(each)).map((each) => [each, String(query.getAll(each).at(-1))]);
  const found = await attempt(() => ask("world/linked", String(new URLSearchParams(named))));
  if (mine !== asking) return;
  const faults = notice.value.faults;
  if (found) show(found.text, found.text === text.value ? name.value : null);
  else if (text.value !== null) show(text.value, name.value);
  else show((await ask("world/linked", "")).text, null);
  notice.value = { faults };
}

/** Show a text in the editor.
 * @param {string} shown
 * @param {string | null} named
 * @param {boolean} [isStep] whether this is a step of its own in the browser's history
 */
function show(shown, named, isStep = false) {
  asking += 1;
  batch(() => {
    text.value = shown;
    loaded.value = { text: shown };
    name.value = named;
    notice.value = { faults: [] };
  });
  publish(isStep);
  look();
}

/** Take over what was typed.
 * @param {string} typed
 */
export function type(typed) {
  asking += 1;
  batch(() => {
    text.value = typed.toWellFormed();
    notice.value = { faults: [] };
  });
  clearTimeout(waiting);
  waiting = setTimeout(() => { publish(false); look(); }, PAUSE);
}

/** Change the name under which the rules will be saved.
 * @param {string} given
 */
export function rename(given) {
  name.value = given;
  notice.value = { faults: [] };
}

/** Write the text into the address and into the history.
 * @param {boolean} isStep whether this is a step of its own
 */
function publish(isStep) {
  const now = text.value;
  if (now === null) return;
  written = now;
  const plain = plainQuery(now);
  if (plain !== null) {
    put(plain, now, isStep);
    link.value = linkTo(plain);
    return;
  }
  // Compressing takes a moment; until then the entry has its text, but not yet its address.
  put(null, now, isStep);
  packedQuery(now).then((packed) => {
    if (written !== now) return;
    put(packed, now, false);
    link.value = packed && linkTo(packed);
  });
}

/** The page's query: the rules, and the model that is open.
 * @param {string} rules
 */
const withModel = (rules) => [rules, carriedQuery()].filter(Boolean).join("&");

const linkTo = (/** @type {string} */ rules) => `${location.origin}${here}?${withModel(rules)}`;

/** @param {string | null} rules as a query; null leaves the address as it is @param {string} now @param {boolean} isStep */
function put(rules, now, isStep) {
  // A page that has been left writes nothing.
  if (location.pathname !== here) return;
  const query = rules === null ? location.search.slice(1) : withModel(rules);
  const address = query ? `${here}?${query}` : here;
  const state = { ...history.state, rules: now };
  if (isStep) history.pushState(state, "", address);
  else if (history.state?.rules !== now || address !== location.pathname + location.search) history.replaceState(state, "", address);
}

/** Ask the server about the text; late answers are dropped. */
function look() {
  clearTimeout(waiting);
  waiting = undefined;
  looking.abort();
  looking = new AbortController();
  checked = check(looking.signal);
}

/** @param {AbortSignal} stop */
async function check(stop) {
  const of = String(text.value);
  let found = /** @type {any} */ (null);
  try {
    found = await ask("world", queryOf({ rules: sent() }), { signal: stop });
  } catch (error) {
    if (stop.aborted) return;
    if (!(error instanceof Faulty)) throw error;
    found = { ...(answer.value ?? { words: [], files: [], same: [] }), faults: error.faults, said: "", world: null };
  }
  if (stop.aborted || of !== text.value) return;
  batch(() => {
    answer.value = { ...found, of };
    if (found.world) world.value = { ...found.world, of };
    if (name.value === null) name.value = fileOf(found)?.saved_as ?? "";
  });
}

/** The file with the text of an answer; if there are several, the one with the name of the rules.
 * @param {any} found
 */
function fileOf(found) {
  const same = found.same.includes(name.value) ? name.value : found.same[0];
  return found.files.find((/** @type {any} */ each) => each.name === same) ?? null;
}

/** The file with the text that the answer is about, or null. */
export const file = () => (answer.value ? fileOf(answer.value) : null);

/** Do something, and keep what was wrong with it; resolves to its result, or to null.
 * @template T
 * @param {() => Promise<T>} act
 * @returns {Promise<T | null>}
 */
async function attempt(act) {
  notice.value = { faults: [] };
  try {
    return await act();
  } catch (error) {
    notice.value = error instanceof Faulty ? { faults: error.faults, isTaken: error.status === 409 } : { faults: [UNREACHED] };
    return null;
  }
}

/** Open a file that the server lists.
 * @param {string} named
 */
export const open = (named) => take(() => ask("world/file", queryOf({ name: named })));

/** Open a file of this machine.
 * @param {File} chosen
 */
export const upload = (chosen) => take(() => ask("world/upload", queryOf({ name: chosen.name }), { post: true, body: chosen }));

/** @param {() => Promise<any>} act */
async function take(act) {
  const mine = ++asking;
  const found = await attempt(act);
  if (!found || mine !== asking) return;
  // Whoever goes back finds what was typed last.
  publish(false);
  show(found.text, found.name, found.text !== text.value);
}

/** Save the rules under their name; resolves to that of the file, or to null if that is not possible.
 * @param {boolean} [replace] whether other rules of that name may be replaced
 */
export const save = (replace = false) => keep("world/save", { name: (name.value ?? "").trim(), replace: String(replace) });

/** Save the rules under an unused name, and continue with that copy. */
export const duplicate = () => keep("world/duplicate", { name: file()?.name ?? (name.value ?? "").trim() });

/** @param {string} route @param {Record<string, string>} values */
async function keep(route, values) {
  const saved = await attempt(() => ask(route, queryOf({ ...values, rules: sent() }), { post: true }));
  if (!saved) return null;
  batch(() => {
    name.value = saved.name;
    notice.value = { faults: [], said: `Saved: ${saved.path}` };
  });
  look();
  return /** @type {string} */ (saved.name);
}

/** The name of the file of the rules; they are saved if there is none. Null if that is not possible, which is shown. */
export async function savedName() {
  if (waiting !== undefined) look();
  await checked;
  const there = answer.value?.of === text.value && !answer.value.faults.length ? file() : null;
  return there ? there.name : save();
}

/** The rules as a Boolean network, or null if they have faults, which is shown. */
export const network = () => attempt(() => ask("world/network", queryOf({ rules: sent() })));

// During a reload it is too late to change the history: what was typed just before is kept beside it.
addEventListener("pagehide", () => {
  if (text.value !== null && location.pathname === here) sessionStorage.setItem(KEPT, text.value);
});

/** The text that the page had when it was reloaded; null if it was not. */
function takeKept() {
  const [loading] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  const kept = sessionStorage.getItem(KEPT);
  sessionStorage.removeItem(KEPT);
  return loading?.type === "reload" && new URL(loading.name).pathname === here ? kept : null;
}
