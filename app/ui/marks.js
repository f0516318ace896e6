// How a token stands to the rules, and the one set of marks for it on all pages: as in playground/datasets/judgement.py,
// whose tests hold the two against each other. Data have a token's place in this list.

const JUDGEMENTS = [
  { word: "right", mark: "", kind: "right" },
  { word: "right_as_written", mark: "≈", kind: "as-written" },
  { word: "right_by_rules_alone", mark: "†", kind: "by-rules" },
  { word: "wrong", mark: "✗", kind: "wrong" },
  { word: "forced", mark: "⚑", kind: "set" },
  { word: "given", mark: "", kind: "given-token" },
  { word: "given_against_rules", mark: "⚑", kind: "set" },
];

const MARKS_SAID = "No mark: right; ≈ right as written, given what stands before it in the text, but wrong by the rules; "
  + "† right by the rules, but not as written; ✗ wrong both ways; ⚑ forced, or given against the rules: not judged.";

const inWords = (place) => JUDGEMENTS[place].word.replaceAll("_", " ");
const isRight = (place) => place === 0 || place === 2;
const isRightAsWritten = (place) => place === 0 || place === 1;
const isJudged = (place) => place < 4;

// Shows by mark and style how the token in an element stands to the rules.
function markToken(element, place) {
  const { mark, kind } = JUDGEMENTS[place];
  element.classList.add(kind);
  if (mark) element.append(make("span", "judgement", mark));
}

// The same in words. `follows`: the token that would be right as written, null where that cannot be told.
function sayJudgement(place, truth, follows) {
  return `the rules say ${truth}`
    + (follows === truth ? "" : follows === null ? ", what is right as written cannot be told" : `, right as written is ${follows}`)
    + `: ${inWords(place)}${isJudged(place) ? "" : ", not judged"}`;
}

// What no seen state has, in the library's sentences: a line of its own, or nothing.
function neverSeen(sentences) {
  return sentences?.length ? [make("div", "never-seen small", `◆ ${sentences.join(" ")}`)] : [];
}
