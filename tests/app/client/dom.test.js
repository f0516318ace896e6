// What the client says of numbers and texts.

import assert from "node:assert/strict";
import { test } from "node:test";

import { asCsv, escape, percent, share } from "../../../app/client/drawing/dom.js";

test("a share is a percentage with as many digits as it needs", () => {
  assert.deepEqual([0, 0.0004, 0.0123, 0.1, 0.5, 0.982, 0.9951, 0.9996, 1].map(percent),
    ["0%", "0%", "1.2%", "10%", "50%", "98%", "99.5%", "100%", "100%"]);
});

test("right ones of all are a fraction; of none there is no share", () => {
  assert.equal(share([3, 4]), "3/4");
  assert.equal(share([0, 4]), "0/4");
  assert.equal(share([0, 0]), "–");
});

test("a text is no markup", () => {
  assert.equal(escape('<b title="a">&amp;</b>'), "&lt;b title=&quot;a&quot;&gt;&amp;amp;&lt;/b&gt;");
  assert.equal(escape(5), "5");
});

test("cells with commas, quotes or line breaks are quoted in a table", () => {
  assert.equal(asCsv([["a", 1], ["b,c", 'd"e'], ["f\ng", ""]]), 'a,1\n"b,c","d""e"\n"f\ng",\n');
  assert.equal(asCsv([]), "\n");
});
