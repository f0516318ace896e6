// How the client asks: few streams at a time, so that a browser's connections are never all taken.

import assert from "node:assert/strict";
import { test } from "node:test";

import { askParts } from "../../../app/client/server/api.js";

/** Answers that come when they are released, and how many come at this moment. */
function makeServer() {
  const server = { open: 0, most: 0, asked: /** @type {string[]} */ ([]), release: /** @type {Map<string, () => void>} */ (new Map()) };
  globalThis.fetch = /** @type {any} */ ((address, { signal }) => new Promise((resolve, reject) => {
    const route = new URL(address).pathname.split("/").at(-1);
    server.asked.push(route);
    server.most = Math.max(server.most, (server.open += 1));
    const end = () => { server.open -= 1; };
    signal?.addEventListener("abort", () => { end(); reject(signal.reason); });
    server.release.set(route, () => { end(); resolve(new Response(new Uint8Array())); });
  }));
  return server;
}

const drain = async (/** @type {AsyncGenerator} */ parts) => { for await (const _ of parts); };
const moment = () => new Promise((resolve) => setTimeout(resolve, 5));

test("of many answers in parts only a few come at a time, in the order in which they were asked for", async () => {
  const server = makeServer();
  const routes = ["a", "b", "c", "d", "e", "f", "g"];
  const all = routes.map((route) => drain(askParts(route, "")));
  for (const route of routes) {
    await moment();
    server.release.get(route)();
  }
  await Promise.all(all);
  assert.equal(server.most, 4);
  assert.deepEqual(server.asked, routes);
});

test("whoever no longer wants an answer makes room for the next, and is not asked for while waiting", async () => {
  const server = makeServer();
  const stops = ["a", "b", "c", "d", "e", "f"].map(() => new AbortController());
  const all = ["a", "b", "c", "d", "e", "f"].map((route, index) => drain(askParts(route, "", { signal: stops[index].signal })));
  const ends = Promise.allSettled(all);
  await moment();
  stops[4].abort();
  stops[0].abort();
  await moment();
  assert.deepEqual(server.asked, ["a", "b", "c", "d", "f"]);
  for (const route of ["b", "c", "d", "f"]) server.release.get(route)();
  const ended = await ends;
  assert.deepEqual(ended.map((each) => each.status), ["rejected", "fulfilled", "fulfilled", "fulfilled", "rejected", "fulfilled"]);
  assert.equal(server.most, 4);
});
