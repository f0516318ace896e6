// Page Free text: any prompt and any half-written answer, and how the models continue it.

import { html, useLayoutEffect, useMemo, useRef } from "../../client/html.js";
import { Faults, Part, useAnswer } from "../../client/parts.js";
import { useUnfit } from "../../client/server/rivals.js";
import { useSettled } from "../../client/store/settled.js";
import { condition, faults, question } from "../../client/store/store.js";
import { draw } from "./completion.js";
import { Editor } from "./editor.js";

export function FreeText() {
  const c = condition.value;
  const query = question("state", "on", "text");
  const answer = useAnswer("completion", query);
  const last = useRef(/** @type {any} */ (null));
  const put = useRef((/** @type {string} */ text) => {});
  useLayoutEffect(() => { last.current = answer.data ?? last.current; }, [answer.data]);
  useSettled(answer.query === query);
  const data = answer.data ?? last.current;
  useUnfit(useMemo(() => data?.unfit ?? [], [data]));
  if (!data) return html`<${Faults} faults=${[...faults.value, ...answer.faults]} />`;
  return html`<div class="free-text">
    <${Faults} faults=${[...faults.value, ...answer.faults]} />
    <${Editor} data=${data.editor} text=${c?.text ?? String(c?.state)} put=${put} />
    <${Part} name="completion" draw=${draw} data=${data.completion} send=${(/** @type {string} */ _, /** @type {string} */ text) => put.current(text)} />
    ${data.notes.map((/** @type {string} */ note) => html`<div class="note small quiet" key=${note}>${note}</div>`)}
  </div>`;
}
