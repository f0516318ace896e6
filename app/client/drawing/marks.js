// Judgements of tokens and their marks, the same on all pages and in playground/datasets/judgement.py; a test compares
// the two. Data refer to a judgement by its index in this list.

import { make } from "./dom.js";

export const JUDGEMENTS = [
  { word: "right", mark: "", kind: "right" },
  { word: "right_as_written", mark: "≈", kind: "as-written" },
  { word: "right_by_rules_alone", mark: "†", kind: "by-rules" },
  { word: "wrong", mark: "✗", kind: "wrong" },
  { word: "forced", mark: "⚑", kind: "set" },
  { word: "given", mark: "", kind: "given-token" },
  { word: "given_against_rules", mark: "⚑", kind: "set" },
];

export const MARKS_SAID = "No mark: right; ≈ right as written, given what stands before it in the text, but wrong by the rules; "
  + "† right by the rules, but not as written; ✗ wrong both ways; ⚑ forced, or given against the rules: not judged.";

export const inWords = (place) => JUDGEMENTS[place].word.replaceAll("_", " ");
export const isRight = (place) => place === 0 || place === 2;
export const isRightAsWritten = (place) => place === 0 || place === 1;
export const isJudged = (place) => place < 4;

// Marks and styles a token by its judgement.
export function markToken(element, place) {
  const { mark, kind } = JUDGEMENTS[place];
  element.classList.add(kind);
  if (mark) element.append(make("span", "judgement", mark));
}

// A judgement in words. `follows`: the token that would be right as written, null if unknown.
export function sayJudgement(place, truth, follows) {
  return `the rules say ${truth}`
    + (follows === truth ? "" : follows === null ? ", right as written is undetermined" : `, right as written is ${follows}`)
    + `: ${inWords(place)}${isJudged(place) ? "" : ", not judged"}`;
}

// A line with the library's sentences on what occurs in no seen state, or nothing.
export function neverSeen(sentences) {
  return sentences?.length ? [make("div", "never-seen small", `◆ ${sentences.join(" ")}`)] : [];
}
