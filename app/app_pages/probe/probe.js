// Page Probe: one model in one state, edited by clicks; beside it what it writes in every state.

import { html, useLayoutEffect, useMemo } from "../../client/html.js";
import { stripRow, stripSlots, tableOf, useBoards } from "../../client/server/boards.js";
import { Faults, Part, Segments } from "../../client/parts.js";
import { active, change, condition, faults, frame, question, reject, toggle } from "../../client/store/store.js";
import { draw as drawBoard } from "../../client/board/board.js";
import { draw as drawStrip } from "../../client/drawing/strip.js";
import { ActivationsView } from "./activations/view.js";
import { Large } from "./parts/large.js";
import { PartsView } from "./parts/view.js";
import { Atlas, WeightsView } from "./weights/view.js";
import { pauseAt } from "./playback.js";

/** @type {[string, string, Function][]} */
const views = [["", "", PartsView], ["activations", "Activations", ActivationsView], ["weights", "Weights", WeightsView]];

export function Probe() {
  const [f, c] = [frame.value, condition.value];
  const { shown: boards, isNew, faults: found } = useBoards(f, question(), active.value, String(c?.state));
  useLayoutEffect(() => { if (boards?.unfit.length) reject(boards.unfit); }, [boards?.unfit]);
  const tag = boards && `${boards.chosen} ${boards.edits}`.trim();
  const strip = useMemo(() => boards && stripData(boards, c?.step ?? null, tag), [boards, c?.step, tag]);
  const table = useMemo(() => boards && {
    ...tableOf(boards.frame),
    baseline: boards.baseline,
    edited: boards.edited,
    chosen: boards.chosen,
    condition: tag,
    sort: c?.sort ?? "state",
    margins: c?.margins === "1",
  }, [boards?.baseline, boards?.edited, boards?.chosen, c?.sort, c?.margins]);
  if (!boards) return html`<${Faults} faults=${[...faults.value, ...found]} />`;

  // Other pages have views of their own.
  const [view, , View] = views.find(([name]) => name === c?.view) ?? views[0];
  const names = views.map(([name, title]) => /** @type {[string, string]} */ ([name, title || (f.has_attention ? "Attention" : "States")]));
  const ready = boards.frame === f;
  return html`<div class="probe">
    <${Faults} faults=${[...faults.value, ...found]} />
    <${Part} name="strip" draw=${drawStrip} data=${strip} send=${onStrip} />
    ${boards.baseline.note && html`<div class="note small">⚠ ${boards.baseline.note}</div>`}
    <div class="columns">
      <div class="column">
        <${Part} name="board" draw=${drawBoard} data=${table} send=${onBoard} />
        <div class="small quiet">${boards.frame.cost}</div>
        ${ready && view === "weights" && html`<${Atlas} />`}
      </div>
      <div class="column">
        <${Segments} label="View" name="view" value=${view} options=${names} choose=${(/** @type {string} */ chosen) => change({ view: chosen || null })} hidden=${true} />
        ${ready && html`<${View} edited=${Boolean(boards.edited)} isBoardThere=${isNew} />`}
      </div>
    </div>
    ${ready && !view && html`<${Large} />`}
  </div>`;
}

/** @param {string} event @param {any} payload */
function onBoard(event, payload) {
  if (event === "sort") change({ sort: payload === "state" ? null : payload });
  else if (event === "margins") change({ margins: payload ? "1" : null });
  else change({ state: payload });
}

/** @param {string} event @param {any} payload */
function onStrip(event, payload) {
  if (event === "force") toggle(`force:${payload}=!`);
  else change(pauseAt(condition.value, frame.value, payload));
}

/** The text of the chosen state, token by token, baseline and edited, above the truth.
 * @param {any} boards @param {string | null} step @param {string} tag
 */
function stripData({ frame: f, state, baseline, edited, acted_on: actedOn }, step, tag) {
  const rows = [stripRow(f, "baseline", baseline, state)];
  if (edited) rows.push(stripRow(f, "edited", edited, state, baseline));
  return {
    slots: stripSlots(f, state, edited ? actedOn : null),
    rows,
    edited: Boolean(edited),
    condition: tag,
    outputs: f.outputs,
    player: { first: f.first_written, step: step === null ? null : Number(step), written_at: f.written_at },
  };
}
