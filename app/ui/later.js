// Invisible: asks the server for what it deferred until everything else was drawn.

const MOMENT = 300; // milliseconds

function show({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".later");
  clearTimeout(root.waiting);
  // Only once, and never from a page that the user has left: the answer would replace the new page.
  root.waiting = setTimeout(() => { if (root.isConnected) setTriggerValue("due", data.number); }, MOMENT);
}
