// The written text of one state, token by token, one line per model or condition, and what the rules say.
// With a player, the text appears token by token and can pause before any of them.

import { fitTokens, make, nameHead, percent } from "./dom.js";
import { inWords, JUDGEMENTS, MARKS_SAID, markToken, sayJudgement } from "./marks.js";
import { showFocused } from "./patch.js";

const BEAT = 550; // milliseconds per token
const MOST_WIDE = 32; // tokens that all have room for a probability; beyond that, separators show theirs in the title only

function cell(slot, written, before, index, data, force) {
  const td = make("td", slot.given ? "given" : slot.name ? "answer" : "separator");
  td.dataset.index = index;
  const isOutput = force && !slot.given && data.outputs.includes(slot.name);
  const token = make(isOutput ? "button" : "span", "cell mono", written.token);
  markToken(token, written.judged);
  const forced = JUDGEMENTS[written.judged].word === "forced";
  const changed = before !== null && before !== written.token;
  if (changed) token.classList.add("changed");
  if (isOutput) {
    token.dataset.focus = `force ${slot.name} ${before === null ? "baseline" : "edited"}`;
    token.setAttribute("aria-label", `${slot.name}: wrote ${written.token}, ${inWords(written.judged)}. ${forced ? "Let it write freely again" : "Force the opposite"}`);
    token.onclick = () => force(slot.name);
  }
  td.append(token);
  if (!slot.given) {
    td.append(make("span", "sure mono quiet", percent(written.probability)));
    td.title = `${slot.name || "separator"}: ${forced ? "was forced to write" : "wrote"} ${written.token}${changed ? ` (baseline ${before})` : ""}, `
      + `probability ${written.probability.toFixed(4)}; ${sayJudgement(written.judged, slot.truth, written.as_written)}`
      + (isOutput ? `. Click to ${forced ? "let it write freely again" : "force the opposite"}` : "");
  }
  return td;
}

// Stands where the token of a line comes that is not there yet, as high as that one.
function missing(slot) {
  const td = make("td", slot.given ? "given" : slot.name ? "answer" : "separator");
  td.append(make("span", "cell mono quiet", "·"));
  if (!slot.given) td.append(make("span", "sure mono", "\u00a0"));
  return td;
}

function row(label, slots, makeCell, name) {
  const tr = make("tr", name);
  tr.dataset.row = label;
  const th = make("th", "row", label);
  th.scope = "row";
  tr.append(th, ...slots.map(makeCell));
  return tr;
}

// Shows the text up to the token at which the player is paused.
function reveal(root, data, step) {
  const { first, written_at: places } = data.player;
  const at = step ?? data.slots.length;
  for (const td of root.querySelectorAll("td[data-index]")) {
    td.classList.toggle("unwritten", Number(td.dataset.index) >= at);
    td.classList.toggle("pause", Number(td.dataset.index) === at);
  }
  const say = root.querySelector(".player .say");
  if (step === null) { say.textContent = "complete"; return; }
  const name = data.slots[step].name || (data.slots[step].truth === "⏎" ? "the line break" : `the ${data.slots[step].truth}`);
  const next = data.rows.map((line) => `${data.rows.length > 1 ? `${line.label} ` : ""}${line.cells[step].token} (${percent(line.cells[step].probability)})`);
  say.textContent = `paused before ${name}, at ${places[step]}; next: ${next.join(", ")}. Edits apply from here.`;
  root.querySelector("[data-focus=back]").disabled = step <= first;
}

