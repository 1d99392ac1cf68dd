// The measures of diversity in the charts of several panels: their columns in a point, and their titles.

import { DIVERSITY_COLUMNS, LAB_MEASURES } from "../core/constants.js";
import { formatNumber, formatPercent } from "../core/format.js";

/** @import { Point } from "../core/types.d.ts" */

/** @typedef {"within" | "across" | "pool"} ScaleName */

/** @type {{ name: ScaleName, title: string, about: string, low: number }[]} */
export const DIVERSITY_SCALES = [
  { name: "within", title: "within a round", about: "measure/within", low: 1 },
  { name: "across", title: "across rounds", about: "measure/across", low: 0 },
  { name: "pool", title: "over the pool", about: "measure/pool", low: 1 },
];
export const SECOND_OPINION = { title: "second opinion", about: "measure/second_opinion" };
export const LABEL_ACCURACY = { title: "label accuracy", about: "measure/label_accuracy" };

const ACCURACY = { title: "accuracy", about: ["measure/accuracy", "measure/agreement"] };
/** @typedef {(value: number | null | undefined) => string} Format */
/** @type {Format} */
const formatFinely = (value) => formatPercent(value, 1);
/** @type {Format} */
const formatShare = (value) => formatPercent(value);

/** The measures of an arm in the cards, charts and tables of a lab. */
export const ARM_MEASURES = [
  { name: "accuracy", ...ACCURACY, low: 0, high: 1, format: formatFinely },
  { name: "label_accuracy", ...LABEL_ACCURACY, low: 0, high: 1, format: formatShare },
  { name: "named", ...SECOND_OPINION, low: 0, high: 1, format: formatShare },
  ...DIVERSITY_SCALES.map((scale) => ({ ...scale, high: null, format: formatNumber })),
].map((measure) => ({ ...measure, column: 3 + LAB_MEASURES.indexOf(measure.name) }));

/**
 * A measure's value in a point of diversity; null if there is no point.
 * @param {Point | undefined} point
 * @param {string} column one of DIVERSITY_COLUMNS
 */
export function diversityValue(point, column) {
  const place = DIVERSITY_COLUMNS.indexOf(column);
  if (place < 0) throw new Error(`column must be one of ${DIVERSITY_COLUMNS.join(", ")}; ${column} was given.`);
  return point?.[place + 1] ?? null;
}
