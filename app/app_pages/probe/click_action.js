// What the next click does: the kind of edit, its amount, its source state, and its tokens.

import { html } from "../../client/html.js";
import { amountOf, kindOf, withKind } from "../../client/store/edits.js";
import { Amount, Choice, Segments } from "../../client/parts.js";
import { change, condition, frame } from "../../client/store/store.js";

const [FIRST, LAST] = ["", " "];

/** @param {{ family: "kind" | "weights" }} props of activations, or of weights */
export function ClickAction({ family }) {
  const [f, c] = [frame.value, condition.value];
  const kinds = family === "kind" ? f.kinds : f.weight_kinds;
  const kind = kindOf(family, c, f);
  const amount = family === "kind" ? "amount" : "noise";
  const has = (/** @type {string} */ option) => kind.options.includes(option);
  const help = kinds.map((/** @type {any} */ each) => `${each.kind}: ${each.effect}. ${each.caution}`).join("\n\n");
  const states = f.states.map((/** @type {string} */ state) => [state, state]);
  const choose = (/** @type {string} */ name) => change(withKind(name, family, c, f));
  return html`<div class="click-action">
    <${Segments} label="Clicking a part will" name=${`action_${family}`} value=${kind.kind} help=${help}
      options=${kinds.map((/** @type {any} */ each) => [each.kind, each.kind])} choose=${choose} />
    <div class="row">
      ${has("amount") && html`<${Amount} label=${kind.amount_label} name=${`action_${amount}`} value=${amountOf(family, c, f)} lowest=${kind.lowest} largest=${kind.largest} step=${0.5}
        choose=${(/** @type {number} */ value) => change({ [amount]: value === kind.default_amount ? null : String(value) })} />`}
      ${has("seed") && html`<${Amount} label="seed" name="action_seed" value=${Number(c?.seed ?? 0)} lowest=${0} largest=${f.largest_seed} step=${1}
        choose=${(/** @type {number} */ value) => change({ seed: value ? String(Math.round(value)) : null })} />`}
      ${has("source") && html`<${Choice} label="of state" name="action_from" value=${c?.from ?? f.states.at(-1)} options=${states} choose=${(/** @type {string} */ state) => change({ from: state })} />`}
      ${has("minus") && html`<${Choice} label="minus state" name="action_minus" value=${c?.minus ?? f.states[0]} options=${states} choose=${(/** @type {string} */ state) => change({ minus: state })} />`}
      <${Positions} />
    </div>
  </div>`;
}

function Positions() {
  const [f, c] = [frame.value, condition.value];
  const span = c?.at?.slice(1) ?? "..";
  const [start, stop] = span.includes("..") ? span.split("..") : [span, span];
  const index = (/** @type {string} */ name) => f.positions.find((/** @type {any} */ each) => each.name === name)?.index;
  const options = f.positions.map((/** @type {any} */ each) => [each.name, each.name]);
  const set = (/** @type {string} */ from, /** @type {string} */ to, /** @type {"start" | "stop"} */ changed) => {
    // If the ends cross, the other one opens.
    const crosses = from && to && index(from) > index(to);
    const [a, b] = crosses ? (changed === "start" ? [from, ""] : ["", to]) : [from, to];
    change({ at: !a && !b ? null : a === b ? `@${a}` : `@${a}..${b}` });
  };
  return html`
    <${Choice} label="act from" name="action_start" value=${start || FIRST} help="NAME: the position where its token is read. >NAME: where it is written, one position earlier."
      options=${[[FIRST, "the first"], ...options]} choose=${(/** @type {string} */ name) => set(name, stop, "start")} />
    <${Choice} label="until" name="action_stop" value=${stop || LAST}
      options=${[...options, [LAST, "the last"]]} choose=${(/** @type {string} */ name) => set(start, name.trim(), "stop")} />`;
}
