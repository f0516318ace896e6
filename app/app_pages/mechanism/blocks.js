// Blocks of a method in the browser: clickable grids and tables with the cases behind a number, curves, bars, graphs.

import { html, signal, useMemo, useState } from "../../client/html.js";
import { Figure } from "../../client/drawing/figure.js";
import { Faults, Part, useAnswer } from "../../client/parts.js";
import { change, condition } from "../../client/store/store.js";
import { draw as drawCases } from "./case_table.js";
import { graphs } from "./graphs.js";
import { draw as drawGrid } from "./grid.js";
import { changesOf, isChosen } from "./selection.js";

/**
 * What the blocks of a panel have in common: method, model, the question that they answer, the options that apply.
 * @typedef {{ method: any, about: any, title: string, which: string, asked: string, options: Record<string, string> }} Context
 */

/** Chosen cells that are no place in the model: the address cannot name them. @type {import("../../client/html.js").Signal<Record<string, number[]>>} */
const cells = signal({});

const headline = (/** @type {string} */ title) => title.slice(0, 1).toUpperCase() + title.slice(1);

/** @param {{ blocks: any[], context: Context }} props */
export function Blocks({ blocks, context }) {
  const [isMore, setMore] = useState(false);
  const numbered = blocks.map((block, number) => ({ block, number }));
  const folded = numbered.filter(({ block }) => block.folded);
  const show = (/** @type {{ block: any, number: number }[]} */ those) => those.map(({ block, number }) => html`<${Block} key=${`${number} ${block.type}`} block=${block} number=${number} context=${context} />`);
  return html`${show(numbered.filter(({ block }) => !block.folded))}
    ${folded.length > 0 && html`<button class="plain more" data-key=${`more_${context.method.name}_${context.title}`} aria-expanded=${String(isMore)} title="Show the rest of this panel." onClick=${() => setMore(!isMore)}>${isMore ? "Less" : "More"}</button>`}
    ${isMore && show(folded)}`;
}

/** @param {{ block: any, number: number, context: Context }} props */
function Block({ block, number, context }) {
  switch (block.type) {
    case "sentence":
      return html`<p class="small">${block.is_caution ? `But: ${block.text}` : block.text}</p>`;
    case "table":
      return html`<${Table} block=${block} number=${number} context=${context} />`;
    case "heatmap":
      return html`<${Heatmap} block=${block} number=${number} context=${context} />`;
    case "graph":
      return html`<div><p class="small">${block.caption}</p><div dangerouslySetInnerHTML=${{ __html: graphs(block.pictures) }}></div></div>`;
    default:
      return html`<div><p class="small">${block.caption}</p><${Figure} figure=${block.figure} name=${`${context.method.name}-${number}`} /></div>`;
  }
}

/** @param {import("./selection.js").Selection} selection @param {Context} context */
function choose(selection, context) {
  change(changesOf(selection, context.method.options, /** @type {any} */ (condition.value)));
}

/** @param {import("./selection.js").Selection} selection @param {Context} context */
const isHere = (selection, context) => isChosen(selection, condition.value?.cell, context.about.answer, context.options);

/** @param {{ block: any, number: number, context: Context }} props */
function Heatmap({ block, number, context }) {
  const key = `${context.method.name} ${context.title} ${block.title}`;
  const kept = cells.value[key];
  const cell = condition.value?.cell;
  const chosen = useMemo(() => chosenCell(block, kept, (selection) => isHere(selection, context)), [block, kept, cell, context]);
  const data = useMemo(() => ({
    ...block,
    label: headline(block.title),
    what: key,
    legend: block.caption + (block.cases ? " Click a cell to list its cases." : ""),
    chosen,
  }), [block, chosen?.join()]);
  const onCell = (/** @type {string} */ _, /** @type {[number, number]} */ [row, column]) => {
    const selection = block.selects?.[row][column] ?? {};
    if (!selection.cell) cells.value = { ...cells.value, [key]: [row, column] };
    choose(selection, context);
  };
  const hasCases = chosen && block.cases && Number.isFinite(block.values[chosen[0]][chosen[1]]);
  return html`<div><${Part} name="grid" draw=${drawGrid} data=${data} send=${onCell} />
    ${hasCases && html`<${Cases} place=${`block=${number}&row=${chosen[0]}&column=${chosen[1]}`} context=${context} />`}</div>`;
}

/**
 * @param {any} block
 * @param {number[] | undefined} kept the cell that was clicked, if the address cannot name it
 * @param {(selection: import("./selection.js").Selection) => boolean} isIt
 */
function chosenCell(block, kept, isIt) {
  if (kept && kept[0] < block.rows.length && kept[1] < block.columns.length) return kept;
  for (const [row, selections] of (block.selects ?? []).entries()) {
    const column = selections.findIndex(isIt);
    if (column >= 0) return [row, column];
  }
  return null;
}

/** @param {{ block: any, number: number, context: Context }} props */
function Table({ block, number, context }) {
  const row = block.rows.findIndex((/** @type {any} */ each) => each.cases && each.selects && isHere(each.selects, context));
  return html`<div><${Rows} table=${block} context=${context} />
    ${row >= 0 && html`<${Cases} place=${`block=${number}&row=${row}`} context=${context} />`}</div>`;
}

/** The cases behind a number.
 * @param {{ place: string, context: Context }} props
 */
function Cases({ place, context }) {
  const { data, faults } = useAnswer("mechanism/cases", `${context.asked}&${place}`);
  return html`<${Faults} faults=${faults} />${data?.cases && html`<${Rows} table=${data.cases} context=${context} />`}`;
}

/** @param {{ table: any, context: Context }} props */
function Rows({ table, context }) {
  const data = useMemo(() => ({
    ...table,
    title: headline(table.title),
    label: `${table.title}: ${context.method.name} of ${context.title}`,
    what: `${table.title} ${table.caption}`,
    summary: table.caption,
    held_out: context.about.held_out,
  }), [table, context]);
  const send = (/** @type {string} */ event, /** @type {any} */ payload) => {
    if (event === "state") change({ state: payload });
    else if (table.rows[payload].selects) choose(table.rows[payload].selects, context);
  };
  return html`<${Part} name="case_table" draw=${drawCases} data=${data} send=${send} />`;
}
