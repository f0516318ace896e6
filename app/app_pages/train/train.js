// Page Train: what is held out and what is trained, chosen on the left; trainings, watched on the right.

import { html, useLayoutEffect, useState } from "../../client/html.js";
import { useAnswer } from "../../client/parts.js";
import { Form } from "./form.js";
import { begin, follow, form } from "./form_store.js";
import { Trainings } from "./trainings.js";

export function Train() {
  useState(begin);
  useLayoutEffect(() => {
    const here = location.pathname;
    const onPop = () => { if (location.pathname === here) follow(); };
    addEventListener("popstate", onPop);
    return () => removeEventListener("popstate", onPop);
  }, []);
  const rules = form.value?.rules;
  const asked = rules ? `rules=${encodeURIComponent(rules)}` : "";
  const { query, data } = useAnswer("training/form", asked);
  return html`<div class="train">
    <div class="columns">
      <div class="column">${data && html`<${Form} data=${data} isCurrent=${query === asked} />`}</div>
      <div class="column"><${Trainings} /></div>
    </div>
  </div>`;
}
