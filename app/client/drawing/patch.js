// Drawing anew what is on the page already: only what differs is changed. Focus stays where it is, and the browser lays
// out less than for new elements.

/** Show elements in a place, as `replaceChildren` does. Of their handlers only `onclick` is taken over.
 * @param {Element} root
 * @param {...Node} nodes
 */
export function show(root, ...nodes) {
  const there = [...root.childNodes];
  nodes.forEach((node, index) => {
    if (there[index]) patch(there[index], node);
    else root.append(node);
  });
  for (const surplus of there.slice(nodes.length)) surplus.remove();
}

/** Show elements as `show` does, with the focus on what had it: on what has the same `data-focus`.
 * @param {Element} root
 * @param {...Node} nodes
 */
export function showFocused(root, ...nodes) {
  const focused = focusIn(root)?.dataset.focus;
  show(root, ...nodes);
  // To focus an element makes the browser lay out the page at once.
  if (focused && focusIn(root)?.dataset.focus !== focused) {
    const target = /** @type {HTMLElement | null} */ (root.querySelector(`[data-focus="${CSS.escape(focused)}"]`));
    target?.focus({ preventScroll: true });
  }
}

/** @param {Element} root */
const focusIn = (root) => /** @type {HTMLElement | null} */ (root.querySelector(":focus"));

/** @param {any} old on the page @param {any} fresh */
function patch(old, fresh) {
  if (old.nodeName !== fresh.nodeName) {
    old.replaceWith(fresh);
    return;
  }
  if (old instanceof Text) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  for (const { name, value } of fresh.attributes) if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  if (old.attributes.length !== fresh.attributes.length) {
    for (const { name } of [...old.attributes]) if (!fresh.hasAttribute(name)) old.removeAttribute(name);
  }
  old.onclick = fresh.onclick;
  show(old, ...fresh.childNodes);
}
