// What only Streamlit's components need: their drawing waits while a pointer is pressed in them, and they send nothing
// while their page is being left.

import { closest, find } from "../client/dom.js";

const LINK = 'a[data-testid="stSidebarNavLink"]';

// Tracks navigation to another page. An event that a page sends while the user leaves it would arrive after the
// navigation, and Streamlit would show the old page, empty, instead of the new one.
const ways = { to: null, until: 0, sending: false };

const leave = (to) => Object.assign(ways, { to, until: Date.now() + 10_000 });

window.addEventListener("click", (event) => {
  const link = /** @type {HTMLAnchorElement | null} */ (closest(event, LINK));
  if (!link || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  if (!ways.sending) {
    leave(link.pathname);
    return;
  }
  // Events being sent at this moment, such as the last typed text, go first.
  event.preventDefault();
  event.stopImmediatePropagation();
  setTimeout(() => link.click());
}, true);
window.addEventListener("popstate", () => leave(location.pathname), true);

function isLeft() {
  const link = /** @type {HTMLAnchorElement | null} */ (document.querySelector(`${LINK}[aria-current="page"]`));
  const here = link?.pathname;
  if (ways.to === here) ways.to = null;
  return here !== undefined && ways.to !== null && Date.now() < ways.until;
}

// Wraps the sending of events: a page that the user is leaving sends none.
function careful(set) {
  return (...payload) => {
    if (isLeft()) return;
    ways.sending = true;
    set(...payload);
    // Streamlit sends it in a task that was queued before this one.
    setTimeout(() => { ways.sending = false; });
  };
}

// Makes a component of a script's `draw`, for the element that `selector` finds. While a pointer is pressed in it,
// drawing waits, since replacing the element would lose the click or the drag.
export function steady(selector, draw) {
  const show = (place, component) => {
    place.late = null;
    draw(find(place, selector), component.data, careful(component.setTriggerValue));
  };
  return (component) => {
    const place = component.parentElement;
    if (!place.watched) {
      place.watched = true;
      const release = () => {
        if (!place.pressed) return;
        place.pressed = false;
        // The click comes after the release.
        setTimeout(() => {
          if (place.late && !place.pressed) show(place, place.late);
        });
      };
      place.addEventListener("pointerdown", () => { place.pressed = true; });
      for (const end of ["pointerup", "pointercancel", "blur"]) window.addEventListener(end, release);
    }
    if (place.pressed) place.late = component;
    else show(place, component);
  };
}
