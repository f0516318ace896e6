// Can a simple predictor do this? Which held-out states of a world are right without any network.

import { html } from "./html.js";
import { Faults, Part, useParts } from "./parts.js";
import { draw } from "./drawing/predictors.js";

/**
 * The panel of simple predictors and formulas. What is known is shown; the rest follows.
 * @param {{ rules: string | null, heldOut?: string, about?: string }} props the text of a world's rules, without faults; null shows
 *   nothing. The states held out of training, joined by ";", such as "1,0,1;0,0,0", or "" for none; left out, they are
 *   the world's default hold-out. `about` says in words which hold-out that is, unless the page shows it anyway.
 */
export function Predictors({ rules, heldOut, about }) {
  const asked = rules === null ? null : `rules=${encodeURIComponent(rules)}`;
  const { data, faults } = useParts("predictors", asked && asked + (heldOut === undefined ? "" : `&held_out=${encodeURIComponent(heldOut)}`));
  return html`<section aria-label="simple predictors">
    <h4>Can a simple predictor do this?</h4>
    ${about && html`<div class="small quiet" data-key="hold_out_about">${about}</div>`}
    <${Faults} faults=${faults} />
    <${Part} name="predictors" draw=${draw} data=${data} />
    <div class="small quiet" role="status">${data?.progress ?? ""}</div>
  </section>`;
}
