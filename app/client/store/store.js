// What a person explores: model, state, edits, what a click does, what is shown. All parts of a page share it, and it
// survives the way from page to page. Every change goes through `change`, which writes it into the address.

import { batch, computed, signal } from "../html.js";
import { PARAMETERS, readAddress, writeAddress } from "./address.js";
import { Faulty, ask } from "../server/api.js";
import { clickedEdit, editsOf, samePlace, writeEdits } from "./edits.js";

/** @typedef {import("./address.js").Condition} Condition */

/** @type {import("../html.js").Signal<Condition | null>} */
export const condition = signal(null);

/** What the server says of the open model once: its world, its texts, its parts. @type {import("../html.js").Signal<any>} */
export const frame = signal(null);

/** The trained models, and why some cannot be opened. @type {import("../html.js").Signal<any>} */
export const models = signal(null);

/** What was wrong with the last address, text or click. @type {import("../html.js").Signal<import("../server/api.js").Fault[]>} */
export const faults = signal([]);

/** Edits before and after, to undo and redo. */
const past = signal(/** @type {string[][]} */ ([]));
const future = signal(/** @type {string[][]} */ ([]));
export const canUndo = computed(() => past.value.length > 0);
export const canRedo = computed(() => future.value.length > 0);

const KEPT = "the-experiment undo"; // what the browser keeps under this name outlives a reload
const MOST_KEPT = 50; // steps back, and steps forward

/** What Undo and Redo lead away from: only with the same edits of the same model what was kept means something.
 * @param {Condition} now
 */
const editsNamed = (now) => writeAddress(now, ["name", "model", "on", "off"]);

addEventListener("pagehide", () => {
  if (!condition.value) return;
  const kept = { of: editsNamed(condition.value), past: past.value.slice(-MOST_KEPT), future: future.value.slice(-MOST_KEPT) };
  sessionStorage.setItem(KEPT, JSON.stringify(kept));
});

/** Take over what was kept when this tab was reloaded, or left for another site; a link begins anew.
 * @param {Condition} opened
 */
function takeKept(opened) {
  const [loading] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
  if (loading?.type === "navigate") return;
  const kept = JSON.parse(sessionStorage.getItem(KEPT) ?? "null");
  if (kept?.of === editsNamed(opened)) [past.value, future.value] = [kept.past, kept.future];
}

/** The active edits as text. */
export const active = computed(() => editsOf(condition.value).filter((edit) => edit.on).map((edit) => edit.text).join(";"));

/** Whether the page shows all models that can be compared: an edit may be one of another than the open model. */
export const comparing = signal(false);

/** On such a page, which edits cannot be carried out, for each model that cannot; null elsewhere.
 * @type {import("../html.js").Signal<{ model: string, edit: string, why: string }[] | null>}
 */
export const unfit = signal(null);

/** The question whose answer the page shows. What can wait, and would take the cores from it, is asked for then. */
export const settled = signal("");

/** The edit that the last click made: if it cannot be carried out, it is taken back. */
let clicked = "";

/**
 * The query of a question about the condition: some of its parameters, and the edits that are on.
 * @param {string[]} names of parameters; `on` stands for the active edits
 */
export function question(...names) {
  const now = { ...condition.value, on: active.value || null };
  return writeAddress(now, ["name", "model", ...names]);
}

/** Change parameters of the condition. Changes of the edits can be undone.
 * @param {Partial<Condition>} values
 * @param {{ isLate?: boolean }} [how] late: it belongs to a page that the user has left; it is no step of the history
 */
export function change(values, { isLate = false } = {}) {
  const before = condition.value;
  const after = { ...before, ...values };
  if (!before || PARAMETERS.every((name) => (after[name] ?? null) === (before[name] ?? null))) return;
  batch(() => {
    if (after.on !== before.on || after.off !== before.off) {
      past.value = [...past.value, [before.on ?? "", before.off ?? ""]];
      future.value = [];
    }
    faults.value = [];
    condition.value = after;
  });
  publish(isLate);
}

/** The address of the page as it is now, from its path on. */
export const addressNow = () => `${location.pathname}?${writeAddress(/** @type {Condition} */ (condition.value))}`;

/** What is to be written into the address next. @type {{ address: string, isLate: boolean } | null} */
let unwritten = null;

/** Write the condition into the address. That takes a browser as long as drawing, so the questions are sent first.
 * @param {boolean} [isLate] whether that is no step of the history
 */
function publish(isLate = false) {
  write();
  unwritten = { address: addressNow(), isLate };
  setTimeout(write);
}

function write() {
  const next = unwritten;
  unwritten = null;
  if (!next || next.address === location.pathname + location.search) return;
  if (next.isLate) history.replaceState(history.state, "", next.address);
  else history.pushState(history.state, "", next.address);
}

