// The charts that all arms share: accuracy, the three scales of diversity, and always beside them label hits.

import { LineChart } from "../charts/line_chart.js";
import { ARM_COLORS } from "../core/colors.js";
import { h, setAttribute, setText } from "../core/dom.js";
import { formatNumber, formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { studentMeasure } from "../core/model.js";
import { DIVERSITY_SCALES, diversityValue, LABEL_HIT, SECOND_OPINION } from "./measures.js";

/** @import { ChartOptions, Rule } from "../charts/line_chart.js" */
/** @import { Point, RunModel } from "../core/types.d.ts" */
/** @import { Arm } from "./arm.js" */

/** @typedef {{ arm: number, round: number, value: number }} ArmValue what a point of a chart belongs to */
/** @typedef {readonly [seconds: number, measured: ArmValue]} ArmPoint */
/** @typedef {LineChart<ArmPoint>} ArmChart */

const ACCURACY = { title: "accuracy", about: ["measure/accuracy", "measure/agreement"] };
const SHARE_AXIS = {
  axis: (/** @type {number} */ value) => `${Math.round(100 * value)}`,
  low: 0,
  high: 1,
  height: 200,
  ticks: 4,
};

/** One chart for each measure, with a line for each arm. */
export class ArmCharts {
  /**
   * @param {object} options
   * @param {(arm: number, round: number) => void} options.pick somebody asks for the images behind a point
   * @param {string[]} [options.names] the charts that are shown: accuracy, hit, named, within, across, pool; else all
   */
  constructor({ pick, names }) {
    this.pick = pick;
    this.names = names;
    /** @type {string[]} */
    this.titles = [];
    /** @type {Record<string, ArmChart>} */
    this.charts = {};
    /** @type {WeakMap<ArmChart, WeakMap<Point, ArmPoint | null>>} */
    this.points = new WeakMap(); // of a chart: what it shows of a model's point
    this.element = h("section", { class: "card lab-charts", "aria-label": "Charts of all arms" });
  }

  /** @param {string[]} titles of the arms */
  setArms(titles) {
    this.titles = titles;
    this.charts = {
      accuracy: this.make(ACCURACY, (value) => formatPercent(value, 1), SHARE_AXIS),
      hit: this.make(LABEL_HIT, (value) => formatPercent(value), SHARE_AXIS),
      named: this.make(SECOND_OPINION, (value) => formatPercent(value), SHARE_AXIS),
      ...Object.fromEntries(
        DIVERSITY_SCALES.map((scale) => [
          scale.name,
          this.make(scale, formatNumber, { axis: formatNumber, low: scale.low, height: 140, ticks: 2 }),
        ]),
      ),
    };
    this.element.replaceChildren(...(this.names ? this.chosenCharts(this.names) : this.allCharts()));
  }

  /** @param {string[]} names */
  row(names) {
    return h("div", { class: "lab-row" }, ...names.map((name) => this.charts[name].element));
  }

  /** All charts, with their headings and notes. */
  allCharts() {
    return [
      this.row(["accuracy", "hit", "named"]),
      h("p", { class: "note" }, "In percent, by seconds of computation of the arm."),
      h("div", { class: "lab-title" }, withHelp(h("h3", {}, "Diversity of the images per class"), "panel/diversity")),
      this.row(DIVERSITY_SCALES.map(({ name }) => name)),
      h(
        "p",
        { class: "note" },
        "By the same seconds, with two references: real test images and pure noise. Click a point to see its images. With the keyboard, arrow keys move between points, and Enter shows the images.",
      ),
    ];
  }

  /** @param {string[]} names */
  chosenCharts(names) {
    return [
      this.row(names),
      h(
        "p",
        { class: "note" },
        "By seconds of computation of the arm. Accuracy and label accuracy in percent. Click a point, or press Enter on a focused chart, to see its images.",
      ),
    ];
  }

  /**
   * @param {{ title: string, about: string | string[] }} measure
   * @param {(value: number | null | undefined) => string} format
   * @param {Pick<ChartOptions, "axis" | "low" | "high" | "height" | "ticks">} scale
   */
  make({ title, about }, format, scale) {
    /** @type {ArmChart} */
    const chart = new LineChart({
      title,
      about,
      lines: this.titles.map((name, i) => ({
        name,
        color: ARM_COLORS[i],
        value: ([, measured]) => (measured.arm === i ? measured.value : null),
        format,
        width: 2,
      })),
      x: "seconds",
      label: `${title}: nothing measured yet.`,
      apart: true,
      pick: ([, { arm, round }]) => this.pick(arm, round),
      ...scale,
    });
    this.points.set(chart, new WeakMap());
    return chart;
  }

  /** @param {Arm[]} arms */
  update(arms) {
    const marks = arms.flatMap(({ model, title }) =>
      model.changes.map(([round, text]) => ({
        x: secondsOf(model, round),
        kind: "change",
        text: `${title}: ${text}`,
      })),
    );
    /** @type {(chart: ArmChart, points: ArmPoint[], rules: Rule[]) => void} */
    const show = (chart, points, rules) => {
      const label = `${chart.heading.textContent}: ${this.describe(chart, points)}`;
      chart.show({ points, rules, marks, rounds: 0, label });
    };
    const { accuracy, hit, named } = this.charts;
    const teacher = arms.map(({ model }) => model.teacher_accuracy).find((value) => value !== null) ?? null;
    const classes = arms.map(({ model }) => model.facts?.classes.length).find((count) => count);
    const onTest = studentMeasure(arms[0].model) === "accuracy";
    const rules = [
      ...(teacher === null ? [] : [{ y: teacher, text: `teacher ${formatPercent(teacher, 1)}`, kind: "teacher" }]),
      ...(classes && onTest ? [{ y: 1 / classes, text: "guessing", kind: "chance" }] : []),
    ];
    setText(accuracy.heading, studentMeasure(arms[0].model));
    show(
      accuracy,
      this.gather(accuracy, arms, "measures", (p) => [p[3], p[1] ?? p[2]]),
      rules,
    );
    /** @type {(column: string) => (point: Point) => [number | null, number | null]} */
    const reader = (column) => (p) => [diversityValue(p, "seconds"), diversityValue(p, column)];
    show(hit, this.gather(hit, arms, "diversity", reader("label_hit")), []);
    setAttribute(named.element, "hidden", !arms.some(({ model }) => model.opinions.length)); // no arm has a judge
    show(
      named,
      this.gather(named, arms, "opinions", (p) => [p[3], p[1]]),
      [],
    );
    for (const { name } of DIVERSITY_SCALES) {
      const chart = this.charts[name];
      show(chart, this.gather(chart, arms, "diversity", reader(name)), endRules(arms, name));
    }
  }

  /**
   * The arms' points by their seconds; one point stays one object, so that it can be pointed at while others come.
   * @param {ArmChart} chart
   * @param {Arm[]} arms
   * @param {"measures" | "diversity" | "opinions"} series
   * @param {(point: Point) => [seconds: number | null, value: number | null]} read
   */
  gather(chart, arms, series, read) {
    const known = this.points.get(chart) ?? new WeakMap();
    /** @type {(arm: Arm, point: Point) => ArmPoint | null} */
    const shown = (arm, point) => {
      const before = known.get(point);
      if (before !== undefined) return before;
      const [seconds, value] = read(point);
      const round = Math.round(point[0]) - 1;
      /** @type {ArmPoint | null} */
      const made = seconds === null || value === null ? null : [seconds, { arm: arm.number, round, value }];
      known.set(point, made);
      return made;
    };
    return arms
      .flatMap((arm) => arm.model[series].map((point) => shown(arm, point)))
      .filter((point) => point !== null)
      .sort((a, b) => a[0] - b[0]);
  }

  /**
   * The newest values in words.
   * @param {ArmChart} chart
   * @param {ArmPoint[]} points
   */
  describe(chart, points) {
    const values = this.titles.flatMap((title, i) => {
      const newest = points.findLast(([, { arm }]) => arm === i);
      return newest ? [`${title} ${chart.lines[i].format(newest[1].value)}`] : [];
    });
    return values.length ? `${values.join(", ")}.` : "no measurement yet.";
  }
}

/**
 * The seconds at which an arm's round began, as near as is known.
 * @param {RunModel} model
 * @param {number} round
 */
function secondsOf(model, round) {
  const point = model.diversity.findLast(([x]) => x <= round);
  return diversityValue(point, "seconds") ?? 0;
}

/**
 * What real images and noise come to at a scale: the mean over the arms that have it.
 * @param {Arm[]} arms
 * @param {string} name of the scale
 * @returns {Rule[]}
 */
function endRules(arms, name) {
  const ends = [
    { column: `${name}_real`, title: "real images", kind: "teacher" },
    { column: `${name}_noise`, title: "noise", kind: "chance" },
  ];
  return ends.flatMap(({ column, title, kind }) => {
    const values = arms
      .map(({ model }) => model.diversity.findLast((point) => diversityValue(point, column) !== null))
      .map((point) => diversityValue(point, column))
      .filter((value) => value !== null);
    if (!values.length) return [];
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return [{ y: mean, text: `${title} ${formatNumber(mean)}`, kind }];
  });
}
