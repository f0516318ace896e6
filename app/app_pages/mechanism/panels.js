// The panels of page Mechanism, one a method: its question, how far it is measured, what was found.

import { html, signal, useEffect, useLayoutEffect, useMemo, useRef, useState } from "../../client/html.js";
import { ask, askParts } from "../../client/server/api.js";
import { Choice, Faults, Segments, useParts } from "../../client/parts.js";
import { change, condition, frame, question } from "../../client/store/store.js";
import { inWords, stopTasks, useTasks } from "../../client/server/tasks.js";
import { Blocks } from "./blocks.js";
import { readOptions, writeOptions } from "./selection.js";
import { askInTurn } from "./turns.js";

const PACE = 1000; // milliseconds between two looks at what is being measured; at its end it is looked at once more, at once

/** The tasks of open panels that are not complete: all are watched by one connection. @type {import("../../client/html.js").Signal<string[]>} */
const watched = signal([]);
/** How often a measurement was begun here. */
const begun = signal(0);

/** @param {{ methods: any, beside: string | null, isDue: boolean }} props whether what was found may be asked for */
export function Panels({ methods, beside, isDue }) {
  const tasks = useTasks(watched.value, begun.value);
  const titles = [String(condition.value?.model), ...(beside && methods.sides.length > 1 ? [beside] : [])];
  return html`<section class="evidence" aria-label="Evidence">
    <h4>Evidence</h4>
    <${Segments} label="Answer" name="answer" value=${methods.answer} help="The answer that the panels are about."
      options=${frame.value.names.map((/** @type {string} */ each) => [each, each])} choose=${(/** @type {string} */ answer) => change({ answer })} />
    ${methods.methods.map((/** @type {any} */ method) => html`<${Panel} key=${method.name} method=${method} about=${methods} titles=${titles} tasks=${tasks} isDue=${isDue} />`)}
  </section>`;
}

/** @param {{ method: any, about: any, titles: string[], tasks: Record<string, import("../../client/server/tasks.js").Task>, isDue: boolean }} props */
function Panel({ method, about, titles, tasks, isDue }) {
  const opened = (condition.value?.open ?? "").split(",").filter(Boolean);
  const isOpen = opened.includes(method.name);
  const others = opened.filter((each) => each !== method.name);
  const turn = () => change({ open: (isOpen ? others : [...others, method.name]).join(",") || null });
  return html`<section class="panel" data-method=${method.name}>
    <h5><button data-key=${`panel_${method.name}`} aria-expanded=${String(isOpen)} onClick=${turn}><span class="turn" aria-hidden="true">▶</span><span><b>${method.title}</b> – ${method.question}</span></button></h5>
    ${isOpen && html`<div class="opened">
      <p class="small">${method.how} ${method.caution}</p>
      ${method.options.length > 0 && html`<div class="row">${method.options.map((/** @type {any} */ option) => html`<${OptionChoice} key=${option.name} option=${option} />`)}</div>`}
      <div class=${titles.length > 1 ? "sides two" : "sides"}>${titles.map((title, index) => html`<div class="side" key=${index}>
        ${titles.length > 1 && html`<h6>${title}</h6>`}
        ${method.lacks[index] ? html`<p class="lack small">Nothing to measure in ${title}: ${method.lacks[index]}.</p>`
          : html`<${Evidence} method=${method} about=${about} title=${title} which=${index ? "beside" : "model"} tasks=${tasks} isDue=${isDue} />`}
      </div>`)}</div>
    </div>`}
  </section>`;
}

/** @param {{ option: import("./selection.js").Option }} props */
function OptionChoice({ option }) {
  if (!option.choices.length) return null;
  const chosen = readOptions(condition.value?.options);
  const isOffered = option.choices.some(([value]) => value === chosen[option.name]);
  const { [option.name]: _, ...others } = chosen;
  return html`<${Choice} label=${option.label} name=${`option_${option.name}`} value=${isOffered ? chosen[option.name] : option.choices[0][0]} options=${option.choices} help=${option.help || undefined}
    choose=${(/** @type {string} */ value) => change({ options: writeOptions({ ...others, [option.name]: value }, [option]) })} />`;
}

/**
 * What a method has found of one model.
 * @param {{ method: any, about: any, title: string, which: string, tasks: Record<string, import("../../client/server/tasks.js").Task>, isDue: boolean }} props
 */
