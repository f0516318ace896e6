// What one part of a model computes, in the chosen state and, unit by unit, in all states.

import { html, useState } from "../../../client/html.js";
import { addressOf } from "../../../client/server/api.js";
import { Choice, Faults, Part, Segments, useAnswer } from "../../../client/parts.js";
import { change, click, condition, frame, question } from "../../../client/store/store.js";
import { ClickAction } from "../click_action.js";
import { useSettled } from "../../../client/store/settled.js";
import { draw as drawActivations } from "./activations.js";
import { draw as drawStrongest } from "./strongest.js";

const ASKED = ["state", "on", "activation", "versus", "token", "units", "grouped", "kind"];

/** @param {{ edited: boolean, isBoardThere: boolean }} props whether the model is edited, and whether the board shows it */
export function ActivationsView({ edited, isBoardThere }) {
  const asked = question(...ASKED);
  const { query, data, faults } = useAnswer("activation", asked);
  useSettled(isBoardThere && query === asked);
  return html`
    <${Choices} />
    <${ClickAction} family="kind" />
    <${Faults} faults=${faults} />
    <${Part} name="activations" draw=${drawActivations} data=${data?.picture} send=${onPart} />
    <${Part} name="strongest" draw=${drawStrongest} data=${data?.strongest} send=${onPart} />
    <${Files} edited=${edited} />`;
}

function Choices() {
  const [f, c] = [frame.value, condition.value];
  const names = f.positions.map((/** @type {any} */ each) => [each.name, each.name]);
  const site = c?.activation?.split("[")[0] ?? f.first_activation;
  return html`<div class="row">
    <${Choice} label="Activation" name="activation" value=${site} options=${f.activations.map((/** @type {any} */ each) => [each.site, each.words])} choose=${(/** @type {string} */ activation) => change({ activation })} />
    <${Choice} label="Compared with" name="versus" value=${c?.versus ?? ""} help="The unedited model in the same state, or the same model with its edits in another state."
      options=${[["", "the unedited model"], ...f.states.map((/** @type {string} */ state) => [state, state])]} choose=${(/** @type {string} */ versus) => change({ versus: versus || null })} />
    <${Choice} label="At token" name="activation_token" value=${c?.token ?? ""} help="The token at which units are sorted and listed, and at which a chosen unit is shown in all states."
      options=${[["", "all tokens"], ...names]} choose=${(/** @type {string} */ token) => change({ token: token || null })} />
    <${Choice} label="Sort by" name="units" value=${c?.units ?? "number"} help="Units are sorted by the values of the first picture; over all tokens, by the largest one."
      options=${Object.entries(f.sorts)} choose=${(/** @type {string} */ units) => change({ units: units === "number" ? null : units })} />
  </div>`;
}

/** @param {string} event @param {any} payload */
function onPart(event, payload) {
  if (event === "acted") click(payload, "kind", payload.includes("[") ? { activation: payload } : {});
  else if (event === "picked") change({ activation: payload });
  else if (event === "grouped") change({ grouped: payload || null });
  else change({ token: frame.value.positions.find((/** @type {any} */ each) => each.index === payload)?.name ?? null });
}

/** The activation as files of numbers with named axes.
 * @param {{ edited: boolean }} props
 */
function Files({ edited }) {
  const [isOpen, setOpen] = useState(false);
  const [states, setStates] = useState("true");
  const [run, setRun] = useState("true");
  const site = condition.value?.activation?.split("[")[0] ?? frame.value.first_activation;
  const where = states === "true" ? "all" : condition.value?.state?.replaceAll(",", "");
  // As the server names it.
  const name = (/** @type {string} */ ending) => `${condition.value?.model}-${site}-${where}-${edited && run === "true" ? "edited" : "unedited"}${ending}`;
  return html`<section class="files">
    <button class="plain" data-key="export" aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)}>Export numbers</button>
    ${isOpen && html`<div class="row">
      <${Segments} label="Of" name="export_states" value=${states} options=${[["false", "this state"], ["true", "all states"]]} choose=${setStates} />
      ${edited && html`<${Segments} label="Model" name="export_run" value=${run} options=${[["false", "unedited"], ["true", "edited"]]} choose=${setRun} />`}
      <div class="choice"><span class="label">The file names its axes and their entries: states, tokens, units.</span><span class="segments">
        ${frame.value.formats.map((/** @type {string} */ ending) => html`<a key=${ending} download data-key=${`export${ending}`}
          href=${addressOf("activation/file", `${question("state", "on", "activation")}&ending=${ending}&all_states=${states}&edited=${run}`)}>${name(ending)}</a>`)}</span></div>
    </div>`}
  </section>`;
}
