// The sidebar: which model is open, in which state it is looked at, its edits, and the page to share.

import { html, useEffect, useMemo, useRef, useState } from "../html.js";
import { editsOf, tokensOf, writeEdits } from "../store/edits.js";
import { NamedSets } from "./named_sets.js";
import { Choice, useAnswer, useParts } from "../parts.js";
import { byEdit } from "../server/rivals.js";
import { active, addTyped, addressNow, canRedo, canUndo, change, condition, frame, models, openModel, question, redo, settled, undo, unfit } from "../store/store.js";

/** @param {{ hasModel: boolean }} props whether the page is about a model: its choice, its state and its edits are shown */
export function Sidebar({ hasModel }) {
  const isReady = hasModel && condition.value && frame.value;
  return html`<div class="sidebar">
    <h3>the-experiment</h3>
    ${hasModel && html`<${ModelChoice} />`}
    ${isReady && html`
    <${StateChoice} />
    <${Edits} />
    <${Share} />
    <${Cautions} />`}
  </div>`;
}

function ModelChoice() {
  const found = models.value;
  const open = condition.value;
  if (!found) return null;
  const [run, step] = (open?.model ?? "").split(":");
  const here = found.runs.find((/** @type {any} */ each) => each.name === open?.name && each.run === run);
  const key = (/** @type {any} */ each) => `${each.name}/${each.run}`;
  return html`
    ${open && html`<${Choice} label="Model" name="model" value=${`${open.name}/${run}`} wide=${true}
      options=${found.runs.map((/** @type {any} */ each) => [key(each), key(each)])}
      choose=${(/** @type {string} */ chosen) => { const [name, model] = chosen.split("/"); openModel(name, model); }} />`}
    ${open && here?.steps.length > 0 && html`<${StepChoice} name=${open.name} run=${run} step=${step} steps=${here.steps} />`}
    ${found.damaged.length > 0 && html`<details class="damaged"><summary>${found.damaged.length === 1 ? "1 model" : `${found.damaged.length} models`} cannot be opened</summary>
      ${found.damaged.map((/** @type {any} */ each) => html`<div class="small">${each.name}/${each.run}: ${each.text}</div>`)}</details>`}`;
}

/** @param {{ name: string, run: string, step: string | undefined, steps: number[] }} props */
function StepChoice({ name, run, step, steps }) {
  const all = [...steps.map(String), "trained"];
  const at = all.indexOf(step ?? "trained");
  const say = (/** @type {string} */ each) => (each === "trained" ? each : Number(each).toLocaleString("en"));
  const choose = (/** @type {any} */ event) => {
    const chosen = all[Number(event.target.value)];
    openModel(name, chosen === "trained" ? run : `${run}:${chosen}`);
  };
  return html`<label class="choice wide" title="The same model at an earlier step of its training: its board, attention and interventions at that step.">
    <span class="label">Training step <output class="mono">${say(all[at])}</output></span>
    <input type="range" data-key="step" min="0" max=${all.length - 1} step="1" value=${at} aria-valuetext=${say(all[at])} onChange=${choose} /></label>`;
}

function StateChoice() {
  const [f, c] = [frame.value, condition.value];
  const state = /** @type {string} */ (c?.state);
  const bits = state.split(",");
  const index = f.states.indexOf(state);
  const isHeldOut = Boolean(f.held_out[index]);
  const set = (/** @type {number} */ place, /** @type {boolean} */ on) => change({ state: bits.map((bit, i) => (i === place ? String(Number(on)) : bit)).join(",") });
  const next = () => {
    const following = [...f.states.keys()].map((i) => (index + 1 + i) % f.states.length).find((i) => f.held_out[i]);
    if (following !== undefined) change({ state: f.states[following] });
  };
  return html`<section aria-label="State"><h4>State</h4>
    <div class="toggles">${f.inputs.map((/** @type {string} */ name, /** @type {number} */ place) => html`<label key=${name}>
      <input type="checkbox" role="switch" data-key=${`input ${name}`} checked=${bits[place] === "1"} onChange=${(/** @type {any} */ event) => set(place, event.target.checked)} /> ${name}</label>`)}</div>
    <div><span class="mono chosen-state">${state}</span> ${isHeldOut ? html`<span class="held-out">◆ held out</span>` : html`<span class="quiet">seen in training</span>`}</div>
    <button class="plain" data-key="next_held_out" disabled=${!f.held_out.some(Boolean)} title="Step through the states held out of training." onClick=${next}>Next held-out state</button>
  </section>`;
}

