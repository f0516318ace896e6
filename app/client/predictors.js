// Can a simple predictor do this? Which held-out states of a world are right without any network.

import { html } from "./html.js";
import { Faults, Part, useParts } from "./parts.js";
import { draw } from "./drawing/predictors.js";

/**
 * The panel of simple predictors and formulas. What is known is shown; the rest follows.
 * @param {{ rules: string | null, heldOut?: string }} props the text of a world's rules, without faults; null shows
 *   nothing. The states held out of training, joined by ";", such as "1,0,1;0,0,0", or "" for none; left out, they are
 *   the world's default hold-out.
 */
export function Predictors({ rules, heldOut }) {
  const about = rules === null ? null : `rules=${encodeURIComponent(rules)}`;
  const { data, faults } = useParts("predictors", about && about + (heldOut === undefined ? "" : `&held_out=${encodeURIComponent(heldOut)}`));
  return html`<section aria-label="simple predictors">
    <h4>Can a simple predictor do this?</h4>
    <${Faults} faults=${faults} />
    <${Part} name="predictors" draw=${draw} data=${data} />
    <div class="small quiet" role="status">${data?.progress ?? ""}</div>
  </section>`;
}
