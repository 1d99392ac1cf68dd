// The panel with the student's accuracy, or its agreement with the teacher if there are no test images.

import { LineChart } from "../charts/line_chart.js";
import { h, setText } from "../core/dom.js";
import { formatPercent } from "../core/format.js";
import { TEST_IMAGES } from "../core/model.js";
import { marksOf, PLANNED_ROUNDS } from "./marks.js";

/** @import { Line } from "../charts/line_chart.js" */
/** @import { Point, RunModel } from "../core/types.d.ts" */

/** The student's accuracy by round. */
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
    this.thinned = false;
    this.chart = this.make(TEST_IMAGES, false);
  }

  /**
   * The chart for the images on which the student is measured.
   * @param {string} measuredOn
   * @param {boolean} thinned whether the student started with weights of its teacher
   */
  make(measuredOn, thinned) {
    const who = thinned ? "The student cut from the teacher" : "The student";
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
      name: thinned ? "accuracy of the student cut from the teacher" : "accuracy",
      color: "var(--student)",
      value: (point) => point[1],
      format: (value) => formatPercent(value, 1),
      width: 2.5,
    };
    const chart = new LineChart({
      title: `${who}, on ${onTest ? "real images" : "held-back samples"}`,
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
        ? "In percent. Measured on real test images, which serve only for this."
        : "In percent. There are no test images, so this is the agreement of student and teacher on held-back samples.",
    );
    return chart;
  }

  /** @param {RunModel} model */
  update(model) {
    const { facts, teacher_accuracy: teacher } = model;
    const measuredOn = facts?.measured_on ?? TEST_IMAGES;
    if (measuredOn !== this.measuredOn || model.thinned !== this.thinned)
      this.chart = this.make(measuredOn, model.thinned);
    this.measuredOn = measuredOn;
    this.thinned = model.thinned;
    const rules = [];
    if (facts) {
      const guess = 1 / facts.classes.length;
      rules.push({ y: guess, text: `guessing ${formatPercent(guess)}`, kind: "chance" });
    }
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
