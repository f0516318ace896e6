// What a click on a number or a row chooses: a part and a token, an answer, options, a model to compare with.

/**
 * @typedef {{ cell?: string, answer?: string, options?: Record<string, string>, beside?: string }} Selection
 * @typedef {{ name: string, label: string, choices: [string, string][], help: string }} Option
 */

/** The options in an address, such as variable=input:A;spread=largest.
 * @param {string | null | undefined} text
 * @returns {Record<string, string>}
 */
export const readOptions = (text) => Object.fromEntries((text ?? "").split(";").filter(Boolean).map((each) => {
  const end = each.indexOf("=");
  return [each.slice(0, end), each.slice(end + 1)];
}));

/** Options as an address says them; those of a method that have their default are left out.
 * @param {Record<string, string>} chosen
 * @param {Option[]} offered by the method
 */
export function writeOptions(chosen, offered) {
  const first = Object.fromEntries(offered.map((option) => [option.name, option.choices[0]?.[0]]));
  return Object.entries(chosen).filter(([name, value]) => value !== first[name]).map(([name, value]) => `${name}=${value}`).join(";") || null;
}

/**
 * What a click changes.
 * @param {Selection} selection
 * @param {Option[]} offered by the method
 * @param {import("../../client/store/address.js").Condition} condition
 */
export function changesOf(selection, offered, condition) {
  /** @type {Partial<import("../../client/store/address.js").Condition>} */
  const changes = {};
  if (selection.cell) changes.cell = selection.cell;
  if (selection.answer) changes.answer = selection.answer;
  if (selection.options) changes.options = writeOptions({ ...readOptions(condition.options), ...selection.options }, offered);
  if (selection.beside && selection.beside !== condition.model) changes.beside = selection.beside;
  return changes;
}

/**
 * Whether what a click would choose is what is chosen.
 * @param {Selection} selection
 * @param {string | null | undefined} cell the chosen part and token
 * @param {string} answer
 * @param {Record<string, string>} options those of the method that differ from their defaults
 */
export function isChosen(selection, cell, answer, options) {
  return Boolean(cell) && selection.cell === cell && (selection.answer ?? answer) === answer
    && Object.entries(selection.options ?? {}).every(([name, value]) => (options[name] ?? value) === value);
}
