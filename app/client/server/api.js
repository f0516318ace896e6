// Questions to the server. Answers are JSON or, with many numbers, documents in the format of safetensors; see
// api/answers.py. A question that gets no answer because the connection is cut is asked again until it gets one.

import { signal } from "../html.js";

/**
 * How to ask. `body` is sent with a POST: a file as it is, anything else as JSON.
 * @typedef {{ signal?: AbortSignal, post?: boolean, body?: any }} Options
 */

/** @typedef {{ where: string, message: string, expected: string, got: string, hint: string, text: string }} Fault */

/** Whether the server can be reached. */
export const connected = signal(true);

/** Whether a question waits for the server to import the library, as it does at its start. */
export const starting = signal(false);
let hasStarted = false;

const ROOT = new URL("../../../api/", import.meta.url);
const PATIENCE = 4000; // milliseconds without an answer after which the connection itself is tried
const SOON = 500; // the same until the server has started
const BREAK = 1000; // milliseconds between two tries
// Answers in parts that come at the same time. Browsers open six connections to a server: the others are for what is short.
const MOST_STREAMS = 4;
const LONGEST = 8000; // characters of a query in an address; a longer one is sent as the body of a POST

/** What is wrong with a question, as the server says. */
export class Faulty extends Error {
  /** @param {Fault[]} faults @param {number} [status] of the answer */
  constructor(faults, status = 422) {
    super(faults.map((fault) => fault.text).join("\n"));
    this.faults = faults;
    this.status = status;
  }
}

/** The address of a route.
 * @param {string} route
 * @param {string} [query]
 */
export const addressOf = (route, query = "") => new URL(query ? `${route}?${query}` : route, ROOT).href;

/** @type {Record<string, any>} */
const ARRAYS = { U8: Uint8Array, I8: Int8Array, U16: Uint16Array, I32: Int32Array, F32: Float32Array, BOOL: Uint8Array };

/**
 * The answer in a document of safetensors: its metadata with every array put in place. An array of two axes becomes a
 * list of rows; others stay one row of numbers.
 * @param {Uint8Array} bytes
 * @returns {any}
 */
export function readDocument(bytes) {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const size = Number(view.getBigUint64(0, true));
  const { __metadata__, ...arrays } = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + size)));
  const answer = JSON.parse(__metadata__.answer);
  for (const [path, { dtype, shape, data_offsets: [from, to] }] of Object.entries(arrays)) {
    // A copy: a typed array has to begin at a multiple of its numbers' size.
    const numbers = new ARRAYS[dtype](bytes.slice(8 + size + from, 8 + size + to).buffer);
    const steps = path.split(".");
    const last = /** @type {string} */ (steps.pop());
    let place = answer;
    for (const step of steps) place = place[step];
    place[last] = shape.length === 2
      ? Array.from({ length: shape[0] }, (_, row) => numbers.subarray(row * shape[1], (row + 1) * shape[1]))
      : numbers;
  }
  return answer;
}

/**
 * Ask once.
 * @param {string} route
 * @param {string} query
 * @param {Options} [options]
 * @returns {Promise<any>}
 */
export async function ask(route, query, options = {}) {
  let found = null;
  for await (const answer of askOnce(route, query, options)) found = answer;
  return found;
}

/**
 * Ask for one answer. Late answers are dropped by aborting: whoever asks the next question aborts the one before.
 * @param {string} route
 * @param {string} query
 * @param {Options} [options]
 */
export const askOnce = (route, query, options = {}) => askFor(route, query, options, false);

let streams = 0;
/** Whoever waits for another stream to end. @type {(() => void)[]} */
const queue = [];

/**
 * Ask for an answer that comes in parts; it may have to wait for others that come.
 * @param {string} route
 * @param {string} query
 * @param {{ signal?: AbortSignal }} [options]
 */
export async function* askParts(route, query, options = {}) {
  await turn(options.signal);
  try {
    yield* askFor(route, query, options, true);
  } finally {
    const next = queue.shift();
    if (next) next();
    else streams -= 1;
  }
}

/** Wait until another stream may begin.
 * @param {AbortSignal} [stop]
 */
async function turn(stop) {
  stop?.throwIfAborted();
  if (streams < MOST_STREAMS) {
    streams += 1;
    return;
  }
  await new Promise((resolve, reject) => {
    const next = () => resolve(undefined);
    queue.push(next);
    stop?.addEventListener("abort", () => {
      if (!queue.includes(next)) return;
      queue.splice(queue.indexOf(next), 1);
      reject(stop.reason);
    });
  });
}

