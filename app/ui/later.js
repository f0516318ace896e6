// Invisible: asks the server for what it deferred until everything else was drawn.

const MOMENT = 300; // milliseconds

function show({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".later");
  clearTimeout(root.waiting);
  // Once, and not from a page that was left: the answer would replace the new page.
  root.waiting = setTimeout(() => { if (root.isConnected) setTriggerValue("due", data.number); }, MOMENT);
}
