// All weights of a model: flip, nuke and blur them by clicks, and see which are fragile.

import { html, useLayoutEffect, useRef, useState } from "../../../client/html.js";
import { ask } from "../../../client/server/api.js";
import { Choice, Faults, Part, Segments, useAnswer } from "../../../client/parts.js";
import { change, click, condition, frame, question, toggle } from "../../../client/store/store.js";
import { stopTasks, useTasks } from "../../../client/server/tasks.js";
import { ClickAction } from "../click_action.js";
import { useSettled } from "../../../client/store/settled.js";
import { draw as drawAtlas } from "./atlas.js";
import { draw as drawMatrix } from "./matrix.js";
import { draw as drawThumbnails } from "./thumbnails.js";

const SECOND = 1000;

const weightOf = () => condition.value?.weight ?? frame.value.first_weight;

/** @param {{ isBoardThere: boolean }} props whether the board shows what the condition asks for */
export function WeightsView({ isBoardThere }) {
  const f = frame.value;
  const asked = question("state", "on", "weight", "weights");
  const { query, data, faults } = useAnswer("weight", asked);
  useSettled(isBoardThere && query === asked);
  const weight = f.weights.find((/** @type {any} */ each) => each.site === weightOf()) ?? f.weights[0];
  const choose = (/** @type {string} */ group) => {
    const those = f.weights.filter((/** @type {any} */ each) => each.group === group);
    change({ weight: (those.find((/** @type {any} */ each) => each.is_matrix) ?? those[0]).site });
  };
  return html`
    <${ClickAction} family="weights" />
    <div class="row">
      <${Segments} label="Weights of" name="weight_layer" value=${weight.group} options=${f.weight_groups.map((/** @type {string} */ each) => [each, each])} choose=${choose} />
      <${Choice} label="In full" name="weight" value=${weight.site} options=${f.weights.map((/** @type {any} */ each) => [each.site, each.site])} choose=${(/** @type {string} */ site) => change({ weight: site })} />
    </div>
    <${Faults} faults=${faults} />
    <${Part} name="matrix" draw=${drawMatrix} data=${data?.matrix} send=${onMatrix} />
    <${Part} name="thumbnails" draw=${drawThumbnails} data=${data?.thumbnails} send=${(/** @type {string} */ _, /** @type {string} */ site) => change({ weight: site })} />`;
}

/** Edit the clicked weights as the click action says, or undo their edit.
 * @param {string} _ @param {{ index: string, nuke: boolean }} payload
 */
function onMatrix(_, { index, nuke }) {
  const whole = index.split(",").every((each) => each === ":");
  const site = whole ? weightOf() : `${weightOf()}[${index}]`;
  if (nuke) toggle(`nuke:${site}${condition.value?.at ?? ""}`);
  else click(site, "weights");
}

/** How many states break when one part of the chosen weight is flipped; measured on request. */
export function Atlas() {
  const asked = question("weight").replace(/&on=[^&]*/, "");
  const [begun, setBegun] = useState(0);
  const [task, setTask] = useState("");
  const progress = useTasks(task ? [task] : [], begun)[task];
  // Looked at again when more is measured, and once a second at most.
  const seen = useRef({ version: 0, at: 0 });
  const now = performance.now();
  if (progress && (!progress.running || now - seen.current.at > SECOND)) seen.current = { version: progress.version, at: now };
  const { data, faults } = useAnswer("atlas", `${asked}&version=${seen.current.version}`);
  useLayoutEffect(() => { if (data) setTask(data.task); }, [data?.task]);
  if (!data) return html`<${Faults} faults=${faults} />`;
  const running = Boolean(progress?.running);
  const measure = async (/** @type {string[]} */ ways) => {
    await ask("atlas", asked + ways.map((way) => `&by=${way}`).join(""), { post: true });
    setBegun((count) => count + 1);
  };
  const slices = data.ways.filter((/** @type {string} */ way) => way !== "weights");
  const offers = [[slices, slices.join(" and ")], [["weights"], "every single weight"]]
    .filter(([ways]) => ways.length && !ways.every((/** @type {string} */ way) => data.complete.includes(way)));
  return html`<section class="atlas-panel">
    <div><b>Flip atlas of <span class="mono">${data.atlas.site}</span></b>: how many states break when one part of it is flipped</div>
    <${Faults} faults=${progress?.faults ?? []} />
    <div class="row">
      ${offers.map(([ways, name]) => html`<button class="plain" key=${name} disabled=${running} data-key=${`atlas_${ways[0]}`} onClick=${() => measure(ways)}>Measure: ${name}</button>`)}
      ${running && html`<button class="plain" data-key="atlas_cancel" disabled=${progress.stopping} onClick=${() => stopTasks([task])}>Cancel</button>`}
    </div>
    ${running && html`<label class="small">${progress.done.toLocaleString("en")} of ${progress.of.toLocaleString("en")} <progress value=${progress.done} max=${progress.of || 1}></progress></label>`}
    <${Part} name="atlas" draw=${drawAtlas} data=${data.atlas} send=${(/** @type {string} */ _, /** @type {string} */ part) => toggle(`flip:${part}${condition.value?.at ?? ""}`)} />
  </section>`;
}
