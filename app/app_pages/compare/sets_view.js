// Named sets of edits side by side: what the open model still gets right under each.

import { html, useEffect, useMemo } from "../../client/html.js";
import { save as saveAs } from "../../client/drawing/dom.js";
import { SetsNotice, addFile, addSet, deleteSet, known, loadSet, refreshSets, renameSet, version } from "../../client/sidebar/named_sets.js";
import { Faults, Part, useParts } from "../../client/parts.js";
import { useSettled } from "../../client/store/settled.js";
import { question } from "../../client/store/store.js";
import { draw } from "./sets.js";

/** The table as far as it is measured.
 * @param {any} before
 * @param {any} part the whole table, or what was measured of one entry
 */
const join = (before, part) => (part.entries ? part : {
  ...before,
  entries: before.entries.map((/** @type {any} */ entry, /** @type {number} */ index) => (index === part.index ? { ...entry, ...part } : entry)),
});

export function SetsView() {
  useEffect(() => { refreshSets(); }, []);
  const query = question("state", "on");
  const asked = version.value ? `${query}&version=${version.value}` : undefined;
  const { data, faults, query: shown } = useParts("named_sets/measured", asked, join);
  useSettled(shown === asked && Boolean(data) && !data.entries.some((/** @type {any} */ entry) => entry.pending));
  const act = useMemo(() => (/** @type {string} */ _, /** @type {{ what: string, name: string, to: string }} */ { what, name, to }) => {
    const set = data?.entries.find((/** @type {any} */ entry) => entry.name === name && !entry.fixed);
    if (what === "load") loadSet(set);
    else if (what === "add") addSet(set);
    else if (what === "rename") renameSet("page", name, to);
    else deleteSet("page", name);
  }, [data]);
  return html`
    <${SetsNotice} place="page" />
    <${Faults} faults=${faults} />
    ${data && html`<${Part} name="sets" draw=${draw} data=${data} send=${act} />
    <${Exchange} />`}`;
}

/** Sets as files: out and in. */
function Exchange() {
  const found = known.value;
  const count = found?.sets.length ?? 0;
  const download = () => found && saveAs(found.file_name, `data:application/json;charset=utf-8,${encodeURIComponent(found.file)}`);
  const upload = async (/** @type {any} */ event) => {
    const [box, file] = [event.target, event.target.files[0]];
    if (file) await addFile("page", file);
    // So that the same file can be chosen again.
    box.value = "";
  };
  return html`<div class="exchange">
    <div><button class="plain" data-key="download_all" disabled=${!count} onClick=${download}>Download ${count === 1 ? "1 set" : `${count} sets`} as JSON</button></div>
    <label class="choice"><span class="label">Import JSON</span><input type="file" data-key="import" accept=".json,application/json" onChange=${upload} /></label>
    <div class="small quiet">Sets are saved in ${found?.file_name ?? "a file"} in the working directory. The command line lists them too: the-experiment conditions list. The sidebar saves the active edits as a set.</div>
  </div>`;
}