/**
 * @param {string} route
 * @param {string} query
 * @param {Options} options
 * @param {boolean} parts
 * @returns {AsyncGenerator<any>}
 */
async function* askFor(route, query, { signal: stop, post = false, body }, parts) {
  for (;;) {
    const hung = new AbortController();
    const watch = watchConnection(hung);
    try {
      const response = await fetch(...requestOf(route, query, { post, body }, stop ? AbortSignal.any([stop, hung.signal]) : hung.signal));
      connected.value = true;
      // An answer of last time says nothing of whether the next question has to wait.
      if (!response.headers.has("x-kept")) [hasStarted, starting.value] = [true, false];
      if (!response.ok) throw new Faulty(await faultsOf(response), response.status);
      const binary = response.headers.get("content-type")?.startsWith("application/octet-stream");
      if (parts) yield* documentsOf(response);
      else if (binary) yield readDocument(new Uint8Array(await response.arrayBuffer()));
      else yield await response.json();
      return;
    } catch (error) {
      // A POST is not repeated: it may have been carried out.
      if (stop?.aborted || error instanceof Faulty || post) throw error;
      // It may be another server that answers next, just started.
      [connected.value, hasStarted] = [false, false];
    } finally {
      watch.isOver = true;
      clearTimeout(watch.timer);
    }
    await reconnected(stop);
  }
}

/**
 * @param {string} route
 * @param {string} query
 * @param {Options} options a body goes with a POST only
 * @param {AbortSignal} stop
 * @returns {[string, RequestInit]}
 */
function requestOf(route, query, { post, body }, stop) {
  if (body) {
    const [sent, type] = body instanceof Blob ? [body, "application/octet-stream"] : [JSON.stringify(body), "application/json"];
    return [addressOf(route, query), { method: "POST", body: sent, headers: { "Content-Type": type }, signal: stop }];
  }
  if (query.length <= LONGEST) return [addressOf(route, query), { method: post ? "POST" : "GET", signal: stop }];
  const headers = { "Content-Type": "application/x-www-form-urlencoded", ...(post ? {} : { "X-HTTP-Method-Override": "GET" }) };
  return [addressOf(route), { method: "POST", body: query, headers, signal: stop }];
}

/** Faults of an answer that says no; a server that is not ours says something else.
 * @param {Response} response
 * @returns {Promise<Fault[]>}
 */
async function faultsOf(response) {
  const text = await response.text();
  try {
    return JSON.parse(text).faults;
  } catch {
    return [{ where: "", message: text, expected: "an answer", got: String(response.status), hint: "", text: text.trim() }];
  }
}

/** The documents of a stream, each as soon as it is complete.
 * @param {Response} response
 */
async function* documentsOf(response) {
  const reader = /** @type {ReadableStream<Uint8Array>} */ (response.body).getReader();
  let pending = new Uint8Array();
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const joined = new Uint8Array(pending.length + value.length);
    joined.set(pending);
    joined.set(value, pending.length);
    pending = joined;
    while (pending.length >= 8) {
      const size = Number(new DataView(pending.buffer, pending.byteOffset, 8).getBigUint64(0, true));
      if (pending.length < 8 + size) break;
      const answer = readDocument(pending.subarray(8, 8 + size));
      pending = pending.slice(8 + size);
      if (answer.faults) throw new Faulty(answer.faults);
      yield answer;
    }
  }
}

/** Give up a question whose connection is dead: one that takes long is fine as long as the server answers others.
 * @param {AbortController} hung
 */
function watchConnection(hung) {
  const patience = () => (hasStarted ? PATIENCE : SOON);
  const watch = { timer: setTimeout(look, patience()), isOver: false };
  async function look() {
    const isAlive = await isThere();
    if (watch.isOver) return;
    if (!isAlive) hung.abort();
    else watch.timer = setTimeout(look, patience());
  }
  return watch;
}

/** Whether the server answers; on the way, whether it has started. */
async function isThere() {
  try {
    const response = await fetch(addressOf("alive"), { signal: AbortSignal.timeout(PATIENCE), cache: "no-store" });
    const isReady = response.ok && (await response.json()).ready;
    if (!hasStarted) starting.value = response.ok && !isReady;
    return response.ok;
  } catch {
    return false;
  }
}

/** Wait until the server answers again.
 * @param {AbortSignal} [stop]
 */
async function reconnected(stop) {
  while (!(await isThere())) {
    await new Promise((resolve) => setTimeout(resolve, BREAK));
    if (stop?.aborted) throw new DOMException("aborted", "AbortError");
  }
  connected.value = true;
}
