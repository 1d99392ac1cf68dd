// The measures of diversity that several panels chart: where they stand in a point, and what they are called.

import { DIVERSITY_COLUMNS } from "../core/constants.js";

/** @import { Point } from "../core/types.d.ts" */

/** @typedef {"within" | "across" | "pool"} ScaleName */

/** @type {{ name: ScaleName, title: string, about: string, low: number }[]} */
export const DIVERSITY_SCALES = [
  { name: "within", title: "within a round", about: "measure/within", low: 1 },
  { name: "across", title: "across rounds", about: "measure/across", low: 0 },
  { name: "pool", title: "over the pool", about: "measure/pool", low: 1 },
];
export const SECOND_OPINION = { title: "second opinion", about: "measure/second_opinion" };
export const LABEL_HIT = { title: "label accuracy", about: "measure/label_hit" };

/**
 * A measure's value in a point of diversity; null where there is no point.
 * @param {Point | undefined} point
 * @param {string} column one of DIVERSITY_COLUMNS
 */
export function diversityValue(point, column) {
  const place = DIVERSITY_COLUMNS.indexOf(column);
  if (place < 0) throw new Error(`column must be one of ${DIVERSITY_COLUMNS.join(", ")}; ${column} was given.`);
  return point?.[place + 1] ?? null;
}
