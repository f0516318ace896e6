// Edits as text: what a click makes, what it takes away, and at which tokens an edit acts.

import assert from "node:assert/strict";
import { test } from "node:test";

import { amountOf, clickedEdit, editsOf, kindOf, partsOf, samePlace, tokensOf, withKind, writeEdits } from "../../../app/client/store/edits.js";

const kind = (/** @type {string} */ name, /** @type {string[]} */ options = [], default_amount = 1, lowest = -1e6) => ({ kind: name, options, default_amount, lowest });
const FRAME = {
  states: ["0,0", "0,1", "1,1"],
  kinds: [kind("zero"), kind("scale", ["amount"], 2), kind("doubtful", ["amount"], 0.25, 1e-6), kind("steer", ["amount", "source", "minus"]), kind("patch", ["source"])],
  weight_kinds: [kind("flip"), kind("noise", ["amount", "seed"])],
};

test("a condition's edits are in order, and the numbers of those that are off are kept", () => {
  const condition = { on: "zero:L0H1;force:out=1;flip:W[0,1]", off: "0,2" };
  const edits = editsOf(condition);
  assert.deepEqual(edits.map((edit) => edit.on), [false, true, false]);
  assert.deepEqual(writeEdits(edits), condition);
  assert.deepEqual(writeEdits([]), { on: null, off: null });
  assert.deepEqual([editsOf(null), editsOf({ on: null }), editsOf({ on: "" })], [[], [], []]);
});

test("an edit has a kind and a target, whatever its options are", () => {
  for (const text of ["scale:L0.mlp[3]~2.5", "scale:L0.mlp[3]#7@>a..b", "scale:L0.mlp[3]<0,1", "scale:L0.mlp[3]"]) {
    assert.deepEqual(partsOf(text), { kind: "scale", target: "L0.mlp[3]", isForced: false });
  }
  assert.deepEqual(partsOf("force:out=!"), { kind: "force", target: "out", isForced: true });
});

test("edits act on the same place if both act on its activation, both on its weights, or both force it", () => {
  assert.ok(samePlace("zero:L0H1@>a", "scale:L0H1~2", FRAME));
  assert.ok(samePlace("force:out=1", "force:out=!", FRAME));
  assert.ok(samePlace("flip:L0.h", "noise:L0.h~1#3", FRAME));
  assert.ok(!samePlace("zero:L0.h", "flip:L0.h", FRAME));
  assert.ok(!samePlace("zero:L0H1", "zero:L0H2", FRAME));
  assert.ok(!samePlace("zero:L0H1", "zero:L0", FRAME));
  assert.ok(!samePlace("zero:out", "force:out=1", FRAME));
  assert.ok(!samePlace("force:out=1", "force:other=1", FRAME));
});

test("a click makes the chosen kind with the options that it has, and no others", () => {
  const all = { amount: "3", noise: "0.5", seed: "7", from: "0,1", minus: "1,1", at: "@>a..b" };
  const made = (/** @type {string} */ name) => clickedEdit("S", "kind", { ...all, kind: name }, FRAME);
  assert.deepEqual(["zero", "scale", "steer", "patch"].map(made),
    ["zero:S@>a..b", "scale:S~3@>a..b", "steer:S~3@>a..b<0,1>1,1", "patch:S@>a..b<0,1"]);
  assert.equal(clickedEdit("W[1,2]", "weights", { ...all, weights: "noise" }, FRAME), "noise:W[1,2]~0.5#7@>a..b");
});

test("what is not chosen has its default: the first kind, its amount, the last state minus the first", () => {
  assert.equal(clickedEdit("S", "kind", null, FRAME), "zero:S");
  assert.equal(clickedEdit("S", "weights", {}, FRAME), "flip:S");
  assert.equal(clickedEdit("S", "kind", { kind: "scale" }, FRAME), "scale:S~2");
  assert.equal(clickedEdit("S", "kind", { kind: "steer", from: null, minus: null }, FRAME), "steer:S~1<1,1>0,0");
  assert.equal(clickedEdit("S", "weights", { weights: "noise", seed: null }, FRAME), "noise:S~1");
  assert.equal(kindOf("kind", { kind: "none of these" }, FRAME).kind, "zero");
});

test("an amount that was chosen stays while the next kind can have it", () => {
  assert.deepEqual(withKind("scale", "kind", {}, FRAME), { kind: "scale", amount: null });
  assert.deepEqual(withKind("scale", "kind", { amount: "3" }, FRAME), { kind: "scale", amount: "3" });
  assert.deepEqual(withKind("doubtful", "kind", { kind: "scale", amount: "-3" }, FRAME), { kind: "doubtful", amount: null });
  assert.deepEqual(withKind("scale", "kind", { amount: "2.0" }, FRAME), { kind: "scale", amount: null }, "its default");
  assert.deepEqual(withKind("zero", "kind", { kind: "scale", amount: "0" }, FRAME), { kind: null, amount: "0" });
  assert.deepEqual(withKind("flip", "weights", { weights: "noise", noise: "2", amount: "5" }, FRAME), { weights: null, noise: "2" });
  assert.equal(amountOf("kind", { kind: "scale", amount: "0" }, FRAME), 0);
});

test("the tokens at which an edit acts, in words", () => {
  assert.equal(tokensOf("zero:L0H1"), "at all tokens");
  assert.equal(tokensOf("zero:L0H1@newB"), "at newB");
  assert.equal(tokensOf("steer:L0~2#7@>newB<1,0>0,0"), "at >newB");
  assert.equal(tokensOf("zero:L0H1@A.."), "from A to the end");
  assert.equal(tokensOf("zero:L0H1@..A"), "from the first token to A");
  assert.equal(tokensOf("patch:L0H1@>A..>B<1,0"), "from >A to >B");
  assert.equal(tokensOf("force:newB=1"), "where newB is written");
});
