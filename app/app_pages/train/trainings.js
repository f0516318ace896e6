// Trainings: those that run, in a line each; one of them in full, with its curves and what its model writes.

import { html, useLayoutEffect, useRef, useState } from "../../client/html.js";
import { Faulty, ask } from "../../client/server/api.js";
import { listen } from "../../client/server/events.js";
import { Choice, Faults, Part } from "../../client/parts.js";
import { draw as drawStates } from "../../client/drawing/state_table.js";
import { changes } from "./form.js";
import { change, form } from "./form_store.js";
import { draw as drawProgress } from "./training_progress.js";

/** @typedef {import("../../client/server/api.js").Fault} Fault */

export function Trainings() {
  const [list, setList] = useState(/** @type {any} */ (null));
  const [charts, setCharts] = useState(/** @type {any} */ (null));
  const [board, setBoard] = useState(/** @type {any} */ (null));
  const [faults, setFaults] = useState(/** @type {Fault[]} */ ([]));
  const last = useRef("");
  const watch = form.value?.watch ?? "";
  // The training that was shown stays, so that one sees how it ended.
  const query = () => `watch=${encodeURIComponent(watch || last.current)}`;
  useLayoutEffect(() => listen("training/events", query, {
    trainings: (found) => { last.current = found.watched ?? ""; setList(found); },
    charts: setCharts,
    board: setBoard,
  }), [watch]);
  const act = async (/** @type {string} */ what, /** @type {string} */ name) => {
    setFaults([]);
    try {
      await ask(`training/${what}`, `run=${encodeURIComponent(name)}`, { post: true });
      if (what === "discard") { last.current = ""; change({ watch: null }); }
      if (what === "resume") change({ watch: name });
    } catch (error) {
      if (!(error instanceof Faulty)) throw error;
      setFaults(error.faults);
    }
    changes.value += 1;
  };
  if (!list) return null;
  const here = list.trainings.find((/** @type {any} */ each) => each.name === list.watched);
  const names = list.trainings.map((/** @type {any} */ each) => [each.name, each.name]);
  return html`<section class="trainings" aria-label="Trainings">
    ${list.trainings.filter((/** @type {any} */ each) => each.active).map((/** @type {any} */ each) => html`<${Line} key=${each.name} training=${each} stop=${() => act("stop", each.name)} />`)}
    <${Faults} faults=${[...faults, ...list.faults]} />
    ${here ? html`
      <${Choice} label="Watch" name="watch" value=${here.name} options=${names} choose=${(/** @type {string} */ name) => change({ watch: name })} />
      <${Watched} key=${here.name} training=${here} charts=${charts} board=${board} act=${act} />`
    : html`<div class="small quiet">Nothing has been trained yet.</div>`}
  </section>`;
}

/** A training that waits or runs, in one line.
 * @param {{ training: any, stop: () => void }} props
 */
function Line({ training, stop }) {
  const { name, said, share, stopping } = training;
  return html`<div class="running" data-key=${`line ${name}`}>
    <label>${name} ${said}<progress value=${share} max="1"></progress></label>
    <button class="plain" data-key="stop" disabled=${stopping} aria-label=${`Stop ${name}`} title="The progress is kept, and the training can go on later." onClick=${stop}>■ Stop</button></div>`;
}

/** One training: how it ended if it has, its latest board, and its charts.
 * @param {{ training: any, charts: any, board: any, act: (what: string, name: string) => void }} props
 */
function Watched({ training, charts, board, act }) {
  const wrong = [...training.faults, ...(charts?.faults ?? [])];
  return html`
    <${Faults} faults=${wrong} />
    ${training.failure && html`<div class="fault" role="alert">${training.failure}</div>`}
    ${!training.active && html`<${Ended} training=${training} act=${act} />`}
    ${board && html`<div data-key="live_board"><${Part} name="state_table" draw=${drawStates} data=${board} /></div>`}
    ${charts?.charts && html`<${Part} name="training_progress" draw=${drawProgress} data=${charts.charts} />`}`;
}

/** @param {{ training: any, act: (what: string, name: string) => void }} props */
function Ended({ training, act }) {
  const { name, said, can_resume: canResume, can_be_discarded: canBeDiscarded, complete, saved, predecessor } = training;
  const [isAsking, setAsking] = useState(false);
  const [folder, run] = name.split("/");
  return html`<div class="row ended" data-key="ended">
      <span>${name} ${said}</span>
      ${canResume && html`<button class="plain" data-key="go_on" onClick=${() => act("resume", name)}>▶ Go on</button>`}
      ${canBeDiscarded && !isAsking && html`<button class="plain" data-key="discard" title="Throw away the progress so far." onClick=${() => setAsking(true)}>Discard</button>`}
      ${canBeDiscarded && isAsking && html`<span>${saved ? `Throw away what ${name} has learnt in ${saved.toLocaleString("en")} steps?` : `Throw away ${name}, which has learnt nothing yet?`}</span>
        <button class="plain" data-key="discard_yes" onClick=${() => act("discard", name)}>Throw it away</button>
        <button class="plain" data-key="discard_no" onClick=${() => setAsking(false)}>Keep it</button>`}
      ${complete && html`<a class="plain" data-key="open_run" href=${`./?name=${encodeURIComponent(folder)}&model=${encodeURIComponent(run)}`}>Open</a>`}
    </div>
    ${predecessor && html`<div class="small quiet">The run before this one is kept in ${predecessor}.</div>`}`;
}
