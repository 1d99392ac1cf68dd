// The panel with the losses of generator and student, and the fill level of the pool.

import { LineChart } from "../charts/line_chart.js";
import { NumbersTable, numbersRow } from "../charts/numbers_table.js";
import { h, setAttribute, setText } from "../core/dom.js";
import { formatInteger, formatNumber, formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { marksOf, PLANNED_ROUNDS } from "./marks.js";

/** @import { Point, RunModel } from "../core/types.d.ts" */

const SPAN = 10; // rounds of the generator's losses: enough to see that a re-draw raises them
const TABLE_ROWS = 200;
const COLUMNS = ["round", "cross-entropy", "statistics", "adversarial", "recognized"];
/**
 * One chart each: its title, the column of a point, whether it belongs to the student, and the start of its axis.
 * @type {{ title: string, color: string, column: number, about: string, student: boolean, low: number | null }[]}
 */
const LOSSES = [
  { title: "cross-entropy", color: "var(--ce)", column: 1, about: "measure/ce", student: false, low: 0 },
  { title: "statistics", color: "var(--bn)", column: 2, about: "measure/bn", student: false, low: 0 },
  {
    title: "adversarial",
    color: "var(--adversarial)",
    column: 3,
    about: "measure/adversarial",
    student: false,
    low: null,
  },
  { title: "student", color: "var(--student)", column: 1, about: "measure/loss", student: true, low: 0 },
];

/** Four small charts, a table, and the fill level of the pool. */
export class LossCharts {
  constructor() {
    /** @type {Point[]} */
    this.points = [];
    this.charts = LOSSES.map(({ title, color, column, about, student, low }) => ({
      title,
      column,
      student,
      chart: new LineChart({
        title,
        height: 84,
        ticks: 2,
        small: true,
        span: student ? null : SPAN,
        axis: formatNumber,
        about,
        low,
        lines: [{ name: title, color, value: (point) => point[column], format: formatNumber, width: 1.6 }],
        label: `${title}: no value yet.`,
      }),
    }));
    this.poolFill = h("i");
    this.pool = h("div", { class: "meter", role: "img", "aria-label": "The pool is empty." }, this.poolFill);
    this.poolCount = h("b", { class: "figure" }, "empty");
    this.table = new NumbersTable(COLUMNS, () => this.tableRows());
    this.element = h(
      "section",
      { class: "card losses", "aria-label": "Losses and pool" },
      withHelp(h("h3", {}, "Losses"), "panel/losses"),
      h("div", { class: "multiples" }, ...this.charts.map(({ chart }) => chart.element)),
      h(
        "p",
        { class: "note" },
        `By round. The generator's three terms: the last ${SPAN} rounds. The student's loss: all rounds.`,
      ),
      this.table.element,
      h("div", { class: "pool" }, h("span", {}, "pool"), this.pool, this.poolCount),
    );
  }

  /** @param {RunModel} model */
  update(model) {
    const rounds = model.facts?.rounds ?? PLANNED_ROUNDS;
    const marks = marksOf(model);
    this.points = model.losses;
    for (const { title, column, student, chart } of this.charts) {
      const points = student ? model.learning : model.losses;
      const last = points.at(-1);
      const value = last ? `now ${formatNumber(last[column])}, in round ${Math.ceil(last[0])}.` : "no value yet.";
      chart.show({ points, marks, rounds, label: `${title}: ${value}` });
    }
    this.table.update();
    const [size, capacity] = model.pool;
    const text = capacity ? `${formatInteger(size)} of ${formatInteger(capacity)} images` : "empty";
    this.poolFill.style.width = capacity ? `${(100 * size) / capacity}%` : "0";
    setText(this.poolCount, text);
    setAttribute(this.pool, "aria-label", capacity ? `The pool holds ${text}.` : "The pool is empty.");
  }

  /** The generator's newest losses, the newest first. */
  tableRows() {
    const newest = this.points.slice(-TABLE_ROWS).reverse();
    return newest.map(([round, ce, bn, adversarial, hit]) =>
      numbersRow(round.toFixed(2), formatNumber(ce), formatNumber(bn), formatNumber(adversarial), formatPercent(hit)),
    );
  }
}
