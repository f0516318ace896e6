// What takes long runs on the server. A page watches it by server-sent events, and can stop it.

import { useLayoutEffect, useState } from "../html.js";
import { ask } from "./api.js";
import { listen } from "./events.js";

/**
 * @typedef {{ name: string, running: boolean, stopping: boolean, done: number, of: number, seconds_left: number | null, version: number,
 *   faults: import("./api.js").Fault[] }} Task
 */

const MINUTE = 60;

/**
 * How far tasks are, by their names.
 * @param {string[]} names
 * @param {number} begun changes when one of them was started: they are looked at again
 * @returns {Record<string, Task>}
 */
export function useTasks(names, begun) {
  const [tasks, setTasks] = useState(/** @type {Record<string, Task>} */ ({}));
  const all = names.join("\n");
  useLayoutEffect(() => {
    if (!all) return undefined;
    return listen("tasks/events", () => all.split("\n").map((name) => `name=${encodeURIComponent(name)}`).join("&"), {
      message: (task) => setTasks((known) => ({ ...known, [task.name]: task })),
      end: (_, end) => end(),
    });
  }, [all, begun]);
  return tasks;
}

/** Stop tasks; what they have found stays.
 * @param {string[]} names
 */
export const stopTasks = (names) => ask("tasks/stop", names.map((name) => `name=${encodeURIComponent(name)}`).join("&"), { post: true });

/** The seconds left, in words.
 * @param {number} seconds
 */
export const inWords = (seconds) => (seconds < MINUTE ? `about ${Math.round(seconds)} s` : `about ${Math.round(seconds / MINUTE)} min`);
