// The parts of a model in the chosen state: attention patterns of all heads or, for models without heads, activations.
// A click edits a part. Below: which parts matter.

import { html, useMemo, useState } from "../../../client/html.js";
import { Faults, Part, useAnswer, useParts } from "../../../client/parts.js";
import { active, click, frame, question, settled } from "../../../client/store/store.js";
import { ClickAction } from "../click_action.js";
import { draw as drawMaps } from "./maps.js";
import { draw as drawMosaic } from "./mosaic.js";
import { useSettled } from "../../../client/store/settled.js";
import { draw as drawRanking } from "./ranking.js";

/** @param {{ isBoardThere: boolean }} props whether the board shows what the condition asks for */
export function PartsView({ isBoardThere }) {
  const f = frame.value;
  const asked = question("state", "on", "token");
  const { query, data, faults } = useAnswer("picture", asked);
  useSettled(isBoardThere && query === asked);
  const [name, draw] = f.has_attention ? ["mosaic", drawMosaic] : ["maps", drawMaps];
  // The picture of a model of another kind cannot be drawn by this one.
  const picture = data && Boolean(data.layers) === f.has_attention ? data : null;
  return html`
    <${ClickAction} family="kind" />
    <${Faults} faults=${faults} />
    <${Part} key=${name} name=${name} draw=${draw} data=${picture} send=${(/** @type {string} */ _, /** @type {string} */ site) => clickPart(site)} />
    <${Ranking} />`;
}

/** Edit the clicked part, or undo its edit; also draw it large if it can be drawn.
 * @param {string} site
 */
function clickPart(site) {
  const whole = site.split("[")[0];
  click(site, "kind", frame.value.drawable.includes(whole) ? { large: whole } : {});
}

/** The elements of the model by the effect of ablating each alone. */
function Ranking() {
  const asked = question("kind", "at").split("&").filter((each) => !each.startsWith("on=")).join("&");
  const [wanted, setWanted] = useState("");
  const due = settled.value ? asked : undefined;
  const { query, data, faults } = useParts("ranking", due && wanted === asked ? `${due}&measure=true` : due);
  const edits = active.value;
  const ranking = useMemo(() => data?.ranking && {
    ...data.ranking,
    noun: data.noun,
    elements: data.ranking.elements.map((/** @type {any} */ each) => ({ ...each, active: edits.split(";").some((edit) => edit.split(/[:@~#<]/)[1] === each.site) })),
  }, [data, edits]);
  if (!data || !query?.startsWith(asked)) return html`<${Faults} faults=${faults} />`;
  return html`<section>
    <div><b>Which ${data.noun}s matter?</b> Mean change of the margins when each alone is set to ${data.kind}</div>
    <${Faults} faults=${faults} />
    ${data.offer && html`<button class="plain" data-key="rank" title="Takes a few seconds." onClick=${() => setWanted(asked)}>${data.offer}</button>`}
    ${data.progress && html`<div class="small quiet">${data.progress}</div>`}
    ${ranking && html`<${Part} name="ranking" draw=${drawRanking} data=${ranking} send=${(/** @type {string} */ _, /** @type {string} */ site) => clickPart(site)} />`}
  </section>`;
}
