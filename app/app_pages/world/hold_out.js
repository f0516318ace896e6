// For which hold-out page World shows simple predictors: the one chosen on page Train, if that is about this world.

import { form } from "../train/form_store.js";
import { heldStates } from "../train/held_out.js";

/**
 * The hold-out, as `Predictors` wants it, and what it is in words.
 * @param {any} world that is shown
 * @param {any} answer what the server says of its rules, and of the files with rules
 * @returns {{ heldOut?: string, about: string }}
 */
export function holdOutOf(world, answer) {
  const held = form.value?.held ?? null;
  // The form names a file of rules; it names none for the default world, whose rules are saved under no name.
  const rules = form.value?.rules ?? answer.files.find((/** @type {any} */ each) => each.saved_as === "")?.name;
  if (held === null || !answer.same.includes(rules)) return { about: "For the default hold-out of this world. Another can be chosen on page Train." };
  const states = world.table.states.map((/** @type {any} */ each) => each.state);
  return { heldOut: heldStates(held, states, []).join(";"), about: "For the hold-out chosen on page Train." };
}
