// The model of a run: the server's updates, put together. This module draws nothing.

import { CURVES, ENDED_STATES, MEASURED_ON, SAMPLE_ROWS } from "./constants.js";

/** @import { Curves, CurveUpdate, Point, RunModel, RunState, RunUpdate, SampleRow } from "./types.d.ts" */

const GOING_STATES = ["queued", "running", "paused"];

/** The images on which a student is measured: test images, or else samples that it never learns from. */
export const [TEST_IMAGES, HELD_BACK_SAMPLES] = MEASURED_ON;

/**
 * The model before the first update.
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
    wait: null, // estimated seconds, while queued
    kept: "", // why the run may be lost: the server may end, or others wait
    pace: 0,
    teacher_accuracy: null,
    thinned: false,
  };
}

/**
 * The model after an update. An update with `anew` replaces everything.
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
    redraws: [...before.redraws, ...(redraws ?? []).filter(([round]) => round > 0)], // round 0 re-draws nothing
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
 * The newest rows, one for each round.
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
 * Whether a run in this state waits, runs or is paused.
 * @param {string} state
 */
export function isGoing(state) {
  return GOING_STATES.includes(state);
}

/**
 * The measure of the student: accuracy on test images, or else agreement with the teacher.
 * @param {RunModel} model
 */
export function studentMeasure(model) {
  return model.facts?.measured_on === HELD_BACK_SAMPLES ? "agreement" : "accuracy";
}
