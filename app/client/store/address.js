// A page's address and the condition that it names. One table, read in both directions; api/address.py reads the same.

/**
 * What determines, together with the files on the server, everything that a page shows. A parameter that is null has its
 * default.
 * @typedef {Record<string, string | null>} Condition
 */

/** The parameters of an address, in the order in which they are written. */
export const PARAMETERS = [
  "name", "model", "view", "state", "on", "off", "kind", "weights", "at", "amount", "noise", "seed", "from", "minus",
  "step", "large", "token", "sort", "margins", "weight", "versus", "activation", "units", "grouped", "text", "beside",
  "open", "answer", "options", "cell",
];

// Characters that an address leaves unescaped, because people read addresses, too.
const PLAIN = /%(2C|3A|3B|40|21|3D|7E|5B|5D)/g;

/**
 * The condition that an address names, unchecked: the server says what in it can be followed.
 * @param {string} search the part of an address from its "?" on
 * @returns {Condition}
 */
export function readAddress(search) {
  const said = new URLSearchParams(search);
  return Object.fromEntries(PARAMETERS.map((name) => {
    const values = said.getAll(name);
    return [name, values.length ? (name === "on" ? values.join(";") : values.at(-1) ?? null) : null];
  }));
}

/**
 * The query of an address that names a condition.
 * @param {Condition} condition
 * @param {string[]} [names] the parameters to write; by default all
 */
export function writeAddress(condition, names = PARAMETERS) {
  return names
    .filter((name) => condition[name] !== null && condition[name] !== undefined && (condition[name] !== "" || name === "text"))
    .map((name) => `${name}=${encodeURIComponent(String(condition[name])).replace(PLAIN, decodeURIComponent).replaceAll("%20", "+")}`)
    .join("&");
}
