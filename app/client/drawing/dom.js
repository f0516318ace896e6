// What every script uses: making elements, saying numbers, saving what is shown as a file.

export const FULL_SCALE = 65535;

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} [className]
 * @param {string | number} [text]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function make(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined) made.textContent = String(text);
  return made;
}

/**
 * The first element below `root` that a selector finds.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const find = (root, selector) => root.querySelector(selector);

/**
 * All elements below `root` that a selector finds.
 * @param {ParentNode} root
 * @param {string} selector
 * @returns {HTMLElement[]}
 */
export const findAll = (root, selector) => [...root.querySelectorAll(/** @type {"div"} */ (selector))];

/**
 * The element at or around the target of an event that a selector finds.
 * @param {Event} event
 * @param {string} selector
 * @returns {HTMLElement | null}
 */
export const closest = (event, selector) => /** @type {Element} */ (event.target).closest?.(selector) ?? null;

// The head of a column that may be narrower than its name; the title has the full name.
export function nameHead(slot, className = "") {
  const th = make("th", `name${slot.acted_on ? " acted" : ""}${className}`);
  th.scope = "col";
  const name = make("span", "", slot.name);
  th.title = [slot.name, slot.acted_on ? "an intervention acts at this token" : ""].filter(Boolean).join(": ");
  th.append(name);
  return th;
}

const NARROW_TOKEN = 22; // pixels

// The least widths of a table of all tokens, which its style chooses between: a longer text scrolls.
export function fitTokens(table, tokens, pixels = 36) {
  table.style.setProperty("--wide", `max(900px, ${76 + pixels * tokens}px)`);
  table.style.setProperty("--narrow", `${64 + Math.min(pixels, NARROW_TOKEN) * tokens}px`);
}

export const escape = (text) => String(text).replace(/[&<>"]/g, (c) => ({ "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" })[c]);

/** @param {number[]} of right ones, and all */
export const share = ([right, all]) => (all ? `${right}/${all}` : "–");

export const percent = (p) => (p > 0.9995 ? "100%" : p < 0.0005 ? "0%" : `${(100 * p).toFixed(p > 0.995 || p < 0.1 ? 1 : 0)}%`);

// A drawing of a component, nested in the SVG of the whole, with its computed colours.
function nested(drawing, x, y, box) {
  const copy = drawing.cloneNode(true);
  const style = getComputedStyle(drawing);
  for (const [name, value] of Object.entries({ x, y, width: box.width, height: box.height })) copy.setAttribute(name, value);
  copy.style.cssText = `color: ${style.color}; font-family: ${style.fontFamily}; overflow: visible`;
  for (const name of ["--first", "--second", "--third", "--quiet"]) {
    if (style.getPropertyValue(name)) copy.style.setProperty(name, style.getPropertyValue(name));
  }
  return new XMLSerializer().serializeToString(copy);
}

// The component as an SVG: its pictures, texts and boxes, in place.
export function asSvg(root) {
  const frame = root.getBoundingClientRect();
  const [width, height] = [Math.ceil(root.scrollWidth), Math.ceil(root.scrollHeight)];
  const page = getComputedStyle(root).getPropertyValue("--st-background-color").trim() || "#ffffff";
  const parts = [`<rect width="${width}" height="${height}" fill="${page}"/>`];
  const place = (box) => [box.left - frame.left + root.scrollLeft, box.top - frame.top + root.scrollTop].map((x) => x.toFixed(1));
  const walker = document.createTreeWalker(root, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    if (!(node instanceof Element)) {
      if (!node.textContent.trim() || node.parentElement.closest(".downloads, svg")) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      const box = range.getBoundingClientRect();
      const style = getComputedStyle(node.parentElement);
      if (!box.width || style.visibility === "hidden") continue;
      const [x, y] = place(box);
      const turned = style.writingMode === "vertical-rl" ? ` transform="rotate(-90 ${x} ${y}) translate(${-box.height} ${box.width * 0.75})"` : "";
      const baseline = turned ? y : (Number(y) + box.height * 0.78).toFixed(1);
      parts.push(`<text x="${x}" y="${baseline}"${turned} font-family="${escape(style.fontFamily)}" font-size="${style.fontSize}" font-weight="${style.fontWeight}" fill="${style.color}" xml:space="preserve">${escape(node.textContent)}</text>`);
      continue;
    }
    const box = node.getBoundingClientRect();
    const style = getComputedStyle(node);
    if (!box.width || !box.height || style.visibility === "hidden" || node.closest(".downloads")) continue;
    const [x, y] = place(box);
    if (node instanceof SVGElement) {
      if (node instanceof SVGSVGElement) parts.push(nested(node, x, y, box));
      continue;
    }
    const size = `x="${x}" y="${y}" width="${box.width.toFixed(1)}" height="${box.height.toFixed(1)}"`;
    if (style.backgroundColor !== "rgba(0, 0, 0, 0)") parts.push(`<rect ${size} fill="${style.backgroundColor}"/>`);
    if (parseFloat(style.borderTopWidth) && parseFloat(style.borderLeftWidth)) parts.push(`<rect ${size} fill="none" stroke="${style.borderTopColor}" rx="${parseFloat(style.borderRadius) || 0}"/>`);
    if (node instanceof HTMLCanvasElement && node.width && node.height) parts.push(`<image ${size} preserveAspectRatio="none" style="image-rendering:pixelated" href="${node.toDataURL()}"/>`);
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}">${parts.join("")}</svg>`;
}

export function save(name, url) {
  const link = make("a");
  link.download = name;
  link.href = url;
  link.click();
}

function savePng(root, name) {
  const picture = new Image();
  picture.onload = () => {
    const canvas = make("canvas");
    const scale = 2;
    [canvas.width, canvas.height] = [scale * picture.width, scale * picture.height];
    const context = canvas.getContext("2d");
    context.scale(scale, scale);
    context.drawImage(picture, 0, 0);
    save(`${name}.png`, canvas.toDataURL("image/png"));
  };
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(asSvg(root))}`;
}

// Rows of cells as a file for spreadsheets.
export const asCsv = (rows) => rows.map((row) => row.map((cell) => (/[",\n]/.test(cell) ? `"${String(cell).replace(/"/g, '""')}"` : cell)).join(",")).join("\n") + "\n";