// Puts the player between text and legend, and continues where it was.
function addPlayer(root, table, legend, data, send) {
  const { first } = data.player;
  const last = data.slots.length - 1;
  const bar = make("div", "player");
  const pause = (step) => {
    stop();
    reveal(root, data, step);
    root.asked = [...(root.asked ?? [data.player.step]), step];
    send("step", step === null ? "end" : step);
  };
  const stop = () => {
    clearInterval(root.playing);
    root.playing = null;
    const button = root.querySelector("[data-focus=play]");
    if (button) { button.textContent = "▶ play"; button.title = "write token by token (space)"; }
  };
  const now = () => root.step ?? null;
  const go = (step) => { root.step = step === null || step > last ? null : Math.max(first, step); pause(now()); };
  const play = () => {
    if (root.playing) { pause(now()); return; }
    if (now() === null) root.step = first;
    root.playedFrom = root.asked?.at(-1) ?? data.player.step;
    goOn();
  };
  const goOn = () => {
    reveal(root, data, now());
    const button = root.querySelector("[data-focus=play]");
    button.textContent = "❚❚ pause";
    button.title = "pause before this token (space)";
    root.playing = setInterval(() => {
      root.step = now() >= last ? null : now() + 1;
      if (root.step === null) pause(null);
      else reveal(root, data, root.step);
    }, BEAT);
  };
  const acts = {
    start: () => go(first),
    back: () => go((now() ?? last + 1) - 1),
    play,
    step: () => go(now() === null ? first : now() + 1),
    end: () => go(null),
  };
  for (const [name, text, title] of [
    ["start", "|◀", "pause before the first token (Home)"],
    ["back", "◀ step", "one token back (←)"],
    ["play", "▶ play", "write token by token (space)"],
    ["step", "step ▶", "write one token (→)"],
    ["end", "▶|", "write to the end (End)"],
  ]) {
    const button = make("button", "", text);
    button.title = title;
    button.dataset.focus = name;
    button.onclick = acts[name];
    bar.append(button);
  }
  const say = make("span", "say small quiet");
  say.setAttribute("aria-live", "polite");
  bar.append(say);
  bar.setAttribute("role", "group");
  bar.setAttribute("aria-label", "write token by token");
  root.onkeydown = (event) => {
    const keys = { ArrowLeft: acts.back, ArrowRight: acts.step, Home: acts.start, End: acts.end };
    if (event.target.closest(".player") && event.key in keys) { event.preventDefault(); keys[event.key](); }
  };
  const { step } = data.player;
  const isAnswer = root.asked?.includes(step);
  // Only the answer to the last click is current: older ones must not move the player back.
  const isLate = isAnswer && step !== root.asked.at(-1);
  const goesOn = root.playing && (isAnswer || step === root.playedFrom);
  clearInterval(root.playing);
  root.playing = null;
  if (!isLate) root.asked = null;
  if (!isLate && !goesOn) root.step = step;
  if (goesOn && !isLate) root.playedFrom = step;
  showFocused(root, table, bar, legend);
  if (goesOn) goOn();
  else reveal(root, data, now());
}

export function draw(root, data, send) {
  const force = data.player ? (name) => send("force", name) : null;
  // Room for a second line, which comes with the first edit: nothing below may move.
  const long = data.slots.length > MOST_WIDE;
  const table = make("table", [data.player && data.rows.length === 1 ? "single" : "", long ? "long" : ""].join(" ").trim());
  fitTokens(table, data.slots.length, long ? 22 : 36);
  const names = row("token", data.slots, (slot) => nameHead(slot));
  const truth = row("the rules", data.slots, (slot) => make("td", "mono quiet", slot.truth), "truth");
  const lines = data.rows.map((line) => row(line.label, data.slots,
    (slot, index) => (line.cells ? cell(slot, line.cells[index], line.before ? line.before[index] : null, index, data, force) : missing(slot))));
  table.append(names, ...lines, truth);
  const legend = make("div", "legend small quiet");
  legend.append(make("div", "", MARKS_SAID), make("div", "", "percentage: probability of the token"
    + (data.edited ? " · ring: differs from the baseline · bar under a name: an intervention acts there" : "")
    + (data.player ? " · click an output to force the opposite" : "")));
  if (data.player) addPlayer(root, table, legend, data, send);
  else showFocused(root, table, legend);
  root.dataset.condition = data.condition;
}
