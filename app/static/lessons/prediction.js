// The question of a lesson: its answers, the right one, and what to notice after that.

import { h, setAttribute } from "../core/dom.js";

/** @import { LabUpdate, Outcome, Prediction } from "../core/types.d.ts" */

/**
 * The values of the first and the last arm: means if there are several seeds; null until both are measured.
 * @param {Pick<LabUpdate, "results" | "means" | "arms">} lab
 * @param {string} measure
 * @returns {[first: number, last: number] | null}
 */
export function compared({ results, means, arms }, measure) {
  const [first, last] = [0, arms.length - 1].map((arm) => {
    const own = results.findLast((result) => result.arm === arm);
    return means[arm]?.[measure]?.[0] ?? own?.[/** @type {"accuracy"} */ (measure)] ?? null;
  });
  return first === null || last === null ? null : [first, last];
}

/**
 * The right answer to a lesson's question.
 * @param {Pick<Prediction, "margin">} predict
 * @param {[first: number, last: number]} measured
 * @returns {Outcome}
 */
export function outcomeOf({ margin }, [first, last]) {
  if (Math.abs(last - first) < margin) return "same";
  return last > first ? "more" : "less";
}

/** The question with its answers, and the conclusion. */
export class PredictionForm {
  /**
   * @param {Prediction} predict
   * @param {number} number of the lesson
   * @param {() => void} onAnswer
   */
  constructor(predict, number, onAnswer) {
    this.predict = predict;
    /** @type {Outcome | ""} */
    this.answer = "";
    this.shown = "";
    const answers = Object.entries(predict.answers).map(([outcome, answer]) => {
      const radio = h("input", { type: "radio", name: `lesson-${number}`, value: outcome });
      radio.addEventListener("change", () => {
        this.answer = /** @type {Outcome} */ (outcome);
        onAnswer();
      });
      return h("label", {}, radio, h("span", {}, answer));
    });
    this.element = h(
      "fieldset",
      { class: "lesson-question" },
      h("legend", {}, h("b", {}, "Predict: "), predict.question),
      ...answers,
    );
    this.concluded = h("div", { class: "lesson-concluded", hidden: true });
  }

  /**
   * Shows whether the prediction was right, and what to notice; hidden before the first measurement.
   * @param {[first: number, last: number] | null} measured
   * @param {string} numbers the values in a sentence
   * @param {string[]} notice
   * @param {HTMLElement | null} link to the next step
   */
  conclude(measured, numbers, notice, link) {
    setAttribute(this.concluded, "hidden", !measured);
    if (!measured) return;
    const right = this.answer === outcomeOf(this.predict, measured);
    const verdict = `Your prediction ${right ? "came" : "did not come"} true.`;
    const text = [...(this.answer ? [verdict] : []), numbers, ...notice].filter(Boolean);
    if (this.shown === text.join("\n")) return;
    this.shown = text.join("\n");
    this.concluded.replaceChildren(
      h("h3", {}, "What to notice"),
      ...text.map((sentence) =>
        h("p", { class: sentence === verdict ? "lesson-said" : "lesson-notice", "data-right": right }, sentence),
      ),
      link ? h("p", {}, link) : "",
    );
  }
}
