// What each page shows, in one sentence, with a way to it.

import { html } from "../../client/html.js";
import { writeAddress } from "../../client/store/address.js";
import { carriedQuery, carriedToTrain } from "../../client/store/carried.js";
import { condition } from "../../client/store/store.js";

const ROOT = new URL("../../../", import.meta.url).href;

const PAGES = [
  ["", "Probe", "Click a part of a model to silence or change it, and see at once what it then writes in every state of its world."],
  ["?view=activations", "Probe, Activations", "See what each part computes in one state and, unit by unit, in all states."],
  ["?view=weights", "Probe, Weights", "Flip, zero or blur single weights, and see which answers depend on them."],
  ["mechanism", "Mechanism", "Does a model read an answer from what it has just written, or work it out again from the inputs? The verdict and its evidence."],
  ["compare", "Compare", "GPT-2 beside the baselines, or several sets of edits side by side, on all states."],
  ["text", "Free text", "Begin an answer yourself, right or wrong, and see how each model continues it."],
  ["world", "World", "Read and change the rules that give all data and all right answers."],
  ["train", "Train", "Hold states out, train a model on the rest, and watch which answers it learns first."],
];

/** The address of a page, with what is explored now.
 * @param {string} path
 */
function addressOf(path) {
  const all = () => (condition.value ? writeAddress({ ...condition.value, view: null }) : carriedQuery());
  const now = path === "train" ? carriedToTrain() : path === "world" ? carriedQuery() : all();
  return ROOT + path + (now ? `${path.includes("?") ? "&" : "?"}${now}` : "");
}

export function Start() {
  return html`<div class="start">
    <p>A small network has learnt a world of a few true-or-false variables. Some states of that world were kept from it. Here you take it apart to find
      out how it computes its answers: every page computes <b>all</b> states, not a sample of them.</p>
    <p>New here? Open Probe and click an attention head: red marks show the answers that break. Each change is part of the address, so Back undoes it and a copied link shows the same page to someone else.</p>
    <ul>${PAGES.map(([path, title, about]) => html`<li key=${path}><a href=${addressOf(path)}>${title}</a><span>${about}</span></li>`)}</ul>
  </div>`;
}
