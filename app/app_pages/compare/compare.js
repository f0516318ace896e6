// Page Compare: all models of one name under one condition, or one model under named sets of edits.

import { html } from "../../client/html.js";
import { Faults, Segments } from "../../client/parts.js";
import { change, condition, faults } from "../../client/store/store.js";
import { ModelsView } from "./models_view.js";
import { SetsView } from "./sets_view.js";

const SETS = "sets";

export function Compare() {
  const view = condition.value?.view === SETS ? SETS : "";
  return html`<div class="compare">
    <${Faults} faults=${faults.value} />
    <${Segments} label="View" name="view" value=${view} options=${[["", "Models"], [SETS, "Named sets"]]} choose=${(/** @type {string} */ chosen) => change({ view: chosen || null })} hidden=${true} />
    ${view ? html`<${SetsView} />` : html`<${ModelsView} />`}
  </div>`;
}
