// A figure of plotly, drawn by the plotly.js that the Python package brings.

import { html, useLayoutEffect, useRef } from "./html.js";

/** @type {Promise<any> | null} */
let loading = null;

/** Load plotly.js when the first figure needs it. */
function plotly() {
  loading ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = new URL("../plotly.min.js", import.meta.url).href;
    script.onload = () => resolve(/** @type {any} */ (window).Plotly);
    script.onerror = reject;
    document.head.append(script);
  });
  return loading;
}

let number = 0;

/**
 * Plotly's style is that of the document, so a figure is drawn there and shown through a slot.
 * @param {{ figure: any, name: string }} props
 */
export function Figure({ figure, name }) {
  const place = useRef(/** @type {any} */ (null));
  const slot = useRef(`figure-${(number += 1)}`);
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
    plotly().then((library) => {
      const image = (/** @type {string} */ format) => ({
        name: `Download as ${format.toUpperCase()}`,
        title: `Download as ${format.toUpperCase()}`,
        icon: library.Icons.camera,
        click: (/** @type {any} */ plot) => library.downloadImage(plot, { format, filename: name, scale: 2 }),
      });
      if (drawn.isConnected) library.react(drawn, figure.data, layout, {
        responsive: true,
        displaylogo: false,
        modeBarButtonsToRemove: ["toImage"],
        modeBarButtonsToAdd: [image("png"), image("svg")],
      });
    });
  }, [figure]);
  return html`<div class="figure-place" ref=${place}><slot name=${slot.current}></slot></div>`;
}
