// The states that are held out of training: as in an address, and as a list.

/** Stands for no state, or no model. */
export const NONE = "none";

/** Whether a state such as "1,0,1" matches a pattern such as "1,*,1".
 * @param {string} state
 * @param {string} pattern
 */
function matches(state, pattern) {
  const [bits, parts] = [state.split(","), pattern.split(",").map((part) => part.trim())];
  return bits.length === parts.length && bits.every((bit, index) => parts[index] === "*" || parts[index] === bit);
}

/**
 * The states that are held out, in the world's order. Parts that mean nothing in this world are left out; the server says
 * what is wrong with them.
 * @param {string | null} text states and patterns joined by ";", or "none"; null for the default hold-out
 * @param {string[]} states all states of the world
 * @param {string[]} usual the default hold-out
 */
export function heldStates(text, states, usual) {
  if (text === null) return usual;
  const patterns = text.split(";");
  return states.filter((state) => patterns.some((pattern) => matches(state, pattern)));
}

/**
 * The states that are held out, as in an address; null if they are those of the default hold-out.
 * @param {Iterable<string>} held
 * @param {string[]} states all states of the world
 * @param {string[]} usual the default hold-out
 */
export function heldText(held, states, usual) {
  const [wanted, default_] = [new Set(held), new Set(usual)];
  const found = states.filter((state) => wanted.has(state));
  if (found.length === default_.size && found.every((state) => default_.has(state))) return null;
  return found.join(";") || NONE;
}
