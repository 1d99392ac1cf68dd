// The panel with the student's accuracy, or its agreement with the teacher where there are no test images.

import { LineChart } from "../charts/line_chart.js";
import { h, setText } from "../core/dom.js";
import { formatPercent } from "../core/format.js";
import { TEST_IMAGES } from "../core/model.js";
import { marksOf, PLANNED_ROUNDS } from "./marks.js";

/** @import { Line } from "../charts/line_chart.js" */
/** @import { Point, RunModel } from "../core/types.d.ts" */

/** How often the student is right, by round. */
export class AccuracyChart {
  constructor() {
    this.note = h("p", { class: "note" });
    this.slot = h("div", { class: "chart-slot" });
    this.element = h(
      "section",
      { class: "card accuracy", "aria-label": "Accuracy of the student" },
      this.slot,
      this.note,
    );
    this.measuredOn = TEST_IMAGES;
    this.chart = this.make(TEST_IMAGES);
  }

  /**
   * The chart for what the student is measured on.
   * @param {string} measuredOn
   */
  make(measuredOn) {
    const onTest = measuredOn === TEST_IMAGES;
    /** @type {Line} */
    const agreement = {
      name: "agreement with the teacher",
      color: onTest ? "var(--quiet-line)" : "var(--student)",
      value: (point) => point[2],
      format: (value) => formatPercent(value, 1),
      width: onTest ? 1.5 : 2.5,
      dash: onTest ? "3 3" : null,
    };
    /** @type {Line} */
    const accuracy = {
      name: "accuracy",
      color: "var(--student)",
      value: (point) => point[1],
      format: (value) => formatPercent(value, 1),
      width: 2.5,
    };
    const chart = new LineChart({
      title: onTest ? "The student, on real images" : "The student, on held-back samples",
      about: onTest ? ["measure/accuracy", "measure/agreement"] : "measure/agreement",
      height: 208,
      low: 0,
      high: 1,
      ticks: 4,
      axis: (value) => `${Math.round(100 * value)}`,
      lines: onTest ? [accuracy, agreement] : [agreement],
      label: "No measurement yet.",
    });
    this.slot.replaceChildren(chart.element);
    setText(
      this.note,
      onTest
        ? "In percent, by round. Measured on real test images, which serve only for this."
        : "In percent, by round. There are no test images, so this is the agreement of student and teacher on held-back samples.",
    );
    return chart;
  }

  /** @param {RunModel} model */
  update(model) {
    const { facts, teacher_accuracy: teacher } = model;
    const measuredOn = facts?.measured_on ?? TEST_IMAGES;
    if (measuredOn !== this.measuredOn) this.chart = this.make(measuredOn);
    this.measuredOn = measuredOn;
    const rules = [];
    if (facts) rules.push({ y: 1 / facts.classes.length, text: "guessing", kind: "chance" });
    if (teacher !== null) rules.push({ y: teacher, text: `teacher ${formatPercent(teacher, 1)}`, kind: "teacher" });
    const redraws = model.redraws.filter(([, what]) => what !== "generator");
    const marks = [...redraws.map(([round]) => ({ x: round, kind: "redraw" })), ...marksOf(model)];
    const last = model.measures.at(-1);
    const label = last ? describe(last, teacher) : "No measurement yet.";
    this.chart.show({ points: model.measures, rules, marks, rounds: facts?.rounds ?? PLANNED_ROUNDS, label });
  }
}

/**
 * A measurement in a sentence.
 * @param {Point} point
 * @param {number | null} teacher its accuracy
 */
function describe([round, accuracy, agreement], teacher) {
  const parts = [];
  if (accuracy !== null) {
    const against = teacher === null ? "" : `, the teacher on ${formatPercent(teacher, 1)}`;
    parts.push(`the student is correct on ${formatPercent(accuracy, 1)} of the test images${against}`);
  }
  if (agreement !== null) parts.push(`it agrees with the teacher on ${formatPercent(agreement, 1)}`);
  return `After ${Math.round(round)} rounds ${parts.join("; ")}.`;
}
