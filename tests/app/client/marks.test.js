// Judgements of tokens in words.

import assert from "node:assert/strict";
import { test } from "node:test";

import { inWords, isJudged, isRight, isRightAsWritten, JUDGEMENTS, sayJudgement } from "../../../app/client/drawing/marks.js";

const PLACES = JUDGEMENTS.map((_, place) => place);
const words = (holds) => PLACES.filter(holds).map((place) => JUDGEMENTS[place].word);

test("which judgements count as right, and which are none", () => {
  assert.deepEqual(words(isRight), ["right", "right_by_rules_alone"]);
  assert.deepEqual(words(isRightAsWritten), ["right", "right_as_written"]);
  assert.deepEqual(words((place) => !isJudged(place)), ["forced", "given", "given_against_rules"]);
});

test("what is set by hand has one mark, whoever set it", () => {
  const marks = Object.fromEntries(JUDGEMENTS.map(({ word, mark }) => [word, mark]));
  assert.equal(marks.forced, marks.given_against_rules);
  assert.equal(marks.right, "");
});

test("a judgement says what is right by the rules, and as written where that differs", () => {
  assert.equal(inWords(2), "right by rules alone");
  assert.equal(sayJudgement(0, "1", "1"), "the rules say 1: right");
  assert.equal(sayJudgement(1, "1", "0"), "the rules say 1, right as written is 0: right as written");
  assert.equal(sayJudgement(3, "1", null), "the rules say 1, right as written is undetermined: wrong");
  assert.equal(sayJudgement(4, "1", "1"), "the rules say 1: forced, not judged");
});
