// Where a page of the client begins: its parts are put on the page, and the address is followed.

import { html, render } from "./html.js";
import { connected } from "./api.js";
import { Sidebar } from "./sidebar.js";
import { begin, comparing, condition, follow, frame, redo, takeHandover, undo } from "./store.js";

/** @type {Record<string, () => Promise<any>>} */
const PAGES = {
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
const WITHOUT_MODEL = new Set(["world", "train"]);

/** The paths of the pages that are shown. @type {Set<string>} */
const shown = new Set();

/**
 * Show a page; called by Streamlit for every run of its script, of which only the first matters.
 * @param {{ parentElement: any, data: { page: string, query: string } }} component
 */
export async function showPage({ parentElement, data }) {
  const root = parentElement.querySelector(".client");
  if (root.dataset.page) return undefined;
  root.dataset.page = data.page;
  const here = location.pathname;
  if (WITHOUT_MODEL.has(data.page)) {
    const Page = await PAGES[data.page]();
    render(html`<${Connection} /><${Page} />`, root);
    return () => render(null, root);
  }
  shown.add(here);
  comparing.value = COMPARING.includes(data.page);
  const [Page] = await Promise.all([PAGES[data.page](), begin(data.query)]);
  render(html`<${Connection} />${html`<${Ready} page=${Page} />`}`, root);
  return () => { shown.delete(here); render(null, root); };
}

/** Show the sidebar of a page.
 * @param {{ parentElement: any, data: { page: string } }} component
 */
export function showSidebar({ parentElement, data }) {
  const root = parentElement.querySelector(".client");
  render(html`<${Sidebar} hasModel=${!WITHOUT_MODEL.has(data.page)} />`, root);
  return () => render(null, root);
}

/** On a page that the server draws, say what was changed since it last knew.
 * @param {{ setTriggerValue: (name: string, value: any) => void }} component
 */
export function handOver({ setTriggerValue }) {
  const query = takeHandover();
  if (query) setTriggerValue("query", query);
}

/** @param {{ page: any }} props */
function Ready({ page }) {
  return condition.value && frame.value ? html`<${page} />` : html`<div class="quiet">Loading the model …</div>`;
}

function Connection() {
  return connected.value ? null : html`<div class="connection" role="alert">No connection to the server. What you do is shown as soon as it answers again.</div>`;
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
