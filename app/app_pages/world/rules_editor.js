// An editor for rules: line numbers, syntax colours, and faults marked in place and listed below. The text area has
// transparent letters; a coloured picture of them lies underneath.

import { escape, make } from "../../client/drawing/dom.js";

const FEWEST = 8; // lines shown at least
const MOST = 24;
const ABOVE = 3; // lines that stay visible above the line that the editor scrolls to
const TOKENS = /#.*|[A-Za-z]\w*|[01](?!\w)|[=+\-,():]/g;

function kindOf(token, after, words) {
  if (token.startsWith("#")) return "comment";
  if (words.includes(token)) return "word";
  if (!/^[A-Za-z]/.test(token)) return "";
  return /^\s*[=(]/.test(after) ? "defined" : "name";
}

// Columns count characters, JavaScript counts UTF-16 units.
const offset = (line, column) => Array.from(line).slice(0, column - 1).join("").length;

function rangeOf(line, { column, length }) {
  const from = offset(line, column);
  return [from, length ? Math.max(from + 1, offset(line, column + length)) : from];
}

// A line as HTML, coloured and with its marks.
function drawn(line, ranges, words) {
  const cuts = new Set([0, line.length, ...ranges.flat()]);
  const kinds = [];
  for (const found of line.matchAll(TOKENS)) {
    const end = found.index + found[0].length;
    kinds.push([found.index, end, kindOf(found[0], line.slice(end), words)]);
    cuts.add(found.index).add(end);
  }
  const ends = [...cuts].filter((cut) => cut <= line.length).sort((a, b) => a - b);
  const pieces = ends.slice(1).map((end, index) => {
    const from = ends[index];
    const kind = kinds.find(([start, stop]) => start <= from && end <= stop)?.[2] ?? "";
    const wrong = ranges.some(([start, stop]) => start <= from && end <= stop && stop > start) ? " mistake" : "";
    const text = escape(line.slice(from, end));
    return kind || wrong ? `<span class="${kind}${wrong}">${text}</span>` : text;
  });
  const missing = ranges.find(([start, stop]) => start === stop);
  return pieces.join("") + (missing ? '<span class="mistake missing"> </span>' : "") || "\u200b";
}

// The known faults of a line, as long as it is unchanged.
const faultsOf = (root, line, number) => root.faults.filter(({ place, on }) => place?.line === number && on === line);

function paint(root) {
  const { box, picture, numbers } = root.parts;
  const lines = box.value.split("\n");
  const rows = (place, className) => {
    while (place.children.length > lines.length) place.lastChild.remove();
    while (place.children.length < lines.length) place.append(make("div", className));
  };
  rows(picture, "line");
  rows(numbers, "number");
  lines.forEach((line, index) => {
    const faults = faultsOf(root, line, index + 1);
    const ranges = faults.map(({ place }) => rangeOf(line, place));
    const wanted = `${line}\n${ranges.join(" ")}\n${root.words.length}`;
    const [row, number] = [picture.children[index], numbers.children[index]];
    if (row.drawn === wanted) return;
    row.drawn = wanted;
    row.innerHTML = drawn(line, ranges, root.words);
    number.textContent = `${faults.length ? "✗" : ""}${index + 1}`;
    number.classList.toggle("wrong", faults.length > 0);
  });
  box.rows = Math.min(MOST, Math.max(FEWEST, lines.length + 1));
  follow(root);
}

function follow(root) {
  const { box, picture, numbers } = root.parts;
  picture.style.transform = `translate(${-box.scrollLeft}px, ${-box.scrollTop}px)`;
  numbers.style.transform = `translateY(${-box.scrollTop}px)`;
}

// Selects a fault and scrolls to it.
function goTo(root, { place, on }) {
  const { box, picture } = root.parts;
  const lines = box.value.split("\n");
  const index = Math.min(place.line, lines.length) - 1;
  const before = lines.slice(0, index).reduce((sum, line) => sum + line.length + 1, 0);
  const [from, to] = lines[index] === on ? rangeOf(on, place) : [0, 0];
  box.focus({ preventScroll: true });
  box.setSelectionRange(before + from, before + to);
  const row = picture.children[index];
  box.scrollTop = Math.max(0, (index - ABOVE) * row.offsetHeight);
  const letter = root.parts.ruler.getBoundingClientRect().width / root.parts.ruler.textContent.length;
  box.scrollLeft = Math.max(0, from * letter - box.clientWidth / 2);
  box.scrollIntoView({ block: "nearest" });
}

function list(root) {
  const { list: place, said, box } = root.parts;
  place.replaceChildren(...root.faults.map((fault) => {
    const item = make("li");
    if (fault.place) {
      const button = make("button", "mono", `✗ ${fault.place.line}:${fault.place.column}`);
      button.setAttribute("aria-label", `go to line ${fault.place.line}, column ${fault.place.column}`);
      button.onclick = () => goTo(root, fault);
      item.append(button);
    } else item.append(make("span", "mono", "✗"));
    item.append(make("span", "what", fault.text));
    return item;
  }));
  said.textContent = `${root.faults.length ? "✗" : "✓"} ${root.said}`;
  said.classList.toggle("wrong", root.faults.length > 0);
  box.setAttribute("aria-invalid", String(root.faults.length > 0));
}

function build(root) {
  const label = make("label", "small", "Rules, one per line: NAME = EXPRESSION");
  label.htmlFor = "text";
  const box = make("textarea", "mono");
  box.id = "text";
  box.wrap = "off";
  box.spellcheck = false;
  box.autocomplete = "off";
  box.setAttribute("autocapitalize", "off");
  box.setAttribute("autocorrect", "off");
  box.setAttribute("aria-describedby", "said faults");
  const [frame, gutter, area] = [make("div", "frame mono"), make("div", "gutter"), make("div", "area")];
  const [numbers, picture, ruler] = [make("div", "numbers"), make("div", "picture"), make("span", "ruler", "0000000000")];
  for (const part of [gutter, picture, ruler]) part.setAttribute("aria-hidden", "true");
  const [said, faults] = [make("div", "said small"), make("ul", "faults")];
  said.id = "said";
  said.setAttribute("role", "status");
  faults.id = "faults";
  gutter.append(numbers);
  area.append(picture, ruler, box);
  frame.append(gutter, area);
  root.replaceChildren(label, frame, said, faults);
  root.parts = { box, picture, numbers, said, list: faults, ruler };
  root.faults = [];
  root.words = [];
  box.onscroll = () => follow(root);
  const take = () => {
    paint(root);
    wait(root);
    root.send("text", box.value);
  };
  box.oninput = (event) => (event.isComposing ? paint(root) : take());
  box.addEventListener("compositionend", take);
}

// What is said of an earlier text fades until the next answer.
function wait(root) {
  const waits = root.of !== root.parts.box.value;
  root.classList.toggle("waits", waits);
  root.dataset.checked = String(!waits);
}

/**
 * @param {any} root
 * @param {{ loaded: { text: string }, answer: any }} data the last text that was not typed, a fresh object each time; and
 *   what the server says of a text
 * @param {(event: string, payload: any) => void} send
 */
export function draw(root, { loaded, answer }, send) {
  if (!root.parts) build(root);
  const { box } = root.parts;
  root.send = send;
  if (root.loaded !== loaded) {
    root.loaded = loaded;
    if (box.value !== loaded.text) box.value = loaded.text;
  }
  if (answer) {
    const lines = answer.of.split("\n");
    root.of = answer.of;
    root.words = answer.words;
    root.faults = answer.faults.map((fault) => ({ ...fault, on: fault.place ? lines[fault.place.line - 1] : "" }));
    root.said = answer.said;
    list(root);
  }
  wait(root);
  paint(root);
}
