// Worlds of many states: tables that draw only the visible rows, and how many rows are known so far.

import { closest, make } from "../drawing/dom.js";

export const MOST_WIDE = 16; // columns of answers whose names are horizontal; with more, they are vertical
const BEYOND = 8; // rows that are drawn above and below the visible ones

export const isKnown = (group, row) => Boolean(group?.written[row]);

// How many rows have arrived, in words; "" if all have.
export function progress(groups, size) {
  const known = Math.min(...groups.filter((group) => group?.tag).map((group) => group.known));
  return known < size ? `${known.toLocaleString("en")} of ${size.toLocaleString("en")} states …` : "";
}

export const allRows = (size) => `all ${size.toLocaleString("en")} states · arrow keys move between rows · PNG and SVG show the visible rows, CSV has all`;

// A row in the place of those that are not drawn.
function spacer() {
  const [tr, td] = [make("tr", "space"), make("td")];
  tr.setAttribute("aria-hidden", "true");
  td.colSpan = 999;
  tr.append(td);
  return { tr, td };
}

// Makes a table draw only the visible rows. `order`: the states' indices in order; `makeRow` makes a row. Returns the
// element that scrolls, and `begin`, to be called once it is on the page.
// Arrow keys, Page Up and Down, Home and End move between rows. After a change of order (`sorted`) it scrolls to the first row.
export function showInSight(root, table, body, order, makeRow, chosen, sorted) {
  const scroller = make("div", "in-sight");
  scroller.append(table);
  table.setAttribute("aria-rowcount", String(order.length));
  const [above, below] = [spacer(), spacer()];
  let [height, from, to] = [root.rowHeight ?? 26, -1, -1];
  const draw = (force = false) => {
    const sight = Math.ceil((scroller.clientHeight || 600) / height);
    const first = Math.max(0, Math.min(order.length - 1, Math.floor(scroller.scrollTop / height)) - BEYOND);
    const last = Math.min(order.length, first + sight + 2 * BEYOND);
    if (!force && first === from && last === to) return;
    [from, to] = [first, last];
    const focused = body.querySelector("button:focus")?.dataset.focus;
    const rows = order.slice(first, last).map((state, index) => {
      const tr = makeRow(state);
      tr.setAttribute("aria-rowindex", String(first + index + 1));
      return tr;
    });
    above.td.style.height = `${first * height}px`;
    below.td.style.height = `${(order.length - last) * height}px`;
    body.replaceChildren(above.tr, ...rows, below.tr);
    if (focused) body.querySelector(`[data-focus="${CSS.escape(focused)}"]`)?.focus({ preventScroll: true });
  };
  const go = (index) => {
    const at = Math.max(0, Math.min(order.length - 1, index));
    const head = table.tHead.offsetHeight;
    const [top, bottom] = [at * height, (at + 1) * height + head];
    if (top < scroller.scrollTop) scroller.scrollTop = top;
    else if (bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = bottom - scroller.clientHeight;
    draw();
    body.querySelector(`tr[aria-rowindex="${at + 1}"] button`)?.focus({ preventScroll: true });
  };
  scroller.onkeydown = (event) => {
    const tr = closest(event, "tr[aria-rowindex]");
    if (!tr) return;
    const at = Number(tr.getAttribute("aria-rowindex")) - 1;
    const page = Math.max(1, Math.floor(scroller.clientHeight / height) - 3);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, PageDown: at + page, PageUp: at - page, Home: 0, End: order.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    go(to);
  };
  scroller.onscroll = () => { root.scrolled = scroller.scrollTop; requestAnimationFrame(() => draw()); };
  const begin = () => {
    draw(true);
    const measured = body.querySelector("tr[aria-rowindex]")?.getBoundingClientRect().height;
    if (measured && Math.abs(measured - height) > 0.1) { height = root.rowHeight = measured; draw(true); }
    const at = order.indexOf(chosen);
    const reordered = root.order !== undefined && root.order !== sorted;
    scroller.scrollTop = reordered ? 0 : root.scrolled ?? 0;
    // In the states' own order it scrolls to the chosen state; in any other the first row matters.
    if (root.chosenRow !== chosen && /^-?state$/.test(sorted)) {
      const [top, bottom] = [at * height, (at + 1) * height + table.tHead.offsetHeight];
      if (top < scroller.scrollTop || bottom > scroller.scrollTop + scroller.clientHeight) scroller.scrollTop = Math.max(0, top - scroller.clientHeight / 3);
    }
    [root.chosenRow, root.scrolled, root.order] = [chosen, scroller.scrollTop, sorted];
    draw(true);
  };
  return { scroller, begin };
}

// A state for a narrow column: without commas.
export const shortState = (text) => text.replaceAll(",", "");