function Edits() {
  const edits = editsOf(condition.value);
  const place = useRef(/** @type {any} */ (null));
  const on = active.value;
  // Counted once the page shows what the edits change.
  const { data: counted } = useParts("fixes", on ? (settled.value === question("on") ? settled.value : undefined) : null);
  const model = String(condition.value?.model);
  const cannot = byEdit(unfit.value ?? (counted?.unfit ?? []).map((/** @type {any} */ each) => ({ ...each, model })));
  const put = (/** @type {import("../store/edits.js").Edit[]} */ changed) => change(writeEdits(changed));
  let number = -1;
  return html`<section class="edits" data-edits=${edits.map((edit) => edit.text).join(";")} ref=${place} aria-label="Interventions"><h4>Interventions</h4>
    <div class="buttons">
      <button class="plain" data-focus="undo" title="undo the last change of the edits (Ctrl+Z)" disabled=${!canUndo.value} onClick=${undo}>Undo</button>
      <button class="plain" data-focus="redo" title="redo the change that was undone (Ctrl+Shift+Z)" disabled=${!canRedo.value} onClick=${redo}>Redo</button>
      <button class="plain" data-focus="reset" title="remove all edits" disabled=${!edits.length} onClick=${() => put([])}>Reset</button>
    </div>
    <div class="list" tabindex=${edits.length > 4 ? 0 : -1}>
    ${edits.map((edit, index) => {
      if (edit.on) number += 1;
      return html`<div class=${edit.on ? "entry" : "entry off"} data-entry=${edit.text} key=${`${index} ${edit.text}`}>
        <input type="checkbox" data-focus=${`on ${index}`} aria-label=${`${edit.text} on`} title=${edit.on ? "switch off without removing" : "switch on"}
          checked=${edit.on} onChange=${() => put(edits.map((each, i) => (i === index ? { ...each, on: !each.on } : each)))} />
        <span class="what mono">${edit.text}</span>
        <button class="remove" data-focus=${`remove ${index}`} aria-label=${`Remove ${edit.text}`} title="remove this edit" onClick=${() => put(edits.filter((_, i) => i !== index))}>✕</button>
        <div class="about quiet"><span class="tokens">${tokensOf(edit.text)}</span>${edit.on && html`<${Fixes} counted=${counted} number=${number} unfit=${cannot.get(edit.text)} />`}</div>
      </div>`;
    })}</div>
    ${!edits.length && html`<div class="empty quiet">No edits yet. Click a part of the model.</div>`}
    <${TypedEdits} />
    <${NamedSets} />
  </section>`;
}

/** What removing an edit fixes, or why it is not applied.
 * @param {{ counted: any, number: number, unfit: { models: string, why: string } | undefined }} props
 */
function Fixes({ counted, number, unfit }) {
  if (unfit) return html`<br /><span class="unfit" title=${unfit.why}>⊘ not applied to ${unfit.models}</span>`;
  const fixes = counted?.fixes?.[number];
  if (fixes === undefined) return html`<br /><span>counting what removing this fixes … ${counted?.progress ?? ""}</span>`;
  return html`<br /><span>removing this fixes <span class="fixes">${fixes}</span> of ${counted.broken} wrong ${counted.broken === 1 ? "state" : "states"}</span>`;
}

function TypedEdits() {
  const box = useRef(/** @type {any} */ (null));
  const help = useMemo(() => {
    const f = frame.value;
    return `${f.examples.join(", ")}. Join several with ';'. Activations of ${condition.value?.model}: ${f.sites.join(", ")}`;
  }, [frame.value]);
  const onKey = async (/** @type {KeyboardEvent} */ event) => {
    const text = box.current.value;
    if (event.key !== "Enter" || event.isComposing || !text.trim()) return;
    // What is typed while the server looks at it stays.
    if ((await addTyped(text.trim())) && box.current?.value === text) box.current.value = "";
  };
  return html`<label class="choice wide" title=${help}><span class="label">Add by text <span class="help" aria-hidden="true">?</span></span>
    <input class="mono" type="text" data-key="by_text" ref=${box} placeholder=${`zero:${frame.value.elements.at(-1)}`} spellcheck=${false} autocomplete="off" autocapitalize="off" onKeyDown=${onKey} /></label>`;
}

function Share() {
  const [isOpen, setOpen] = useState(false);
  const { data: code } = useAnswer("code", isOpen ? question("on") : null);
  return html`<section class="share">
    <button class="plain wide" data-key="share" aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)}>Share</button>
    ${isOpen && html`<div class="shared">
      <${Copied} title="Link" about="The page as it is now, with all its settings." text=${new URL(addressNow(), location.href).href} />
      ${code && html`<${Copied} title="Python" about=${`A script that prints the board of ${condition.value?.name}/${condition.value?.model} under the active edits.`} text=${code.python} />
      <${Copied} title="Command" about="The same board, on the command line." text=${code.command} />
      ${code.note && html`<div class="small quiet">${code.note}</div>`}`}
    </div>`}
  </section>`;
}

/** A text to copy.
 * @param {{ title: string, about: string, text: string }} props
 */
export function Copied({ title, about, text }) {
  const [isDone, setDone] = useState(false);
  useEffect(() => setDone(false), [text]);
  const copy = async () => { await navigator.clipboard.writeText(text); setDone(true); };
  return html`<div class="copied"><div><b>${title}</b> <button class="plain small" onClick=${copy} aria-label=${`Copy ${title}`}>${isDone ? "copied" : "copy"}</button></div>
    <div class="small quiet">${about}</div><pre class="mono" tabindex="0" data-what=${title}>${text}</pre></div>`;
}

/** For every kind of active edit what it does, and when its result may mislead. */
function Cautions() {
  const kinds = [...new Set(active.value.split(";").filter(Boolean).map((text) => text.split(":")[0]))];
  return html`${kinds.map((kind) => {
    const about = frame.value.all_kinds[kind];
    return about && html`<div class="small quiet caution" key=${kind}><b>${kind}</b> — ${about.effect}. ${about.caution}</div>`;
  })}`;
}
