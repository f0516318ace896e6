// The states that are held out, as page Train keeps them in its address.

import assert from "node:assert/strict";
import { test } from "node:test";

import { NONE, heldStates, heldText } from "../../../app/app_pages/train/held_out.js";

const STATES = ["0,0", "0,1", "1,0", "1,1"];
const USUAL = ["0,1"];

test("states and patterns hold out what they match; without a text it is the default", () => {
  assert.deepEqual(heldStates(null, STATES, USUAL), USUAL);
  assert.deepEqual(heldStates("1,*; 0,0", STATES, USUAL), ["0,0", "1,0", "1,1"]);
  assert.deepEqual(heldStates(NONE, STATES, USUAL), []);
});

test("parts that mean nothing in a world hold out nothing", () => {
  assert.deepEqual(heldStates("1,0,1;2,0;x;;1,1", STATES, USUAL), ["1,1"]);
});

test("the default hold-out needs no text, and none has its own", () => {
  assert.equal(heldText(["0,1"], STATES, USUAL), null);
  assert.equal(heldText([], STATES, USUAL), NONE);
  assert.equal(heldText([], STATES, []), null);
  assert.equal(heldText(["1,1", "0,0", "1,1"], STATES, USUAL), "0,0;1,1");
});

test("what is read is what was written", () => {
  for (const held of [[], ["0,0"], ["0,1"], ["0,1", "1,1"], STATES]) {
    assert.deepEqual(heldStates(heldText(held, STATES, USUAL), STATES, USUAL), held);
  }
});
