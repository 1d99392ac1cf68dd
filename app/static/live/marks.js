// The marks of a run for a chart by round.

/** @import { ChartMark } from "../charts/line_chart.js" */
/** @import { RunModel } from "../core/types.d.ts" */

export const PLANNED_ROUNDS = 60; // length of the x axis before the number of rounds is known

/**
 * The marks for rebuilt generators and changed settings.
 * @param {RunModel} model
 * @returns {ChartMark[]}
 */
export function marksOf(model) {
  const rebuilds = model.redraws.filter(([, what]) => what === "generator");
  return [
    ...rebuilds.map(([round]) => ({ x: round, kind: "rebuild" })),
    ...model.changes.map(([round, text]) => ({ x: round, kind: "change", text })),
  ];
}
