// A figure of plotly, drawn by the plotly.js that the Python package brings.

import { html, useLayoutEffect, useRef } from "../html.js";
import { ask } from "../server/api.js";
import { scheme } from "./colours.js";

/** @type {Promise<any> | null} */
let loading = null;

/** Load plotly.js, and how figures look on light and on dark pages, when the first figure needs them. */
function plotly() {
  const script = () => new Promise((resolve, reject) => {
    const made = document.createElement("script");
    made.src = new URL("../../plotly.min.js", import.meta.url).href;
    made.onload = () => resolve(/** @type {any} */ (window).Plotly);
    made.onerror = reject;
    document.head.append(made);
  });
  loading ??= Promise.all([script(), ask("templates", "")]);
  return loading;
}

/** Whether text of this colour stands on a dark page.
 * @param {string} colour
 */
const isOnDark = (colour) => (colour.match(/\d+/g) ?? []).slice(0, 3).reduce((sum, each) => sum + Number(each), 0) > 3 * 128;

/** The settings of figures, by their names: plotly begins anew when they are other objects. @type {Map<string, any>} */
const configs = new Map();

/** @param {any} library @param {string} name of the files that are downloaded */
function configOf(library, name) {
  const image = (/** @type {string} */ format) => ({
    name: `Download as ${format.toUpperCase()}`,
    title: `Download as ${format.toUpperCase()}`,
    icon: library.Icons.camera,
    click: (/** @type {any} */ plot) => library.downloadImage(plot, { format, filename: name, scale: 2 }),
  });
  if (!configs.has(name)) configs.set(name, {
    responsive: true,
    displaylogo: false,
    modeBarButtonsToRemove: ["toImage"],
    modeBarButtonsToAdd: [image("png"), image("svg")],
  });
  return configs.get(name);
}

let number = 0;

/**
 * Plotly's style is that of the document, so a figure is drawn there and shown through a slot.
 * @param {{ figure: any, name: string }} props
 */
export function Figure({ figure, name }) {
  const place = useRef(/** @type {any} */ (null));
  const slot = useRef(`figure-${(number += 1)}`);
  const [latest, last] = [useRef(figure), useRef(Promise.resolve())];
  latest.current = figure;
  const painted = scheme.value;
  useLayoutEffect(() => {
    const drawn = document.createElement("div");
    drawn.slot = slot.current;
    drawn.className = "figure";
    const host = place.current.getRootNode().host;
    host.append(drawn);
    place.current.drawn = drawn;
    return () => drawn.remove();
  }, []);
  useLayoutEffect(() => {
    if (!figure) return;
    const { drawn } = place.current;
    const style = getComputedStyle(place.current);
    const layout = {
      ...figure.layout,
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { ...figure.layout.font, color: style.color, family: style.fontFamily },
      autosize: true,
      width: undefined,
    };
    const paint = async () => {
      const [library, { templates }] = await plotly();
      if (!drawn.isConnected || figure !== latest.current) return;
      await library.react(drawn, figure.data, { ...layout, template: templates[Number(isOnDark(style.color))] }, configOf(library, name));
    };
    // Two at once, of different settings, would undo one another without end.
    last.current = last.current.then(paint, paint);
  }, [figure, painted]);
  return html`<div class="figure-place" ref=${place}><slot name=${slot.current}></slot></div>`;
}
