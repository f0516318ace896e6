// Files of rules on page World: open, save, upload, download, share; and the way to page Train.

import { html, useState } from "../../client/html.js";
import { save as saveFile } from "../../client/drawing/dom.js";
import { Choice, Faults } from "../../client/parts.js";
import { Copied } from "../../client/sidebar/sidebar.js";
import { goTo } from "../../client/sidebar/ways.js";
import { LONGEST_ADDRESS } from "./rules_address.js";
import { answer, duplicate, file, link, name, network, notice, open, rename, save, savedName, text, upload } from "./rules.js";

const UNSAVED = "";

export function Toolbar() {
  const [opened, setOpened] = useState("");
  const Panel = { upload: Upload, download: Download, share: Share }[opened];
  const folder = (/** @type {string} */ key, /** @type {string} */ panel, /** @type {string} */ title) => html`<button class="plain" data-key=${key}
    aria-expanded=${String(opened === panel)} onClick=${() => setOpened(opened === panel ? "" : panel)}>${title}</button>`;
  return html`<section class="toolbar" aria-label="files of rules">
    <div class="row">
      <${FileChoice} />
      <button class="plain" data-key="duplicate" title="Save a copy of the rules under a new name, and continue with the copy." onClick=${duplicate}>Duplicate</button>
      ${folder("rules_from_file", "upload", "Upload")}
      ${folder("rules_to_file", "download", "Download")}
      ${folder("share_rules", "share", "Share")}
      <label class="choice narrow"><span class="label">Save as</span>
        <input type="text" data-key="rules_name" value=${name.value ?? ""} placeholder="name" maxlength="64" spellcheck=${false} autocomplete="off" autocapitalize="off"
          onInput=${(/** @type {any} */ event) => rename(event.target.value)} /></label>
      <button class="plain" data-key="save_rules" title="Saves to data/worlds in the working directory." onClick=${() => save()}>Save</button>
      <button class="plain primary" data-key="train_on_this" title="Save the rules if they are not saved yet, and open page Train with them." onClick=${train}>Train on this world</button>
    </div>
    ${Panel && html`<div class="panel"><${Panel} close=${() => setOpened("")} /></div>`}
    <${Notice} />
  </section>`;
}

function FileChoice() {
  const here = file();
  const files = answer.value?.files ?? [];
  const options = files.map((/** @type {any} */ each) => [each.name, each.said ? `${each.name} · ${each.said}` : each.name]);
  return html`<${Choice} label="World" name="rules_file" value=${here?.name ?? UNSAVED} options=${here ? options : [[UNSAVED, "not saved"], ...options]}
    choose=${(/** @type {string} */ chosen) => { if (chosen !== UNSAVED) open(chosen); }} />`;
}

/** @param {{ close: () => void }} props */
function Upload({ close }) {
  const take = async (/** @type {any} */ event) => {
    const box = event.target;
    const [chosen] = box.files;
    if (!chosen) return;
    await upload(chosen);
    // The same file can be chosen again.
    box.value = "";
    if (!notice.value.faults.length) close();
  };
  return html`<label class="choice"><span class="label">Rules, or a Boolean network, from a file</span>
    <input type="file" data-key="rules_upload" accept=".rules,.txt,.bnet" onChange=${take} /></label>`;
}

function Download() {
  const title = name.value?.trim() || "world";
  const put = (/** @type {string} */ named, /** @type {string} */ content) => saveFile(named, `data:text/plain;charset=utf-8,${encodeURIComponent(content)}`);
  const putNetwork = async () => {
    const found = await network();
    if (found) put(`${title}.bnet`, found.text);
  };
  return html`<div class="row">
      <button class="plain" data-key="download_rules" onClick=${() => put(`${title}.rules`, String(text.value))}>Rules (.rules)</button>
      <button class="plain" data-key="download_network" disabled=${Boolean(answer.value?.faults.length)} onClick=${putNetwork}>Boolean network (.bnet)</button>
    </div>
    <div class="small quiet">For BoolNet, pyboolnet and the like. An output newX is the next value of node X; any other output is an additional node. Counts are left out.</div>`;
}

function Share() {
  if (link.value) return html`<${Copied} title="Link" about="Opens this page with the rules as they are now." text=${link.value} />`;
  return html`<div class="small quiet">These rules are too long for an address: ${String(text.value).length.toLocaleString("en")} characters would take more than
    ${LONGEST_ADDRESS.toLocaleString("en")} in a link. Download the file and send that instead.</div>`;
}

function Notice() {
  const { faults, said, isTaken } = notice.value;
  return html`<${Faults} faults=${faults} />
    ${isTaken && html`<div class="row"><button class="plain" data-key="replace_rules" onClick=${() => save(true)}>Replace it</button></div>`}
    <div class="small" role="status">${said && `✓ ${said}`}</div>`;
}

/** Open page Train with this world; if it cannot be saved, that is shown. */
async function train() {
  const saved = await savedName();
  if (saved === null) return;
  // Models of one name share one world, so its name suits them; the default world never gives its own.
  const about = file()?.saved_as === "" ? { rules: saved } : { rules: saved, name: saved };
  goTo("train", String(new URLSearchParams(about)));
}
