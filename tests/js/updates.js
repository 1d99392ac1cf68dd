// Updates of a run for the tests, as the server sends them.

/** @import { RunFacts, RunUpdate, SampleRow } from "../../app/static/core/types.d.ts" */

/**
 * An update in which nothing but `changes` is new.
 * @param {Partial<RunUpdate>} [changes]
 * @returns {RunUpdate}
 */
export function update(changes = {}) {
  return {
    seq: 1,
    anew: false,
    state: "running",
    ahead: 0,
    wait: null,
    kept: "",
    error: "",
    pace: 0,
    reason: "",
    failure: "",
    round: 0,
    rounds_done: 0,
    seconds: 0,
    left: null,
    phase: "",
    story: "",
    notes: [],
    teacher_accuracy: null,
    thinned: false,
    pool: [0, 0],
    ...changes,
  };
}

/** @returns {RunFacts} */
export function facts() {
  return {
    teacher: "digits",
    student: "lenet-4",
    classes: ["zero", "one"],
    image_shape: [1, 8, 8],
    rounds: 10,
    measured_on: "test images",
    latent: "lte",
    width: 6,
    parameters: { teacher: 10 },
    config: { seed: 0 },
    repeat: { command: "nayer", words: {} },
    anchors: [],
    sketch: [[0]],
  };
}

/**
 * @param {number} round
 * @param {number} [frame]
 * @returns {SampleRow}
 */
export function row(round, frame = round) {
  return { frame, round, labels: [0], teacher: [[0, 1]], student: [[0, 1]], label_accuracy: 1, pooled: true };
}
