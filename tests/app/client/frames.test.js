// Answers to questions that were asked at the same time are drawn together.

import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";

import { asked } from "../../../app/client/server/frames.js";

/** @type {string[]} */
let drawn = [];
const draw = (/** @type {string} */ name) => () => { drawn.push(name); };

beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout"] });
  drawn = [];
});

test("an answer waits for those to the questions asked at the same time", () => {
  const [board, picture] = [asked(), asked()];
  picture.show(draw("picture"));
  assert.deepEqual(drawn, []);
  board.show(draw("board"));
  assert.deepEqual(drawn, ["picture", "board"]);
  mock.timers.runAll();
});

test("it waits 30 ms at most, and what comes later is drawn at once", () => {
  const [board, picture] = [asked(), asked()];
  board.show(draw("board"));
  mock.timers.tick(29);
  assert.deepEqual(drawn, []);
  mock.timers.tick(1);
  assert.deepEqual(drawn, ["board"]);
  picture.show(draw("picture"));
  assert.deepEqual(drawn, ["board", "picture"]);
});

test("it waits for none that is given up", () => {
  const [board, picture] = [asked(), asked()];
  board.show(draw("board"));
  picture.end();
  picture.end();
  assert.deepEqual(drawn, ["board"]);
  mock.timers.runAll();
});

test("further parts of an answer, and questions asked later, wait for none", () => {
  const [board, slow] = [asked(), asked()];
  board.show(draw("first part"));
  mock.timers.tick(30);
  board.show(draw("second part"));
  const later = asked();
  later.show(draw("later"));
  assert.deepEqual(drawn, ["first part", "second part", "later"]);
  slow.end();
  mock.timers.runAll();
});
