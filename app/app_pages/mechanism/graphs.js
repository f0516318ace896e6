// Graphs of what each answer depends on, by the rules and in a model, with their legend. They stand side by side, or one
// below the other. Where even one does not fit, it scrolls rather than shrink its words until they cannot be read.

const SMALLEST = 0.85; // of the size at which a graph is drawn

/** @param {string} svg */
const widthOf = (svg) => Number(/viewBox="0 0 (\d+)/.exec(svg)?.[1] ?? 0);

/** @param {string} svg @param {number} index */
function placed(svg, index) {
  const [width, smallest] = [widthOf(svg), SMALLEST * widthOf(svg)];
  const isLegend = index === 2;
  return `<div style="flex: 1 1 ${isLegend ? "100%" : `${smallest}px`}; min-width: ${smallest}px; max-width: ${isLegend ? "none" : `${width}px`}">${svg}</div>`;
}

/** @param {string[]} pictures as SVG: two graphs, then their legend */
export const graphs = (pictures) => `<div class="graphs">${pictures.map(placed).join("")}</div>`;

/** The width from which the graphs stand side by side.
 * @param {string[]} pictures
 */
export const widthBeside = (pictures) => pictures.slice(0, 2).reduce((sum, svg) => sum + SMALLEST * widthOf(svg) + 16, 0);
