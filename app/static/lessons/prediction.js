// The question of a lesson: its answers, which of them is right, and what to notice once that is known.

import { h, setAttribute } from "../core/dom.js";

/** @import { LabUpdate, Outcome, Prediction } from "../core/types.d.ts" */

/**
 * The values of the first and the last arm: means where there are several seeds; null until both are measured.
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

/** The question with its answers, and what is concluded. */
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
   * Says whether the prediction came true, and what to notice; hidden while nothing is measured.
   * @param {[first: number, last: number] | null} measured
   * @param {string} numbers the values in a sentence
   * @param {string[]} notice
   * @param {HTMLElement | null} link where to go on
   */
  conclude(measured, numbers, notice, link) {
    setAttribute(this.concluded, "hidden", !measured);
    if (!measured) return;
    const right = this.answer === outcomeOf(this.predict, measured);
    const said = `Your prediction ${right ? "came" : "did not come"} true.`;
    const text = [...(this.answer ? [said] : []), numbers, ...notice].filter(Boolean);
    if (this.shown === text.join("\n")) return;
    this.shown = text.join("\n");
    this.concluded.replaceChildren(
      h("h3", {}, "What to notice"),
      ...text.map((sentence) =>
        h("p", { class: sentence === said ? "lesson-said" : "lesson-notice", "data-right": right }, sentence),
      ),
      link ? h("p", {}, link) : "",
    );
  }
}
