// Where a page of the client begins: its parts are put on the page, and the address is followed.

import { effect, html, render } from "./html.js";
import { writeAddress } from "./store/address.js";
import { bring, remember } from "./store/carried.js";
import { connected, starting } from "./server/api.js";
import { Sidebar } from "./sidebar/sidebar.js";
import { begin, comparing, condition, follow, frame, redo, undo } from "./store/store.js";

/** @type {Record<string, () => Promise<any>>} */
const PAGES = {
  start: async () => (await import("../app_pages/start/start.js")).Start,
  probe: async () => (await import("../app_pages/probe/probe.js")).Probe,
  compare: async () => (await import("../app_pages/compare/compare.js")).Compare,
  text: async () => (await import("../app_pages/text/text.js")).FreeText,
  world: async () => (await import("../app_pages/world/world.js")).World,
  train: async () => (await import("../app_pages/train/train.js")).Train,
  mechanism: async () => (await import("../app_pages/mechanism/mechanism.js")).MechanismPage,
};

/** Pages that show all models that can be compared. */
const COMPARING = ["compare", "text"];

/** Pages that show no model: they follow their address themselves. */
const WITHOUT_MODEL = new Set(["start", "world", "train"]);

/** The paths of the pages that are shown. @type {Set<string>} */
const shown = new Set();

/**
 * Show a page; called by Streamlit for every run of its script, of which only the first matters.
 * @param {{ parentElement: any, data: { page: string } }} component
 */
export async function showPage({ parentElement, data }) {
  const root = parentElement.querySelector(".client");
  if (root.dataset.page) return undefined;
  root.dataset.page = data.page;
  const here = location.pathname;
  if (WITHOUT_MODEL.has(data.page)) {
    remember(location.search);
    if (data.page === "start") bring();
    const Page = await PAGES[data.page]();
    render(html`<${Connection} /><${Page} />`, root);
    return () => render(null, root);
  }
  shown.add(here);
  comparing.value = COMPARING.includes(data.page);
  if (!condition.value) bring();
  const [Page] = await Promise.all([PAGES[data.page](), begin()]);
  render(html`<${Connection} />${html`<${Ready} page=${Page} />`}`, root);
  return () => { shown.delete(here); render(null, root); };
}

/** Show the sidebar of a page. A page whose script follows it is told of every change.
 * @param {{ parentElement: any, data: { page: string, follows?: boolean }, setStateValue: (name: string, value: any) => void }} component
 */
export function showSidebar({ parentElement, data, setStateValue }) {
  const root = parentElement.querySelector(".client");
  if (root.dataset.page === data.page) return undefined;
  root.dataset.page = data.page;
  render(html`<${Sidebar} hasModel=${!WITHOUT_MODEL.has(data.page)} />`, root);
  const here = location.pathname;
  const ends = data.follows ? followed(here, setStateValue) : () => {};
  return () => { ends(); delete root.dataset.page; render(null, root); };
}

/** Tell the script of a page of every change of the condition.
 * @param {string} path of the page
 * @param {(name: string, value: any) => void} tell
 */
function followed(path, tell) {
  shown.add(path);
  if (!condition.value) bring();
  begin();
  const stop = effect(() => { if (condition.value) tell("query", writeAddress(condition.value)); });
  return () => { stop(); shown.delete(path); };
}

/** @param {{ page: any }} props */
function Ready({ page }) {
  return condition.value && frame.value ? html`<${page} />` : html`<div class="quiet">Loading the model …</div>`;
}

/** What the whole page waits for. */
function Connection() {
  if (!connected.value) return html`<div class="connection" role="alert">No connection to the server. What you do is shown as soon as it answers again.</div>`;
  return starting.value && condition.value ? html`<div class="starting" role="status">The app is still starting. What you do is shown in a few seconds.</div>` : null;
}

addEventListener("popstate", () => { if (shown.has(location.pathname)) follow(location.search); });

addEventListener("keydown", (event) => {
  if (!shown.size || !(event.ctrlKey || event.metaKey) || event.altKey) return;
  const target = /** @type {any} */ (event.composedPath()[0]);
  // A box has its own undo.
  if (target.matches?.("textarea, input:not([type=checkbox], [type=range])")) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) redo();
  else undo();
});
