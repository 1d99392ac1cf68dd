// What happened on the way, for any chart by round.

/** @import { ChartMark } from "../charts/line_chart.js" */
/** @import { RunModel } from "../core/types.d.ts" */

export const PLANNED_ROUNDS = 60; // of the x axis, before a run says how many it has

/**
 * Rebuilt generators and changed settings.
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
