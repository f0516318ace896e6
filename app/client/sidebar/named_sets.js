// Named sets of edits: saved in a file on the server, loaded, and what is said of the last act on the file.

import { html, signal, useEffect, useRef, useState } from "../html.js";
import { writeAddress } from "../store/address.js";
import { Faulty, ask } from "../server/api.js";
import { editsOf, writeEdits } from "../store/edits.js";
import { Faults } from "../parts.js";
import { active, addTyped, change, condition } from "../store/store.js";

/** @typedef {{ name: string, interventions: string[], note: string }} NamedSet */
/** @typedef {"sidebar" | "page"} Place where an act was done */
/** @typedef {{ taken: string[], before: string | null, count?: number }} Answer */

/**
 * What is said of the last act, and what can be done now.
 * @typedef {{ place: Place, said?: string, faults?: import("../server/api.js").Fault[], offer?: string, act?: () => void }} Notice
 */

const [LONGEST_NAME, LONGEST_NOTE] = [60, 500];
const COMPARE = new URL("../../../compare", import.meta.url);

/** The named sets and their file, as far as they are known. @type {import("../html.js").Signal<{ sets: NamedSet[], file: string, file_name: string } | null>} */
export const known = signal(null);

/** Why the file cannot be read. @type {import("../html.js").Signal<import("../server/api.js").Fault[]>} */
const unreadable = signal([]);

/** @type {import("../html.js").Signal<Notice | null>} */
const notice = signal(null);

/** How often the file was looked at: what is measured of the sets is asked for anew. */
export const version = signal(0);

/** Look at the file again. */
export async function refreshSets() {
  try {
    known.value = await ask("named_sets", "");
    unreadable.value = [];
  } catch (error) {
    if (!(error instanceof Faulty)) throw error;
    known.value = null;
    unreadable.value = error.faults;
  }
  version.value += 1;
}

const quote = (/** @type {string} */ name) => `'${name}'`;

/** Change the file, and say how that went; resolves to whether it was changed.
 * @param {Place} place
 * @param {() => Promise<Notice>} act
 */
async function carryOut(place, act) {
  try {
    notice.value = await act();
  } catch (error) {
    if (!(error instanceof Faulty)) throw error;
    notice.value = { place, faults: error.faults };
    return false;
  }
  await refreshSets();
  return true;
}

/** @param {string} route @param {any} body @returns {Promise<Answer>} */
const post = (route, body, query = "") => ask(route, query, { post: true, body });

/** Put back what an act took away.
 * @param {Place} place @param {string} before content of a file @param {string} said
 */
const putBack = (place, before, said) => carryOut(place, async () => {
  await post("named_sets/import", new Blob([before]), "where=undo&replace=true");
  return { place, said };
});

/** What is said once a change is made; it can be undone if it took something away.
 * @param {Place} place @param {string} said @param {string | null} before @param {string} undone
 * @returns {Notice}
 */
const done = (place, said, before, undone) => (before ? { place, said, offer: "Undo", act: () => putBack(place, before, undone) } : { place, said });

/** Save edits under a name; a name that is taken is asked about. Resolves to whether they are saved.
 * @param {Place} place @param {string} name @param {string} note @param {string} on @param {boolean} [replace]
 */
async function saveSet(place, name, note, on, replace = false) {
  let isSaved = true;
  const went = await carryOut(place, async () => {
    const { taken, before } = await post("named_sets", { name, note, on, replace });
    isSaved = !taken.length;
    if (taken.length) return { place, said: `A set named ${quote(taken[0])} already exists.`, offer: "Replace it", act: () => saveSet(place, name, note, on, true) };
    return done(place, `${before ? "Replaced" : "Saved"} ${quote(name.trim())}.`, before, `${quote(name.trim())} is as before.`);
  });
  return went && isSaved;
}

/** Give a set another name.
 * @param {Place} place @param {string} name @param {string} to
 */
export const renameSet = (place, name, to) => carryOut(place, async () => {
  await post("named_sets/rename", { name, to });
  return { place, said: `Renamed ${quote(name)} to ${quote(to.trim())}.` };
});

/** Delete a set.
 * @param {Place} place @param {string} name
 */
export const deleteSet = (place, name) => carryOut(place, async () => {
  const { before } = await post("named_sets/delete", { name });
  return done(place, `Deleted ${quote(name)}.`, before, `Restored ${quote(name)}.`);
});

