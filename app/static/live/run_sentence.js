// One sentence on what a run does or why it has ended.

import { hasEnded } from "../core/model.js";

/** @import { Phase, RunModel } from "../core/types.d.ts" */

/** @type {Partial<Record<Phase, string>>} */
const PHASE_SENTENCES = {
  redraw: "The noisy layer is re-drawn.",
  generator: "The generator learns to make images that the teacher recognizes.",
  pool: "The best batch enters the pool.",
  student: "The student learns from the teacher on images of the pool.",
  measure: "The student is evaluated.",
};
/** @type {Record<string, string>} */
const END_SENTENCES = {
  "rounds done": "All rounds are done.",
  "work is done": "The planned work is done.",
  "time is up": "The time limit is reached.",
  stopped: "The run was stopped. Its results stay on the page.",
};

/**
 * The text if there is no single step.
 * @param {RunModel} model
 */
export function sentenceOf({ state, reason, phase }) {
  if (state === "queued") return "All slots are in use. Your run starts when one becomes free.";
  if (state === "starting") return "The teacher is loading.";
  if (!hasEnded(state)) return PHASE_SENTENCES[phase] ?? "";
  const interrupted = "The server stopped during this run. Press Continue to go on from the last checkpoint.";
  return END_SENTENCES[reason] ?? (state === "interrupted" ? interrupted : "");
}