/** Go back to the edits before their last change. */
export const undo = () => go(past, future);
/** Make again the change that was undone last. */
export const redo = () => go(future, past);

/**
 * @param {typeof past} there
 * @param {typeof past} back
 */
function go(there, back) {
  const before = condition.value;
  const edits = there.value.at(-1);
  if (!edits || !before) return;
  batch(() => {
    there.value = there.value.slice(0, -1);
    back.value = [...back.value, [before.on ?? "", before.off ?? ""]];
    faults.value = [];
    condition.value = { ...before, on: edits[0] || null, off: edits[1] || null };
  });
  publish();
}

/** Edit a part of the model as the click action says, or remove its edit.
 * @param {string} text the edit that a click makes if the part has none
 * @param {Partial<Condition>} [values] further changes
 */
export function toggle(text, values = {}) {
  const edits = editsOf(condition.value);
  const kept = edits.filter((edit) => !(edit.on && samePlace(edit.text, text, frame.value)));
  const isNew = kept.length === edits.length;
  if (isNew) kept.push({ text, on: true });
  change({ ...writeEdits(kept), ...values });
  clicked = isNew ? text : "";
}

/** Click a part of the model.
 * @param {string} site
 * @param {"kind" | "weights"} family
 * @param {Partial<Condition>} [values] further changes
 */
export const click = (site, family, values) => toggle(clickedEdit(site, family, condition.value, frame.value), values);

/** Take back the last click if the server says that its edit cannot be carried out.
 * @param {{ edit: string, text: string }[]} unfit
 */
export function reject(unfit) {
  const mine = unfit.filter((each) => each.edit === clicked);
  if (!mine.length) return;
  clicked = "";
  undo();
  future.value = future.value.slice(0, -1);
  faults.value = [...new Map(mine.map((each) => [each.text, each])).values()].map((each) => ({ where: each.edit, message: "", expected: "", got: "", hint: "", text: each.text }));
}

/** Add edits as typed text; resolves to whether all of them could be added.
 * @param {string} text
 */
export async function addTyped(text) {
  const query = `${question()}&${writeAddress({ ...condition.value, on: active.value || null }, ["on"])}`;
  const { added, faults: found } = await ask("edits", `${query}&add=${encodeURIComponent(text)}&rivals=${comparing.value}`);
  if (added.length) change(writeEdits([...editsOf(condition.value), ...added.map((/** @type {string} */ each) => ({ text: each, on: true }))]));
  faults.value = found;
  return !found.length;
}

/** Of several addresses or models that are asked for in a row, the last one counts. */
let asking = 0;

/** Open another model, and keep the parts of the condition that apply to it; edits stay.
 * @param {string} name
 * @param {string} model
 */
export async function openModel(name, model) {
  const mine = ++asking;
  const kept = /** @type {Condition} */ (condition.value);
  const { query, frame: opened } = await ask("condition", writeAddress({ ...kept, name, model, on: null, off: null }));
  if (mine !== asking) return;
  const sameWorld = opened.states.length === frame.value.states.length && opened.states.every((/** @type {string} */ each, /** @type {number} */ index) => each === frame.value.states[index]);
  batch(() => {
    frame.value = opened;
    change(complete({ ...query, ...(sameWorld ? { on: kept.on, off: kept.off } : {}) }));
  });
}

/** Follow an address: at first, on a link, back and forward.
 * @param {string} search
 */
export async function follow(search) {
  const mine = ++asking;
  const here = location.pathname;
  const asked = readAddress(search);
  const known = frame.value ? writeAddress({ known: `${condition.value?.name}/${condition.value?.model}` }, ["known"]) : "";
  const { query, faults: found, frame: opened } = await ask("condition", `${writeAddress(asked)}&${known}&rivals=${comparing.value}`);
  if (mine !== asking) return;
  batch(() => {
    frame.value = opened ?? frame.value;
    if (!condition.value) takeKept(complete(query));
    condition.value = complete(query);
    faults.value = found;
  });
  // The address of a page to which the user went meanwhile is not this one's.
  if (location.pathname === here) publish(true);
}

/** A condition with every parameter; those that are not given have their defaults.
 * @param {Partial<Condition>} given
 * @returns {Condition}
 */
const complete = (given) => Object.fromEntries(PARAMETERS.map((name) => [name, given[name] ?? null]));

/** Begin, or come back to a page that shows a model. */
export async function begin() {
  refreshModels();
  if (location.search.length > 1 || !condition.value) await begun(location.search);
  // On the way from page to page Streamlit drops the query; writing it again is no step of the history.
  else publish(true);
}

/** @param {string} search */
async function begun(search) {
  try {
    await follow(search);
  } catch (error) {
    if (!(error instanceof Faulty)) throw error;
    faults.value = error.faults;
  }
}

/** Look for trained models again. */
export async function refreshModels() {
  models.value = await ask("models", "");
}
