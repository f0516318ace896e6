// Edits of a model in their text form, kind:target~amount#seed@positions<state>state; interventions/syntax.py defines it.

/** @typedef {import("./address.js").Condition} Condition */
/** @typedef {{ text: string, on: boolean }} Edit */

/** The edits of a condition, in order.
 * @param {Condition | null} condition
 * @returns {Edit[]}
 */
export function editsOf(condition) {
  if (!condition?.on) return [];
  const off = new Set((condition.off ?? "").split(",").filter(Boolean).map(Number));
  return condition.on.split(";").map((text, index) => ({ text, on: !off.has(index) }));
}

/** Edits as parameters of a condition.
 * @param {Edit[]} edits
 */
export function writeEdits(edits) {
  const off = edits.flatMap((edit, index) => (edit.on ? [] : [index]));
  return { on: edits.map((edit) => edit.text).join(";") || null, off: off.join(",") || null };
}

/** Kind and target of an edit.
 * @param {string} text
 */
export function partsOf(text) {
  const [, kind, target] = /** @type {RegExpMatchArray} */ (text.match(/^([a-z]+):([^~#@<]*)/) ?? ["", "", text]);
  return { kind, target: target.split("=")[0], isForced: target.includes("=") };
}

/** Whether two edits act on the same part, both on its activation or both on its weights.
 * @param {string} one
 * @param {string} other
 * @param {any} frame
 */
export function samePlace(one, other, frame) {
  const [a, b] = [partsOf(one), partsOf(other)];
  if (a.target !== b.target || a.isForced !== b.isForced) return false;
  const onWeights = (/** @type {string} */ kind) => frame.weight_kinds.some((/** @type {any} */ each) => each.kind === kind);
  return a.isForced || onWeights(a.kind) === onWeights(b.kind);
}

/** The kind of edit that a click makes, with its options.
 * @param {"kind" | "weights"} family of activations, or of weights
 * @param {Condition | null} condition
 * @param {any} frame
 */
export function kindOf(family, condition, frame) {
  const kinds = family === "kind" ? frame.kinds : frame.weight_kinds;
  return kinds.find((/** @type {any} */ each) => each.kind === condition?.[family]) ?? kinds[0];
}

/** The amount of an edit that a click makes.
 * @param {"kind" | "weights"} family
 * @param {Condition | null} condition
 * @param {any} frame
 */
export function amountOf(family, condition, frame) {
  const given = condition?.[family === "kind" ? "amount" : "noise"];
  return given === null || given === undefined ? kindOf(family, condition, frame).default_amount : Number(given);
}

/** The changes of a condition when another kind is chosen. An amount that nobody chose, or that the kind cannot have,
 * becomes its default.
 * @param {string} name of the kind
 * @param {"kind" | "weights"} family
 * @param {Condition | null} condition
 * @param {any} frame
 * @returns {Partial<Condition>}
 */
export function withKind(name, family, condition, frame) {
  const kinds = family === "kind" ? frame.kinds : frame.weight_kinds;
  const next = kinds.find((/** @type {any} */ each) => each.kind === name);
  const amount = family === "kind" ? "amount" : "noise";
  const given = condition?.[amount] ?? null;
  const stays = given !== null && Number(given) >= next.lowest && Number(given) !== next.default_amount;
  return { [family]: name === kinds[0].kind ? null : name, [amount]: stays ? given : null };
}

/** An amount as the library writes it: the server names edits by their text.
 * @param {number} amount
 */
function decimal(amount) {
  const size = Math.abs(amount);
  if (Number.isInteger(amount)) return size < 1e6 ? String(amount) : amount.toFixed(1);
  return size < 1e-4 ? amount.toExponential().replace(/-(\d)$/, "-0$1") : String(amount);
}

/** The edit that a click makes.
 * @param {string} site
 * @param {"kind" | "weights"} family
 * @param {Condition | null} condition
 * @param {any} frame
 */
export function clickedEdit(site, family, condition, frame) {
  const kind = kindOf(family, condition, frame);
  const has = (/** @type {string} */ option) => kind.options.includes(option);
  return [
    `${kind.kind}:${site}`,
    has("amount") ? `~${decimal(amountOf(family, condition, frame))}` : "",
    has("seed") && Number(condition?.seed ?? 0) ? `#${condition?.seed}` : "",
    condition?.at ?? "",
    has("source") ? `<${condition?.from ?? frame.states.at(-1)}` : "",
    has("minus") ? `>${condition?.minus ?? frame.states[0]}` : "",
  ].join("");
}

/** In words, the tokens at which an edit acts.
 * @param {string} text
 */
export function tokensOf(text) {
  const { target, isForced } = partsOf(text);
  if (isForced) return `where ${target} is written`;
  const span = text.match(/@([^<]*)/)?.[1] ?? "";
  if (!span) return "at all tokens";
  if (!span.includes("..")) return `at ${span}`;
  const [start, stop] = span.split("..");
  return stop ? `from ${start || "the first token"} to ${stop}` : `from ${start} to the end`;
}
