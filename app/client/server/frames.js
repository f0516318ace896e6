// Answers that are drawn in one frame: a frame costs more than most answers, and a second one has to wait for it.

const PATIENCE = 30; // milliseconds that an answer waits for another one

/** Questions asked at the same time, and the answers that are there already. */
class Group {
  /** Questions without an answer. */
  open = 0;
  /** @type {(() => void)[]} */
  ready = [];
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  timer = undefined;

  draw() {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const draw of this.ready.splice(0)) draw();
  }

  close() {
    this.open -= 1;
    if (this.open === 0) this.draw();
    else if (this.ready.length) this.timer ??= setTimeout(() => this.draw(), PATIENCE);
  }
}

/** Of the questions that are asked now. @type {Group | null} */
let now = null;

/**
 * Say that a question is asked. Its first answer waits a little for those to the questions asked at the same time.
 * @returns {{ show: (draw: () => void) => void, end: () => void }} how its answers are drawn, and that no more will come
 */
export function asked() {
  if (!now) {
    now = new Group();
    setTimeout(() => { now = null; });
  }
  const group = now;
  group.open += 1;
  let isOpen = true;
  const end = () => {
    if (isOpen) group.close();
    isOpen = false;
  };
  const show = (/** @type {() => void} */ draw) => {
    if (!isOpen) return draw();
    group.ready.push(draw);
    return end();
  };
  return { show, end };
}
