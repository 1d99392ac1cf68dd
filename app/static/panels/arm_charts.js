// The charts that all arms share: a line for each arm, and with several seeds their mean and a band for their range.

import { LineChart } from "../charts/line_chart.js";
import { ARM_COLORS } from "../core/constants.js";
import { h, setAttribute, setText } from "../core/dom.js";
import { formatNumber, formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { studentMeasure } from "../core/model.js";
import { ARM_MEASURES } from "./measures.js";

/** @import { Rule } from "../charts/line_chart.js" */
/** @import { CurveRow, LabUpdate, RangeRow } from "../core/types.d.ts" */
/** @import { Arm } from "./arm.js" */

/** @typedef {{ arm: number, round: number, value: number, low?: number, high?: number }} ArmValue the arm, round and value of a point */
/** @typedef {readonly [x: number, measured: ArmValue]} ArmPoint */
/** @typedef {LineChart<ArmPoint>} ArmChart */

const UNITS = { work: "work, 10⁹", seconds: "seconds" };

/** One chart for each measure, with a line for each arm. */
export class ArmCharts {
  /**
   * @param {object} options
   * @param {((arm: number, round: number) => void) | null} options.pick called with the arm and round of a chosen point; null if there are none
   * @param {string[]} [options.names] the measures that are shown, else all
   */
  constructor({ pick, names }) {
    this.pick = pick;
    this.names = names;
    /** @type {Record<string, ArmChart>} */
    this.charts = {};
    /** @type {WeakMap<CurveRow | RangeRow, Map<string, ArmPoint>>} */
    this.points = new WeakMap(); // a point stays the same object, so that it stays marked while others are added
    this.note = h("p", { class: "note" });
    this.element = h("section", { class: "card lab-charts", "aria-label": "Charts of all arms" });
  }

  /**
   * @param {string[]} titles of the arms
   * @param {"work" | "seconds"} by the unit of x
   */
  setArms(titles, by) {
    this.titles = titles;
    this.charts = Object.fromEntries(
      ARM_MEASURES.map((measure) => [measure.name, this.make(measure, titles, UNITS[by])]),
    );
    /** @param {string[]} names */
    const row = (names) => h("div", { class: "lab-row" }, ...names.map((name) => this.charts[name].element));
    const all = ARM_MEASURES.map(({ name }) => name);
    const parts = this.names
      ? [row(this.names)]
      : [
          row(all.slice(0, 3)),
          h(
            "div",
            { class: "lab-title" },
            withHelp(h("h3", {}, "Diversity of the images per class"), "panel/diversity"),
          ),
          row(all.slice(3)),
        ];
    this.element.replaceChildren(...parts, this.note);
  }

  /**
   * @param {(typeof ARM_MEASURES)[number]} measure
   * @param {string[]} titles
   * @param {string} unit
   */
  make({ title, about, format, low, high }, titles, unit) {
    /** @type {ArmChart} */
    const chart = new LineChart({
      title,
      about,
      lines: titles.map((name, i) => ({
        name,
        color: ARM_COLORS[i],
        value: ([, measured]) => (measured.arm === i ? measured.value : null),
        band: ([, { arm, low: lowest, high: highest }]) =>
          arm === i && lowest !== undefined && highest !== undefined ? [lowest, highest] : null,
        format,
        width: 2,
      })),
      x: unit,
      label: `${title}: nothing measured yet.`,
      apart: true,
      pick: this.pick && (([, { arm, round }]) => this.pick?.(arm, round)),
      axis: (value) => (high ? `${Math.round(100 * value)}` : formatNumber(value)),
      low,
      high,
      height: high ? 200 : 140,
      ticks: high ? 4 : 2,
    });
    return chart;
  }

  /**
   * @param {LabUpdate} lab
   * @param {Arm[]} arms
   * @param {LabUpdate["ranges"]} ranges over the finished seeds; null with one seed
   * @param {number} until shows the points up to there
   */
  update(lab, arms, ranges, until) {
    const at = lab.by === "work" ? 1 : 2;
    const marks = arms.flatMap(({ model, title, curve }) =>
      model.changes.map(([round, text]) => ({
        x: curve.findLast((row) => (row[0] ?? 0) < round)?.[at] ?? 0,
        kind: "change",
        text: `${title}: ${text}`,
      })),
    );
    const [{ model }] = arms;
    setText(this.charts.accuracy.heading, studentMeasure(model));
    setAttribute(this.charts.named.element, "hidden", !lab.results.some(({ named }) => named !== null));
    for (const { name, column } of ARM_MEASURES) {
      const chart = this.charts[name];
      const points = arms
        .flatMap((arm, i) => {
          if (ranges) return ranges[i][name].map((row) => this.point(row, name, rangePoint(row, i)));
          const rows = arm.curve.filter((row) => row[column] !== null);
          return rows.map((row) => this.point(row, name, [row[at] ?? 0, seedValue(row, column, i)]));
        })
        .filter(([x]) => x <= until)
        .sort((a, b) => a[0] - b[0]);
      const label = `${chart.heading.textContent}: ${describe(chart, points)}`;
      chart.show({ points, rules: this.rules(lab, arms, name), marks, rounds: lab.limit, label });
    }
    setText(this.note, this.describe(lab, ranges !== null));
  }

  /**
   * The point of a row; the same object for each call.
   * @param {CurveRow | RangeRow} row
   * @param {string} name
   * @param {ArmPoint} made
   */
  point(row, name, made) {
    const known = this.points.get(row) ?? new Map();
    this.points.set(row, known);
    if (!known.has(name)) known.set(name, made);
    return /** @type {ArmPoint} */ (known.get(name));
  }

  /**
   * The levels across a chart: the teacher and guessing, or real images and noise.
   * @param {LabUpdate} lab
   * @param {Arm[]} arms
   * @param {string} name
   * @returns {Rule[]}
   */
  rules({ references }, arms, name) {
    const [real, noise] = references[name] ?? [null, null];
    const teacher = arms.map(({ model }) => model.teacher_accuracy).find((value) => value !== null) ?? null;
    const count = arms.map(({ model }) => model.facts?.classes.length).find(Boolean);
    const onTest = studentMeasure(arms[0].model) === "accuracy";
    /** @type {[y: number | null, text: string, kind: string, shown: boolean][]} */
    const levels = [
      [teacher, `teacher ${formatPercent(teacher, 1)}`, "teacher", name === "accuracy"],
      [count ? 1 / count : null, "guessing", "chance", name === "label_accuracy" || (name === "accuracy" && onTest)],
      [real, `real images ${formatNumber(real)}`, "teacher", true],
      [noise, `noise ${formatNumber(noise)}`, "chance", true],
    ];
    return levels.flatMap(([y, text, kind, shown]) => (y === null || !shown ? [] : [{ y, text, kind }]));
  }

  /**
   * The text for screen readers about the lines and the keys.
   * @param {LabUpdate} lab
   * @param {boolean} hasRanges
   */
  describe({ by, counted, seeds }, hasRanges) {
    const what = hasRanges
      ? counted.length > 1
        ? `Lines: the mean of ${counted.length} seeds. Bands: from the lowest to the highest seed.`
        : `Lines: seed ${counted[0]}, the first that is done.`
      : seeds.length > 1
        ? "Lines: the present seed. Means follow when a seed is done."
        : `Lines: seed ${seeds[0]}.`;
    const unit =
      by === "work" ? "By work of the arm, in billions of multiply-adds." : "By seconds of computation of the arm.";
    const images = this.pick ? " Click a point, or press Enter on a focused chart, to see images." : "";
    return `${what} ${unit} Shares in percent.${images}`;
  }
}

/**
 * @param {RangeRow} row
 * @param {number} arm
 * @returns {ArmPoint}
 */
function rangePoint([x, value, low, high, round], arm) {
  return [x, { arm, round, value, low, high }];
}

/**
 * @param {CurveRow} row
 * @param {number} column
 * @param {number} arm
 * @returns {ArmValue}
 */
function seedValue(row, column, arm) {
  return { arm, round: row[0] ?? 0, value: row[column] ?? 0 };
}

/**
 * The newest values in words.
 * @param {ArmChart} chart
 * @param {ArmPoint[]} points
 */
function describe(chart, points) {
  const values = chart.lines.flatMap(({ name, format }, i) => {
    const newest = points.findLast(([, { arm }]) => arm === i)?.[1];
    if (!newest) return [];
    const { value, low, high } = newest;
    const range = low === undefined || low === high ? "" : ` (${format(low)} to ${format(high)})`;
    return [`${name} ${format(value)}${range}`];
  });
  return values.length ? `${values.join(", ")}.` : "no measurement yet.";
}
