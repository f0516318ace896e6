// Page Mechanism: how one model, or two side by side, derive their answers: the verdict and its evidence.

import { html, useRef, useState } from "../../client/html.js";
import { addressOf } from "../../client/server/api.js";
import { Choice, Faults, Part, useAnswer, useParts } from "../../client/parts.js";
import { useSettled } from "../../client/store/settled.js";
import { Copied } from "../../client/sidebar/sidebar.js";
import { change, condition, faults, question } from "../../client/store/store.js";
import { Panels } from "./panels.js";
import { draw as drawVerdict } from "./verdict.js";

const NONE = "no other model";

export function MechanismPage() {
  const c = condition.value;
  const beside = c?.beside && c.beside !== c.model ? c.beside : null;
  const methods = useAnswer("mechanism/methods", question("beside", "answer"));
  const first = useVerdict(question("on"));
  // The second one is read after the first: each has the cores to itself.
  const second = useVerdict(beside ? (first.isThere ? `${question("on", "beside")}&which=beside` : undefined) : null);
  const shown = beside ? [first, second] : [first];
  useSettled(shown.every((each) => each.isWhole));
  return html`<div class="mechanism">
    <${Faults} faults=${[...faults.value, ...methods.faults]} />
    <div class="row">
      <${Rivals} beside=${beside} />
      <${Code} />
      <a class="plain" download data-key="report" href=${addressOf("mechanism/report", question("on", "beside"))}
        title="Everything measured so far, as one HTML page that opens offline.">Report</a>
    </div>
    <div class=${beside ? "sides two" : "sides"}>
      ${shown.map((each, index) => html`<${Verdict} key=${index} title=${index ? beside : c?.model} found=${each} />`)}
    </div>
    ${methods.data && html`<${Panels} methods=${methods.data} beside=${beside} isDue=${shown.every((each) => each.isThere)} />`}
  </div>`;
}

/**
 * The verdict on a model, as it comes. The one before stays until it is there.
 * @param {string | null | undefined} asked
 */
function useVerdict(asked) {
  const { query, data, faults: found } = useParts("mechanism/verdict", asked, (before, part) => ({ ...before, ...part }));
  const last = useRef(/** @type {any} */ (null));
  if (asked === null || found.length) last.current = null;
  else if (data?.verdict) last.current = data.verdict;
  const isCurrent = asked !== undefined && query === asked;
  const isThere = isCurrent && (Boolean(data?.verdict) || found.length > 0);
  return {
    verdict: last.current,
    faults: found,
    progress: isCurrent ? data?.progress ?? "" : "",
    isThere,
    isWhole: isThere && !data?.progress,
  };
}

/** @param {{ title: string, found: ReturnType<typeof useVerdict> }} props */
function Verdict({ title, found }) {
  const said = found.progress || (found.isThere ? "" : `Measuring how ${title} derives each answer …`);
  return html`<section class="side" aria-label=${`Verdict on ${title}`}>
    <${Faults} faults=${found.faults} />
    <div class="progress small quiet" role="status">${said}</div>
    ${found.verdict && html`<${Part} name="verdict" draw=${drawVerdict} data=${found.verdict} send=${(/** @type {string} */ _, /** @type {string} */ state) => change({ state })} />`}
  </section>`;
}

/** @param {{ beside: string | null }} props */
function Rivals({ beside }) {
  const { data } = useAnswer("mechanism/rivals", question());
  const rivals = /** @type {string[]} */ (data?.rivals ?? []);
  const names = beside && !rivals.includes(beside) ? [beside, ...rivals] : rivals;
  return html`<${Choice} label="Compare with" name="beside" value=${beside ?? ""} options=${[["", NONE], ...names.map((each) => [each, each])]}
    help="Compare with another run of the same name: another architecture, another seed, or an earlier step of a training."
    choose=${(/** @type {string} */ chosen) => change({ beside: chosen || null })} />`;
}

/** The verdict as Python and as a command. */
function Code() {
  const [isOpen, setOpen] = useState(false);
  const { data, faults: found } = useAnswer("mechanism/code", isOpen ? question("on", "beside") : null);
  return html`<div class="code">
    <button class="plain" data-key="code" aria-expanded=${String(isOpen)} onClick=${() => setOpen(!isOpen)}>Copy as code</button>
    ${isOpen && html`<div class="shared">
      <${Faults} faults=${found} />
      ${data?.code.map((/** @type {any} */ each) => html`
        <${Copied} key=${`${each.title} Python`} title="Python" about=${`The verdict on ${each.title}, as a script.`} text=${each.python} />
        <${Copied} key=${`${each.title} command`} title="Command" about=${`The same verdict on ${each.title}, on the command line.`} text=${each.command} />`)}
    </div>`}
  </div>`;
}
