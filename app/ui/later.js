// Nothing to see: asks the server, a moment after all else was drawn, for what it has put off until then.

const MOMENT = 300; // milliseconds

function show({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".later");
  clearTimeout(root.waiting);
  // Once, and not from a page that was left: what an old page asks for would be put in place of the new one.
  root.waiting = setTimeout(() => { if (root.isConnected) setTriggerValue("due", data.number); }, MOMENT);
}
