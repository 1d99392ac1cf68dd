// What the page knows of a run: the server's updates, put together. Nothing is drawn here.

import { CURVES, ENDED_STATES, MEASURED_ON, SAMPLE_ROWS } from "./constants.js";

/** @import { Curves, CurveUpdate, Point, RunModel, RunState, RunUpdate, SampleRow } from "./types.d.ts" */

const GOING_STATES = ["queued", "running", "paused"];

/** What a student is measured on: test images, or where there are none, samples it never learns from. */
export const [TEST_IMAGES, HELD_BACK_SAMPLES] = MEASURED_ON;

/**
 * The model of a run of which nothing is known.
 * @returns {RunModel}
 */
export function emptyModel() {
  return {
    state: "empty",
    facts: null,
    ...eachCurve(() => []),
    redraws: [],
    changes: [],
    by_class: null,
    rows: [],
    making: null,
    outputs: [],
    samples: [],
    notes: [],
    pool: [0, 0],
    round: 0,
    rounds_done: 0,
    seconds: 0,
    left: null,
    phase: "",
    story: "",
    error: "",
    reason: "",
    failure: "",
    ahead: 0,
    wait: null, // seconds, about, while queued
    kept: "", // why the run may be lost, with the server or to others who wait
    pace: 0,
    teacher_accuracy: null,
    thinned: false,
  };
}

/**
 * The model after an update; one that begins anew replaces everything.
 * @param {RunModel} model
 * @param {RunUpdate} update
 * @returns {RunModel}
 */
export function applyUpdate(model, update) {
  const { seq, anew, run, redraws, changes, rows, making, ...standing } = update;
  const before = anew ? emptyModel() : model;
  return {
    ...before,
    ...standing,
    facts: run ?? before.facts,
    ...eachCurve((name) => extend(before[name], update[name])),
    redraws: [...before.redraws, ...(redraws ?? []).filter(([round]) => round > 0)], // at 0 nothing is re-drawn
    changes: [...before.changes, ...(changes ?? [])],
    rows: mergeRows(before.rows, rows ?? []),
    making: making ?? null,
  };
}

/**
 * The points of each curve by its name.
 * @param {(name: keyof Curves<Point[]>) => Point[]} points
 * @returns {Curves<Point[]>}
 */
function eachCurve(points) {
  return /** @type {Curves<Point[]>} */ (Object.fromEntries(CURVES.map((name) => [name, points(name)])));
}

/**
 * @param {Point[]} points
 * @param {CurveUpdate | undefined} update
 */
function extend(points, update) {
  if (!update) return points;
  return update.anew ? update.points : [...points, ...update.points];
}

/**
 * The newest rows, each round once.
 * @param {SampleRow[]} rows
 * @param {SampleRow[]} fresh
 */
function mergeRows(rows, fresh) {
  const rounds = new Set(fresh.map((row) => row.round));
  return [...rows.filter((row) => !rounds.has(row.round)), ...fresh].slice(-SAMPLE_ROWS);
}

/**
 * Whether a run in this state is over.
 * @param {RunState} state
 */
export function hasEnded(state) {
  return ENDED_STATES.includes(state);
}

/**
 * Whether a run in this state waits, works or stands still.
 * @param {string} state
 */
export function isGoing(state) {
  return GOING_STATES.includes(state);
}

/**
 * What the student is measured by: accuracy on test images, or where there are none, agreement with the teacher.
 * @param {RunModel} model
 */
export function studentMeasure(model) {
  return model.facts?.measured_on === HELD_BACK_SAMPLES ? "agreement" : "accuracy";
}
