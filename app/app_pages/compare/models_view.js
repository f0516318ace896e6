// All models that learnt the same task, under one condition: what each writes in every state, and its scores.

import { html, useLayoutEffect, useMemo, useRef, useState } from "../../client/html.js";
import { stripRow, stripSlots, tableOf, useBoards } from "../../client/server/boards.js";
import { Faults, Part, useAnswer } from "../../client/parts.js";
import { useUnfit } from "../../client/server/rivals.js";
import { useSettled } from "../../client/store/settled.js";
import { active, change, condition, frame, question } from "../../client/store/store.js";
import { draw as drawStrip } from "../../client/drawing/strip.js";
import { draw as drawComparison } from "./comparison.js";
import { draw as drawScores } from "./scores.js";

/** @typedef {{ run: string, name: string, title: string, costs: string[] }} Rival */
/** @typedef {{ shown: any, faults: import("../../client/server/api.js").Fault[] }} Boards */

const NO_TALLY = { seen: [0, 0], held_out: [0, 0] };
/** The board of a model of which nothing is known yet. */
const UNKNOWN = { tag: "rows", known: 0, written: [], probability: [], margin: [], judged: [], truth_as_written: [], truth_do: null, tally: NO_TALLY };

export function ModelsView() {
  const [f, c] = [frame.value, condition.value];
  const rivals = useAnswer("rivals", question());
  const [boards, setBoards] = useState(/** @type {Record<string, Boards>} */ ({}));
  const asked = { frame: f, name: String(c?.name), state: String(c?.state), edits: active.value };
  const isCurrent = rivals.query === question();
  // While the models beside another one are asked for, the boards that are there stay.
  const isHere = isCurrent || new URLSearchParams(rivals.query ?? "").get("name") === asked.name;
  const all = /** @type {Rival[]} */ (isHere ? rivals.data?.models ?? [] : []);
  const take = (/** @type {string} */ run, /** @type {Boards} */ found) => setBoards((known) => ({ ...known, [run]: found }));
  const lines = all.filter((each) => !boards[each.run]?.faults.length).map((each) => ({ rival: each, shown: currentOf(boards[each.run], each, asked) }));
  const wrong = all.flatMap((each) => boards[each.run]?.faults ?? []);
  const isComplete = isCurrent && lines.length > 0 && lines.every(({ shown }) => isWhole(shown));
  // Where boards come in parts, the open model is shown first; else all models change at once.
  const isReady = f.single ? isComplete : isCurrent && lines.some(({ rival, shown }) => rival.run === c?.model && shown);
  const scored = question("state", "on");
  const scores = useAnswer("scores", isComplete || (f.single && isCurrent) ? scored : undefined);
  const drawn = useDrawn(lines, isReady, asked);
  const sort = /^-?held-out$/.test(c?.sort ?? "") ? String(c?.sort) : c?.sort === "-state" ? "-state" : "state";
  const table = useMemo(() => drawn && { ...drawn.table, sort }, [drawn, sort]);
  const rated = useMemo(() => scores.data && withCosts(scores.data, rivals.data?.models ?? []), [scores.data, rivals.data]);
  const isRated = f.single ? rated : scores.query === scored && rated;
  useSettled(isReady && isComplete && scores.query === scored);
  useUnfit(useMemo(() => drawn?.unfit ?? [], [drawn]));
  const scoresPart = isRated && html`<${Part} name="scores" draw=${drawScores} data=${rated} />`;
  return html`
    <${Faults} faults=${[...rivals.faults, ...wrong, ...scores.faults]} />
    ${all.map((each) => html`<${Load} key=${`${c?.name}/${each.run}`} run=${each.run} take=${take} />`)}
    ${drawn && (!f.single || rated) && html`
      <${Part} name="strip" draw=${drawStrip} data=${drawn.strip} />
      ${f.single && scoresPart}
      <${Part} name="comparison" draw=${drawComparison} data=${table} send=${onTable} />
      ${!f.single && (scoresPart || html`<div class="late small quiet">Scores appear once all states are computed.</div>`)}
      ${(rivals.data?.left_out ?? []).map((/** @type {string} */ reason) => html`<div class="note small quiet" key=${reason}>${reason}</div>`)}
      ${all.length === 1 && html`<div class="note small quiet">There is only one model to show. Train the others with: the-experiment train all.</div>`}`}`;
}