/** Add the sets of a file; names that are taken are asked about.
 * @param {Place} place @param {File} file @param {boolean} [replace]
 * @returns {Promise<boolean>}
 */
export const addFile = (place, file, replace = false) => carryOut(place, async () => {
  const { taken, before, count } = await post("named_sets/import", file, `where=${encodeURIComponent(file.name)}&replace=${replace}`);
  if (taken.length) return { place, said: `${file.name} has others of the same name: ${taken.map(quote).join(", ")}.`, offer: "Replace mine", act: () => addFile(place, file, true) };
  return done(place, `Added ${count === 1 ? "1 set" : `${count} sets`} from ${file.name}.`, before, "The replaced sets are as before.");
});

/** Have a set's edits instead of the present ones.
 * @param {NamedSet} set
 */
export function loadSet(set) {
  notice.value = null;
  change(writeEdits(set.interventions.map((text) => ({ text, on: true }))));
}

/** Add a set's edits to the present ones.
 * @param {NamedSet} set
 */
export function addSet(set) {
  notice.value = null;
  addTyped(set.interventions.join(";"));
}

/** What came of the last act, where it was done.
 * @param {{ place: Place }} props
 */
export function SetsNotice({ place }) {
  const now = notice.value;
  if (now?.place !== place) return null;
  return html`<${Faults} faults=${now.faults ?? []} />
    ${now.said && html`<div class="sets-notice" role="status" data-key="notice"><span>${now.said}</span>
      ${now.act && html`<button class="plain small" data-key="notice_act" onClick=${now.act}>${now.offer}</button>`}
      <button class="plain small" data-key="notice_close" onClick=${() => { notice.value = null; }}>Close</button></div>`}`;
}

/** The disclosure in the sidebar: save the active edits, load others. */
export function NamedSets() {
  const [isOpen, setOpen] = useState(false);
  const sets = known.value?.sets ?? [];
  useEffect(() => { if (isOpen) refreshSets(); }, [isOpen]);
  const compare = `${COMPARE.href}?${writeAddress({ ...condition.value, view: "sets" })}`;
  return html`<details class="named-sets" data-key="named_sets" onToggle=${(/** @type {any} */ event) => setOpen(event.target.open)}>
    <summary>Named sets</summary>
    ${isOpen && html`<${SaveForm} />
    <${SetsNotice} place="sidebar" />
    <${Faults} faults=${unreadable.value} />
    ${sets.length > 0 && html`<ul aria-label="named sets" tabindex="0">${sets.map((set) => html`<li key=${set.name} title=${[set.note, set.interventions.join("; ")].filter(Boolean).join("\n")}>
      <span class="name">${set.name}</span>
      <button class="plain small" data-focus=${`load ${set.name}`} aria-label=${`replace the current edits with ${set.name}`} onClick=${() => loadSet(set)}>load</button></li>`)}</ul>`}
    <a href=${compare} data-key="compare_sets" onClick=${(/** @type {any} */ event) => follow(event, compare)}>Compare, rename, export, import</a>`}
  </details>`;
}

/** Follow a link within the app as Back and Forward do: nothing is loaded anew.
 * @param {any} event @param {string} address
 */
function follow(event, address) {
  if (event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  history.pushState(null, "", address);
  dispatchEvent(new PopStateEvent("popstate"));
}

function SaveForm() {
  const [name, note] = [useRef(/** @type {any} */ (null)), useRef(/** @type {any} */ (null))];
  const off = editsOf(condition.value).filter((edit) => !edit.on).length;
  const save = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const typed = [name.current.value, note.current.value];
    // What was typed stays if it could not be saved, and so does what was typed meanwhile.
    if (!(await saveSet("sidebar", typed[0], typed[1], active.value))) return;
    for (const [index, box] of [name.current, note.current].entries()) if (box?.value === typed[index]) box.value = "";
  };
  return html`<form data-key="save" onSubmit=${save}>
    <label class="choice wide"><span class="label">Name for the active edits</span>
      <input type="text" data-key="set_name" ref=${name} maxlength=${LONGEST_NAME} autocomplete="off" /></label>
    <label class="choice wide"><span class="label">Note</span>
      <input type="text" data-key="set_note" ref=${note} maxlength=${LONGEST_NOTE} placeholder="what it is for" autocomplete="off" /></label>
    <button class="plain" data-key="save_set">Save</button>
    ${off > 0 && html`<div class="small quiet">${off === 1 ? "1 edit is" : `${off} edits are`} switched off and not saved.</div>`}
  </form>`;
}