// Download buttons for what a component shows. `rows`, if given, returns the table for CSV.
export function downloads(root, name, rows) {
  const bar = make("div", "downloads");
  const add = (text, title, act) => {
    const button = make("button", "small quiet", text);
    button.title = title;
    button.setAttribute("aria-label", title);
    button.onclick = (event) => { event.stopPropagation(); act(); };
    bar.append(button);
  };
  add("PNG", `download ${name} as PNG`, () => savePng(root, name));
  add("SVG", `download ${name} as SVG`, () => save(`${name}.svg`, `data:image/svg+xml;charset=utf-8,${encodeURIComponent(asSvg(root))}`));
  if (rows) add("CSV", `download ${name} as CSV`, () => save(`${name}.csv`, `data:text/csv;charset=utf-8,${encodeURIComponent(asCsv(rows()))}`));
  return bar;
}

// Fills the bar below pictures: downloads and, where something is edited, a switch between both pictures and
// their difference. Returns whether the difference is wanted; `again` redraws.
export function differenceSwitch(root, edited, again) {
  const tools = root.querySelector(".tools");
  const wanted = Boolean(edited && root.dataset.difference);
  const focused = root.querySelector(":focus")?.dataset.focus === "difference";
  const button = make("button", "small switch check", "difference");
  button.title = "show edited minus baseline, in two colours, instead of both";
  button.dataset.focus = "difference";
  button.setAttribute("aria-pressed", String(wanted));
  button.hidden = !edited;
  button.onclick = (event) => {
    event.stopPropagation();
    if (wanted) delete root.dataset.difference;
    else root.dataset.difference = "on";
    again();
  };
  tools.replaceChildren(button, downloads(root, root.className));
  if (focused) button.focus();
  return wanted;
}