/** Loads the boards of one model, and shows nothing itself.
 * @param {{ run: string, take: (run: string, found: Boards) => void }} props
 */
function Load({ run, take }) {
  const c = condition.value;
  const { shown, faults } = useBoards(frame.value, `name=${encodeURIComponent(String(c?.name))}&model=${encodeURIComponent(run)}`, active.value, String(c?.state));
  const seen = ["frame", "model", "chosen", "edits", "baseline", "edited"].map((name) => shown?.[name]);
  useLayoutEffect(() => take(run, { shown, faults }), [...seen, faults.length]);
  return null;
}

/** The boards of a model if they are those that are asked for now.
 * @param {Boards | undefined} boards
 * @param {Rival} rival
 * @param {{ frame: any, name: string, state: string, edits: string }} asked
 */
function currentOf(boards, rival, asked) {
  const shown = boards?.shown;
  if (!shown || shown.frame !== asked.frame || shown.chosen !== asked.state || shown.edits !== asked.edits) return null;
  const about = new URLSearchParams(shown.model);
  return about.get("name") === asked.name && about.get("model") === rival.run ? shown : null;
}

/** Whether all states are known.
 * @param {any} shown
 */
const isWhole = (shown) => Boolean(shown) && [shown.baseline, shown.edited].every((board) => !board || board.known === board.total);

/** What is drawn of the models' boards; until they are there, it is what was drawn before.
 * @param {{ rival: Rival, shown: any }[]} lines
 * @param {boolean} isReady
 * @param {{ frame: any, state: string, edits: string }} asked
 */
function useDrawn(lines, isReady, { frame: f, state, edits }) {
  const last = useRef(/** @type {any} */ (null));
  const parts = lines.flatMap(({ rival, shown }) => [rival.run, shown?.baseline, shown?.edited]);
  const drawn = useMemo(() => isReady && {
    strip: stripData(lines, f, f.states.indexOf(state), edits, `${state} ${edits}`.trim()),
    table: tableData(lines, f, state, `${state} ${edits}`.trim()),
    unfit: lines.flatMap(({ rival, shown }) => (shown?.unfit ?? []).map((/** @type {any} */ each) => ({ model: rival.name, edit: each.edit, why: each.why }))),
  }, [isReady, f, state, edits, parts.length, ...parts]);
  if (drawn) last.current = drawn;
  return last.current;
}

/** The text of the chosen state, one line per model, above the truth. A model whose board is not there yet has its line: what
 * stands below must not move when it comes.
 * @param {{ rival: Rival, shown: any }[]} lines @param {any} f @param {number} state @param {string} edits @param {string} tag
 */
function stripData(lines, f, state, edits, tag) {
  const known = lines.filter(({ shown }) => shown);
  const acting = known.filter(({ shown }) => shown.edited);
  const actedOn = f.slots.map((/** @type {any} */ _, /** @type {number} */ index) => acting.some(({ shown }) => shown.acted_on[index]));
  return {
    slots: stripSlots(f, state, actedOn),
    rows: lines.map(({ rival, shown }) => (shown
      ? stripRow(f, rival.name, shown.edited ?? shown.baseline, state, shown.edited && shown.baseline)
      : { label: rival.name, before: null, cells: null })),
    edited: acting.length > 0 || (Boolean(edits) && known.length < lines.length),
    condition: tag,
  };
}

/** All states, one column of answers per model.
 * @param {{ rival: Rival, shown: any }[]} lines @param {any} f @param {string} state @param {string} tag
 */
const tableData = (lines, f, state, tag) => ({
  ...tableOf(f),
  models: lines.map(({ rival, shown }) => ({ name: rival.name, baseline: shown?.baseline ?? UNKNOWN, edited: shown ? shown.edited : null })),
  chosen: state,
  condition: tag,
});

/** Scores with what each model is and what its training took.
 * @param {any} scores
 * @param {Rival[]} rivals
 */
const withCosts = (scores, rivals) => ({
  ...scores,
  models: scores.models.map((/** @type {any} */ model) => ({ title: "", costs: ["–", "–", "–", "–"], ...rivals.find((each) => each.name === model.name), ...model })),
});

/** @param {string} event @param {any} payload */
function onTable(event, payload) {
  if (event === "sort") change({ sort: payload === "state" ? null : payload });
  else change({ state: payload });
}
