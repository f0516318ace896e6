// Invisible: asks the server for what it deferred until everything else was drawn.

const MOMENT = 300; // milliseconds

export function draw(root, data, send) {
  clearTimeout(root.waiting);
  // Only once, and never from a page that the user has left: the answer would replace the new page.
  root.waiting = setTimeout(() => { if (root.isConnected) send("due", data.number); }, MOMENT);
}
