// Rules in an address: as plain text or, if they are long, compressed. api/world/rules_address.py reads them.

const LONGEST_PLAIN = 1500; // up to this many characters rules stay plain text in an address, where people can read them
/** Characters that rules may take in an address: some programs cut off longer ones. */
export const LONGEST_ADDRESS = 6000;

/**
 * Rules as the query of an address if they are short enough to stay plain text, else null.
 * @param {string} text
 */
export const plainQuery = (text) => (encodeURIComponent(text).length <= LONGEST_PLAIN ? String(new URLSearchParams({ rules: text })) : null);

/**
 * Long rules as the query of an address: compressed with zlib, in base64url; "" if even that is too long.
 * @param {string} text
 */
export async function packedQuery(text) {
  const packed = new Response(new Blob([text]).stream().pipeThrough(new CompressionStream("deflate")));
  const bytes = new Uint8Array(await packed.arrayBuffer());
  const coded = btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join("")).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return coded.length <= LONGEST_ADDRESS ? `rulesz=${coded}` : "";
}
