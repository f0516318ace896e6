// What a click on a number chooses.

import assert from "node:assert/strict";
import { test } from "node:test";

import { changesOf, isChosen, readOptions, writeOptions } from "../../../app/app_pages/mechanism/selection.js";

const OFFERED = [{ name: "spread", label: "Number", choices: [["mean", "mean"], ["largest", "largest"]], help: "" }];

test("options are read from an address and written into it; defaults are left out", () => {
  const text = "variable=input:A=1;spread=largest";
  assert.deepEqual(readOptions(text), { variable: "input:A=1", spread: "largest" });
  assert.equal(writeOptions(readOptions(text), OFFERED), text);
  assert.equal(writeOptions({ variable: "input:B", spread: "mean" }, OFFERED), "variable=input:B");
  assert.equal(writeOptions({ spread: "mean" }, OFFERED), null);
  assert.deepEqual(readOptions(null), {});
});

test("a click changes what it chooses and leaves the rest", () => {
  const condition = { model: "gpt2", options: "variable=input:A", cell: null };
  assert.deepEqual(changesOf({ cell: "L0@A", answer: "sum" }, OFFERED, condition), { cell: "L0@A", answer: "sum" });
  assert.deepEqual(changesOf({ options: { spread: "largest" } }, OFFERED, condition), { options: "variable=input:A;spread=largest" });
  assert.deepEqual(changesOf({ beside: "gpt2:400" }, [], condition), { beside: "gpt2:400" });
  assert.deepEqual(changesOf({ beside: "gpt2" }, [], condition), {}, "the open model is not held beside itself");
  assert.deepEqual(changesOf({}, OFFERED, condition), {});
});

test("a number is chosen if the address names its place, its answer and its options", () => {
  const selection = { cell: "L0@A", answer: "newD", options: { variable: "input:A" } };
  assert.ok(isChosen(selection, "L0@A", "newD", { variable: "input:A" }));
  assert.ok(isChosen(selection, "L0@A", "newD", {}), "an option that has its default may be any that it selects");
  assert.ok(!isChosen(selection, "L0@A", "newD", { variable: "input:B" }));
  assert.ok(!isChosen(selection, "L0@A", "sum", {}));
  assert.ok(!isChosen(selection, "L0@B", "newD", {}));
  assert.ok(!isChosen({}, null, "newD", {}));
  assert.ok(isChosen({ cell: "L0@A" }, "L0@A", "sum", {}));
});
