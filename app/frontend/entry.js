// A line to type into. Enter sends it; it is cleared once the server has accepted it.

const PATIENCE = 3000; // milliseconds for which an answer is waited for before the same text is told again

function show({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".entry");
  let box = root.querySelector("input");
  if (!box) {
    box = make("input", "mono");
    box.type = "text";
    box.spellcheck = false;
    box.autocomplete = "off";
    box.autocapitalize = "off";
    root.replaceChildren(box);
  }
  box.placeholder = data.placeholder;
  box.setAttribute("aria-label", data.label);
  if (root.told && data.taken?.number === root.told.number) {
    // Text typed since then stays.
    if (data.taken.added && box.value === root.told.typed) box.value = "";
    root.told = null;
  }
  box.onkeydown = (event) => {
    const text = box.value.trim();
    const waiting = root.told?.typed === box.value && Date.now() - root.told.number < PATIENCE;
    if (event.key !== "Enter" || event.isComposing || !text || waiting) return;
    root.told = { typed: box.value, number: Date.now() };
    setTriggerValue("text", { text, number: root.told.number });
  };
}
