// An editor for rules: line numbers, syntax colours, and faults marked in place and listed below. The text area has
// transparent letters; a coloured picture of them lies underneath.

import { escape, make } from "../../client/dom.js";

const PAUSE = 200; // milliseconds without a key before the typed text is sent
const FEWEST = 8; // lines shown at least
const MOST = 24;
const ABOVE = 3; // lines that stay visible above the line that the editor scrolls to
const TOKENS = /#.*|[A-Za-z]\w*|[01](?!\w)|[=+\-,():]/g;

// Text that was typed and not answered yet: it survives a visit to another page.
let unanswered = null;

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
    const wrong = ranges.some(([start, stop]) => start <= from && end <= stop && stop > start) ? " fault" : "";
    const text = escape(line.slice(from, end));
    return kind || wrong ? `<span class="${kind}${wrong}">${text}</span>` : text;
  });
  const missing = ranges.find(([start, stop]) => start === stop);
  return pieces.join("") + (missing ? '<span class="fault missing"> </span>' : "") || "\u200b";
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
  rows(picture, "row");
  rows(numbers, "number");
  lines.forEach((line, index) => {
    const faults = faultsOf(root, line, index + 1);
    const ranges = faults.map(({ place }) => rangeOf(line, place));
    const wanted = `${line}\n${ranges.join(" ")}`;
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
  box.onscroll = () => follow(root);
  const soon = () => {
    paint(root);
    unanswered = { loaded: root.loaded, at: Date.now(), text: box.value };
    root.classList.add("waits");
    clearTimeout(root.waiting);
    root.waiting = setTimeout(() => root.send(), PAUSE);
  };
  box.oninput = (event) => (event.isComposing ? paint(root) : soon());
  box.addEventListener("compositionend", soon);
  // A click elsewhere must find the last typed text.
  box.onblur = () => { if (root.waiting) root.send(); };
}

export function draw(root, data, send) {
  if (!root.parts) build(root);
  const { box } = root.parts;
  root.words = data.words;
  root.send = () => {
    clearTimeout(root.waiting);
    root.waiting = null;
    root.sent = Date.now();
    send("text", { text: box.value, number: root.sent });
  };
  if (root.loaded !== data.loaded) {
    clearTimeout(root.waiting);
    root.waiting = null;
    root.loaded = data.loaded;
    root.sent = data.number;
    if (box.value !== data.text) box.value = data.text;
    if (unanswered?.loaded === data.loaded && unanswered.at > data.number) {
      box.value = unanswered.text;
      root.waiting = setTimeout(() => root.send());
      paint(root);
    }
  }
  // Text typed meanwhile stays; faults of an older text would not fit it.
  if (root.waiting || root.sent !== data.number) return;
  unanswered = null;
  const lines = box.value.split("\n");
  root.faults = data.faults.map((fault) => ({ ...fault, on: fault.place ? lines[fault.place.line - 1] : "" }));
  root.said = data.said;
  root.classList.remove("waits");
  list(root);
  paint(root);
  root.dataset.checked = String(data.number);
  // Not through Streamlit: each pause in typing would add a step to the browser's history.
  if (data.address !== null && root.isConnected && location.search !== `?${data.address}`) {
    history.replaceState(history.state, "", `${location.pathname}?${data.address}`);
  }
}
