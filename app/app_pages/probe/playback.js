// Writing token by token: the next click acts from the token at which the player under the strip pauses.

/**
 * What changes when the player pauses before a token, or writes to the end. Positions that were chosen by hand stay.
 * @param {import("../../client/store/address.js").Condition | null} condition
 * @param {any} frame
 * @param {number | "end"} step the token's number
 */
export function pauseAt(condition, frame, step) {
  const from = (/** @type {number} */ token) => `@${frame.written_at[token]}..`;
  if (step !== "end") return { step: String(step), at: from(step) };
  const before = condition?.step ?? null;
  return before !== null && condition?.at === from(Number(before)) ? { step: null, at: null } : { step: null };
}
