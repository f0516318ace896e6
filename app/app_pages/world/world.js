// Page World: an editor for rules, checked at every pause in typing; what depends on what, and the truth table.

import { html, useLayoutEffect, useMemo } from "../../client/html.js";
import { Part } from "../../client/parts.js";
import { Predictors } from "../../client/predictors.js";
import { draw as drawTable } from "../../client/drawing/state_table.js";
import { holdOutOf } from "./hold_out.js";
import { answer, begin, follow, loaded, text, type, world } from "./rules.js";
import { draw as drawEditor } from "./rules_editor.js";
import { draw as drawStructure } from "./structure.js";
import { Toolbar } from "./toolbar.js";

const EARLIER = "of the last text without faults";

export function World() {
  useLayoutEffect(() => {
    begin();
    const here = location.pathname;
    const onPop = () => { if (location.pathname === here) follow(); };
    addEventListener("popstate", onPop);
    return () => removeEventListener("popstate", onPop);
  }, []);
  const [said, shown, start] = [answer.value, world.value, loaded.value];
  const isStale = Boolean(said?.faults.length);
  const editor = useMemo(() => ({ loaded: start, answer: said }), [start, said]);
  const structure = useMemo(() => shown && { structure: shown.structure, stale: isStale ? EARLIER : "" }, [shown, isStale]);
  const table = useMemo(() => shown && { ...shown.table, caption: isStale ? `The truth table ${EARLIER}` : "The truth table", bare: true, stale: isStale }, [shown, isStale]);
  if (text.value === null) return html`<div class="quiet">Loading the rules …</div>`;
  return html`<div class="world">
    <${Toolbar} />
    <div class="sides">
      <div class="column">
        <${Part} name="rules_editor" draw=${drawEditor} data=${editor} send=${(/** @type {string} */ _, /** @type {string} */ typed) => type(typed)} />
        ${shown && !isStale && html`<${Predictors} rules=${shown.of} ...${holdOutOf(shown, said)} />`}
      </div>
      <div class="column">
        ${shown ? html`<${Part} name="structure" draw=${drawStructure} data=${structure} />`
          : said && html`<div class="small quiet">The diagram of dependencies appears here once the rules have no faults.</div>`}
      </div>
    </div>
    ${shown && html`<section data-key="truth_table" aria-label="truth table"><${Part} name="state_table" draw=${drawTable} data=${table} /></section>`}
  </div>`;
}

