// The form of a training: world, hold-out, models, recipe, name, and the button that starts.

import { html, signal, useMemo, useState } from "../../client/html.js";
import { Faulty, ask } from "../../client/server/api.js";
import { Choice, Faults, Part, useAnswer } from "../../client/parts.js";
import { Predictors } from "../../client/predictors.js";
import { draw as drawStates } from "../../client/drawing/state_table.js";
import { change, form, formQuery } from "./form_store.js";
import { NONE, heldStates, heldText } from "./held_out.js";
import { HoldOut } from "./hold_out.js";

/** Changes with what is on the disk: the form is checked anew. */
export const changes = signal(0);

/** @param {{ data: any, isCurrent: boolean }} props */
export function Form({ data, isCurrent }) {
  const chosen = /** @type {import("./form_store.js").Choices} */ (form.value);
  const { world, defaults } = data;
  const asked = `${formQuery()}&changes=${changes.value}`;
  const { data: checked, faults } = useAnswer("training/check", asked);
  const states = useMemo(() => world && world.table.states.map((/** @type {any} */ each) => each.state), [world]);
  const held = useMemo(() => world && heldStates(chosen.held, states, world.held_out), [world, chosen.held]);
  const table = useMemo(() => world && tableData(world, held), [world, held]);
  const hold = (/** @type {Iterable<string>} */ wanted) => { if (isCurrent) change({ held: heldText(wanted, states, world.held_out) }); };
  const toggle = (/** @type {string} */ _, /** @type {string} */ state) => hold(held.includes(state) ? held.filter((/** @type {string} */ each) => each !== state) : [...held, state]);
  return html`<div class="form">
      ${world && html`<div class="states" data-key="hold_out"><${Part} name="state_table" draw=${drawStates} data=${table} send=${toggle} /></div>`}
      <div class="fields">
        <${WorldChoice} data=${data} />
        ${world && html`<${HoldOut} world=${world} held=${held} count=${Number(chosen.count ?? defaults.count)} usual=${defaults.count} hold=${hold} />`}
        <${ModelChoice} models=${data.models} usual=${defaults.models} />
        <${Recipe} data=${data} />
        <${Start} data=${data} warnings=${checked?.warnings ?? []} faults=${checked?.faults ?? faults} />
      </div>
    </div>
    ${world && html`<${Predictors} rules=${world.text} heldOut=${held.join(";")} />`}`;
}

/** The table of all states, with those held out.
 * @param {any} world
 * @param {string[]} held
 */
function tableData(world, held) {
  const out = new Set(held);
  return { ...world.table, states: world.table.states.map((/** @type {any} */ each) => ({ ...each, held: out.has(each.state) })) };
}

/** @param {{ data: any }} props */
function WorldChoice({ data }) {
  const name = form.value?.rules ?? data.defaults.rules;
  const names = data.worlds.includes(name) ? data.worlds : [name, ...data.worlds];
  const choose = (/** @type {string} */ rules) => change({ rules: rules === data.defaults.rules ? null : rules, held: null });
  return html`<div class="row">
    <${Choice} label="World" name="rules" value=${name} options=${names.map((/** @type {string} */ each) => [each, each])} choose=${choose} />
    ${data.world && html`<details class="world-rules"><summary class="plain">Rules</summary><pre class="mono" tabindex="0" aria-label="the rules of this world">${data.world.text.trim()}</pre></details>`}
  </div>`;
}

/** The models to train, in the order in which all are listed.
 * @param {string | null} text
 * @param {string} usual
 */
const modelsIn = (text, usual) => (text ?? usual).split(",").filter((name) => name && name !== NONE);

/** @param {{ models: [string, string][], usual: string }} props */
function ModelChoice({ models, usual }) {
  const chosen = new Set(modelsIn(form.value?.models ?? null, usual));
  const toggle = (/** @type {string} */ name) => {
    const wanted = models.map(([each]) => each).filter((each) => chosen.has(each) !== (each === name)).join(",");
    change({ models: wanted === usual ? null : wanted || NONE });
  };
  return html`<div class="choice" role="group" aria-label="Models" data-key="models"><span class="label">Models</span>
    <span class="segments">${models.map(([name, title]) => html`<button key=${name} data-value=${name} aria-pressed=${String(chosen.has(name))} onClick=${() => toggle(name)}>${title}</button>`)}</span></div>`;
}

/** The numbers of a recipe; those left empty have their defaults, which depend on the models.
 * @param {{ data: any }} props
 */
