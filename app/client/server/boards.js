// Boards as the client keeps them: what a model writes in every state, filled as its rows come.

import { useMemo, useRef } from "../html.js";
import { useParts } from "../parts.js";

/** The rows of a board that have come so far; the parts of a large world come block by block.
 * @param {any} before
 * @param {any} part
 */
function join(before, part) {
  const board = {
    ...part,
    known: (before?.known ?? 0) + part.rows.length,
    tokens: [...(before?.tokens ?? [])],
    token_probability: [...(before?.token_probability ?? [])],
    token_judged: [...(before?.token_judged ?? [])],
    margin: [...(before?.margin ?? [])],
    truth_as_written: [...(before?.truth_as_written ?? [])],
    truth_do: part.truth_do && [...(before?.truth_do ?? [])],
  };
  part.rows.forEach((/** @type {number} */ row, /** @type {number} */ index) => {
    board.tokens[row] = part.tokens[index];
    board.token_probability[row] = part.token_probability[index];
    board.token_judged[row] = part.judged[index];
    board.margin[row] = part.margin[index];
    board.truth_as_written[row] = part.truth_as_written[index];
    if (board.truth_do) board.truth_do[row] = part.truth_do[index];
  });
  return board;
}

/** A board with its answers apart, as tables show it.
 * @param {any} board
 * @param {any} frame
 */
function withAnswers(board, frame) {
  const at = (/** @type {ArrayLike<number>} */ row) => frame.answer_positions.map((/** @type {number} */ position) => row[position]);
  const pick = (/** @type {any[]} */ rows) => {
    const picked = /** @type {any[]} */ ([]);
    rows.forEach((row, index) => { picked[index] = at(row); });
    return picked;
  };
  return {
    ...board,
    tag: frame.single ? "" : "rows",
    written: pick(board.tokens),
    probability: pick(board.token_probability),
    judged: pick(board.token_judged),
  };
}

/**
 * The boards of a model, unedited and edited, as far as they have come.
 *
 * Until a newly opened model's board is there, these are those of the one before, with its frame and state.
 * @param {any} frame
 * @param {string} model the query that names the model
 * @param {string} edits the active edits
 * @param {string} chosen the chosen state
 */
export function useBoards(frame, model, edits, chosen) {
  const state = frame.states.indexOf(chosen);
  const first = useRef({ baseline: "", edited: "" });
  const last = useRef(/** @type {any} */ (null));
  const asked = { baseline: query("baseline", model), edited: edits ? query("edited", `${model}&on=${encodeURIComponent(edits)}`) : null };
  const baseline = useParts("board", asked.baseline, join);
  const edited = useParts("board", asked.edited, join);
  const isCurrent = baseline.query === model || baseline.query?.startsWith(`${model}&`);
  const shown = useMemo(() => (isCurrent && baseline.data ? withAnswers(baseline.data, frame) : null), [baseline.data, isCurrent, frame]);
  const isEdited = Boolean(edits) && edited.query?.startsWith(`${model}&`);
  const changed = useMemo(() => (isEdited && edited.data ? withAnswers(edited.data, frame) : null), [edited.data, isEdited, frame]);

  // In a large world the block of the chosen state comes first, if it is not there yet.
  /** @param {"baseline" | "edited"} which @param {string} about */
  function query(which, about) {
    if (frame.single) return about;
    const there = last.current?.frame === frame && last.current.asked[which]?.startsWith(about) && last.current[which]?.tokens[state];
    if (!there) first.current[which] = `&state=${chosen}`;
    return about + first.current[which];
  }

  // An edited board is that of the edits asked for last, or of those before while it is on its way.
  const isReady = shown?.tokens[state] && (!edits || changed?.tokens[state] || edited.faults.length);
  if (isReady) {
    last.current = {
      frame,
      state,
      chosen,
      model,
      baseline: shown,
      edited: changed?.applied?.length ? changed : null,
      unfit: changed ? changed.unfit : [],
      acted_on: changed ? changed.acted_on : null,
      edits: changed && edits ? new URLSearchParams(edited.query ?? "").get("on") ?? "" : "",
      asked: { baseline: baseline.query, edited: edited.query },
    };
  }
  const isNew = Boolean(isReady) && baseline.query === asked.baseline && (edited.query === asked.edited || !edits);
  return { shown: last.current, isNew, faults: [...baseline.faults, ...edited.faults] };
}

/** What tables of all states need to know of the world.
 * @param {any} frame
 */
export const tableOf = (frame) => ({
  names: frame.names,
  vocabulary: frame.vocabulary,
  states: frame.states,
  held_out: frame.held_out,
  truth: frame.truth_tokens.map((/** @type {ArrayLike<number>} */ row) => frame.answer_positions.map((/** @type {number} */ position) => row[position])),
  predictor: frame.predictor,
  never_seen: frame.never_seen,
});

/** One line of a text strip: what a model writes in one state.
 * @param {any} frame
 * @param {string} label
 * @param {any} board
 * @param {number} state
 * @param {any} before the board without interventions, if the line marks what they changed
 */
export function stripRow(frame, label, board, state, before = null) {
  const said = (/** @type {number} */ token) => frame.vocabulary[token];
  return {
    label,
    before: before && Array.from(before.tokens[state], said),
    cells: Array.from(board.tokens[state], (token, index) => {
      const answer = frame.answer_positions.indexOf(index);
      const right = answer < 0 ? frame.truth_tokens[state][index] : board.truth_as_written[state][answer];
      return {
        token: said(/** @type {number} */ (token)),
        judged: board.token_judged[state][index],
        as_written: said(right) ?? null,
        probability: board.token_probability[state][index],
      };
    }),
  };
}

/** The slots of a text strip: names above, the truth below.
 * @param {any} frame
 * @param {number} state
 * @param {boolean[] | null} actedOn
 */
export const stripSlots = (frame, state, actedOn) => frame.slots.map((/** @type {any} */ slot, /** @type {number} */ index) => ({
  ...slot,
  acted_on: Boolean(actedOn?.[index]),
  truth: frame.vocabulary[frame.truth_tokens[state][index]],
}));
