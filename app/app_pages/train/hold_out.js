// Controls that hold out several states at once: by pattern, at random, those that simple predictors miss most.

import { html, useRef, useState } from "../../client/html.js";
import { Faulty, ask } from "../../client/server/api.js";
import { Amount, Faults } from "../../client/parts.js";
import { change, form } from "./form_store.js";

const SEEDS = 1e9;

/**
 * @param {{ world: any, held: string[], count: number, usual: string, hold: (states: Iterable<string>) => void }} props
 */
export function HoldOut({ world, held, count, usual, hold }) {
  const most = world.most;
  const drawn = Math.min(Number.isFinite(count) ? count : Number(usual), most);
  const [faults, setFaults] = useState(/** @type {import("../../client/server/api.js").Fault[]} */ ([]));
  const [isSearching, setSearching] = useState("");
  const asked = useRef(new AbortController());
  const now = useRef(held);
  now.current = held;

  // The last click counts: a search that it makes pointless is given up.
  const find = async (/** @type {string} */ way, /** @type {string} */ rest, doing = "") => {
    asked.current.abort();
    const mine = (asked.current = new AbortController());
    const rules = form.value?.rules ? `&rules=${encodeURIComponent(form.value.rules)}` : "";
    setSearching(doing);
    setFaults([]);
    try {
      const { states } = await ask("training/hold-out", `way=${way}${rules}${rest}`, { signal: mine.signal });
      if (mine.signal.aborted) return false;
      hold(way === "like" ? [...now.current, ...states] : states);
      setSearching("");
      return true;
    } catch (error) {
      if (mine.signal.aborted) return false;
      setSearching("");
      if (!(error instanceof Faulty)) throw error;
      setFaults(error.faults);
      return false;
    }
  };
  const holdNone = () => { asked.current.abort(); setSearching(""); setFaults([]); hold([]); };
  const hardest = () => find("hardest", `&count=${drawn}`, `Searching for the ${drawn} ${drawn === 1 ? "state" : "states"} that simple predictors miss most …`);
  return html`<${Pattern} example=${world.table.inputs.map((/** @type {string} */ _, /** @type {number} */ index) => (index ? "*" : "1")).join(",")}
      add=${(/** @type {string} */ text) => find("like", `&like=${encodeURIComponent(text)}`)} />
    <div class="row" data-key="hold_out_ways">
      <${Amount} label="At random" name="count" value=${drawn} lowest=${0} largest=${most} step=${1} choose=${(/** @type {number} */ chosen) => change({ count: String(chosen) === usual ? null : String(chosen) })} />
      <button class="plain" data-key="draw" onClick=${() => find("random", `&count=${drawn}&seed=${Math.floor(Math.random() * SEEDS)}`)}>Draw</button>
      <button class="plain" data-key="hardest" title="Hold out that many states: those that simple predictors miss most, keeping every rule identifiable." onClick=${hardest}>Hardest</button>
      <button class="plain" data-key="hold_out_none" title="Hold out no state." onClick=${holdNone}>None</button>
    </div>
    <div class="small quiet" role="status">${isSearching}</div>
    <${Faults} faults=${faults} />`;
}

/** @param {{ example: string, add: (text: string) => Promise<boolean> }} props */
function Pattern({ example, add }) {
  const box = useRef(/** @type {any} */ (null));
  const submit = async (/** @type {Event} */ event) => {
    event.preventDefault();
    const text = box.current.value;
    // What is typed meanwhile stays.
    if ((await add(text)) && box.current?.value === text) box.current.value = "";
  };
  return html`<form class="row" onSubmit=${submit}>
    <label class="choice" title="0, 1 or * (any) for each input. Join several patterns with ';'."><span class="label">Hold out all like <span class="help" aria-hidden="true">?</span></span>
      <input type="text" class="mono" data-key="pattern" ref=${box} placeholder=${example} autocomplete="off" spellcheck=${false} /></label>
    <button class="plain" data-key="hold_out_like">Hold out</button></form>`;
}