function Recipe({ data }) {
  const chosen = /** @type {import("./form_store.js").Choices} */ (form.value);
  const titles = new Map(data.models);
  const names = modelsIn(chosen.models, data.defaults.models).filter((name) => titles.has(name));
  const usual = (/** @type {string} */ number) => (data.world ? names.map((name) => [titles.get(name), data.world.usual[name][number]]) : []);
  const fields = data.numbers.map((/** @type {[string, string]} */ [name, label]) => ({ name, label, usual: usual(name) }));
  const patient = chosen.epochs || !data.world ? [] : names.map((name) => ({ title: titles.get(name), ...data.world.usual[name] }))
    .map(({ title, epochs, most_epochs: most }) => ({ title, epochs, most: most[chosen.until === "0" ? 0 : 1] })).filter(({ epochs, most }) => most !== epochs);
  const apart = fields.filter((/** @type {any} */ each) => shown(each.usual) === DIFFERENT);
  return html`<div class="row recipe">
      ${fields.map((/** @type {any} */ each) => html`<${Field} key=${each.name} name=${each.name} label=${each.label} placeholder=${shown(each.usual)} disabled=${each.usual.some((/** @type {any[]} */ [, value]) => value === null)}
        help=${each.name === "heads" ? "Only if all chosen models have attention heads." : each.usual.map((/** @type {any[]} */ [title, value]) => `${title}: ${value}`).join(", ")} />`)}
      <${Field} name="seed" label="Seed" placeholder=${`${data.defaults.seed} (default)`} usual=${data.defaults.seed} help="Of initial weights, order of samples and dropout." />
    </div>
    ${apart.length > 0 && html`<div class="small quiet">By default: ${apart.map((/** @type {any} */ { label, usual: each }) => `${label.toLowerCase()} ${each.map((/** @type {any[]} */ [title, value]) => `${value} (${title})`).join(", ")}`).join("; ")}.</div>`}
    <label class="until"><input type="checkbox" role="switch" data-key="until" checked=${chosen.until !== "0"} onChange=${(/** @type {any} */ event) => change({ until: event.target.checked ? null : "0" })} />
      Stop once all seen states are right</label>
    ${patient.length > 0 && html`<div class="small quiet">Goes on while seen states are wrong: ${patient.map(({ title, most }) => `${title} for at most ${most} epochs`).join(", ")}.</div>`}`;
}

const DIFFERENT = "by model";

/** What an empty box shows: the default of a number, if it is the same for all chosen models.
 * @param {[string, string | null][]} usual
 */
function shown(usual) {
  const values = [...new Set(usual.map(([, value]) => value))];
  if (values.includes(null)) return "none";
  if (values.length > 1) return DIFFERENT;
  return values.length ? `${values[0]} (default)` : "";
}

/** A choice that is typed; an empty one has its default, which is shown in its place.
 * @param {{ name: string, label: string, placeholder: string, usual?: string, help?: string, wide?: boolean, disabled?: boolean }} props
 */
function Field({ name, label, placeholder, usual, help, wide, disabled }) {
  // What is being typed is not replaced when something else on the page changes.
  const [typed, setTyped] = useState(/** @type {string | null} */ (null));
  const take = (/** @type {any} */ event) => {
    const text = event.target.value.trim();
    change({ [name]: text === "" || text === usual ? null : text });
    setTyped(null);
  };
  return html`<label class=${wide ? "choice" : "choice number"} title=${help}><span class="label">${label}</span>
    <input type="text" data-key=${name} value=${typed ?? form.value?.[name] ?? ""} placeholder=${placeholder} disabled=${disabled}
      autocomplete="off" spellcheck=${false} onInput=${(/** @type {any} */ event) => setTyped(event.target.value)} onChange=${take} /></label>`;
}

/** @param {{ data: any, warnings: string[], faults: import("../../client/server/api.js").Fault[] }} props */
function Start({ data, warnings, faults }) {
  const about = formQuery();
  // What was answered counts only as long as the form is that which was asked about.
  const [answer, setAnswer] = useState({ about: "", replaces: /** @type {string[]} */ ([]), faults: /** @type {typeof faults} */ ([]) });
  const [isBusy, setBusy] = useState(false);
  const said = answer.about === about ? answer : { replaces: [], faults: [] };
  const start = async (/** @type {boolean} */ replace) => {
    setBusy(true);
    setAnswer({ about, replaces: [], faults: [] });
    try {
      const { started, replaces } = await ask("training/start", `${about}&replace=${replace}`, { post: true });
      if (started.length) change({ watch: started[0] });
      else setAnswer({ about, replaces, faults: [] });
    } catch (error) {
      if (!(error instanceof Faulty)) throw error;
      setAnswer({ about, replaces: [], faults: error.faults });
    } finally {
      setBusy(false);
      changes.value += 1;
    }
  };
  const cancel = () => setAnswer({ about, replaces: [], faults: [] });
  return html`<div class="row">
      <${Field} name="name" label="Name" placeholder=${`${data.defaults.name} (default)`} usual=${data.defaults.name} wide=${true} help="Where data and models are saved: data/NAME, models/NAME." />
      <button class="plain primary" data-key="start" disabled=${isBusy} onClick=${() => start(false)}>▶ Start</button>
    </div>
    ${warnings.map((each) => html`<div class="small warning">⚠ ${each}</div>`)}
    <${Faults} faults=${said.faults.length ? said.faults : faults} />
    ${said.replaces.length > 0 && html`<div class="question" role="alertdialog" aria-label="Replace complete runs?">
      ${said.replaces.map((each) => html`<div class="small">⚠ ${each}</div>`)}
      <div class="row"><button class="plain" data-key="replace_run" disabled=${isBusy} onClick=${() => start(true)}>▶ Train and replace</button>
        <button class="plain" data-key="replace_no" onClick=${cancel}>Cancel</button></div></div>`}`;
}