function Evidence({ method, about, title, which, tasks, isDue }) {
  const asked = `${question("state", "on", "answer", "options", "beside")}&method=${method.name}&which=${which}`;
  const [name, setName] = useState("");
  const task = tasks[name];
  const now = task ? `${task.version} ${task.running}` : "";
  const [seen, setSeen] = useState("");
  const query = `${asked}&seen=${encodeURIComponent(seen)}`;
  const { query: answered, data, faults } = useParts("mechanism/panel", isDue ? query : undefined, (before, part) => ({ ...before, ...part }), method.is_long ? askParts : askInTurn);
  const isThere = answered === query && (data?.blocks || faults.length > 0);
  usePace(now, seen, isThere, task && !task.running ? 0 : PACE, setSeen);
  // What was found last is shown while the next is on its way.
  const last = useRef(/** @type {any} */ (null));
  if (faults.length) last.current = null;
  else if (data?.blocks) last.current = { ...data, asked: answered };
  const found = last.current;
  const isOpenEnded = method.is_long && found && !found.complete;
  useLayoutEffect(() => { if (found) setName(found.task); }, [found?.task]);
  useWatched(isOpenEnded ? found.task : "");
  const context = useMemo(() => ({ method, about, title, which, asked: found?.asked, options: found?.options }), [method, about, title, which, data?.blocks]);
  return html`
    ${isOpenEnded && html`<${Progress} method=${method} asked=${asked} title=${title} found=${found} task=${task?.name === found.task ? task : undefined} />`}
    <${Faults} faults=${[...faults, ...(found?.unmeasured ?? [])]} />
    ${!isThere && !found && html`<div class="progress small quiet" role="status">${data?.progress || `${method.title}: asking …`}</div>`}
    ${found && html`<${Blocks} blocks=${found.blocks} context=${context} />`}`;
}

/** See a newer version when the answer about the last one is there, and not too soon after it.
 * @param {string} now @param {string} seen @param {boolean} isThere @param {number} pace milliseconds @param {(version: string) => void} setSeen
 */
function usePace(now, seen, isThere, pace, setSeen) {
  const last = useRef(0);
  useEffect(() => {
    if (!now || now === seen || !isThere) return undefined;
    const timer = setTimeout(() => { last.current = Date.now(); setSeen(now); }, Math.max(0, last.current + pace - Date.now()));
    return () => clearTimeout(timer);
  }, [now, seen, isThere, pace]);
}

/** Watch a task as long as its panel is open.
 * @param {string} name
 */
function useWatched(name) {
  useEffect(() => {
    if (!name) return undefined;
    watched.value = [...watched.value, name];
    return () => {
      const place = watched.value.indexOf(name);
      watched.value = watched.value.filter((_, index) => index !== place);
    };
  }, [name]);
}

/**
 * How far a long measurement is, and the button that begins or stops it.
 * @param {{ method: any, asked: string, title: string, found: any, task: import("../../client/server/tasks.js").Task | undefined }} props
 */
function Progress({ method, asked, title, found, task }) {
  const [wrong, setWrong] = useState(/** @type {import("../../client/server/api.js").Fault[]} */ ([]));
  // What was found last is on its way while less is shown than is done.
  const isRunning = task ? task.running || found.done < task.done : found.running;
  const measure = async () => {
    try {
      setWrong([]);
      await ask("mechanism/measure", asked, { post: true });
    } catch (error) {
      setWrong(/** @type {any} */ (error).faults ?? []);
    }
    begun.value += 1;
  };
  const said = (/** @type {number} */ done, /** @type {number} */ of) => `${done.toLocaleString("en")} of ${of.toLocaleString("en")}`;
  if (!isRunning) {
    return html`<div class="row centred">
      <button class="plain" data-key=${`measure_${method.name}_${title}`} onClick=${measure}>${found.of ? "Go on" : "Measure"}</button>
      <span class="small">${found.of ? `${said(found.done, found.of)} measured.` : `Takes ${found.takes}.`}</span>
    </div><${Faults} faults=${[...wrong, ...(found.unmeasured.length ? [] : task?.faults ?? [])]} />`;
  }
  const [done, of] = task?.of ? [task.done, task.of] : [found.done, found.of];
  const left = task?.seconds_left;
  return html`<div class="row centred">
    <button class="plain" data-key=${`stop_${method.name}_${title}`} disabled=${Boolean(task && (task.stopping || !task.running))} onClick=${() => stopTasks([found.task])}>Stop</button>
    <label class="small">${of ? said(done, of) : "starting"}${left ? `, ${inWords(left)} left` : ""} <progress value=${done} max=${of || 1}></progress></label>
  </div>`;
}
