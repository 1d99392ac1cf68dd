// The lesson on names: a map and the cosines of typed names, with the same table and BatchNorm as in a run.

import { EmbeddingMap } from "../charts/embedding_map.js";
import { HeatmapPair } from "../charts/heatmap_pair.js";
import { h, labeled, setAttribute, setText } from "../core/dom.js";
import { EmbeddingQuery } from "../core/embedding_query.js";
import { formatCosine } from "../core/format.js";
import { helpButton } from "../core/help.js";
import { Notice } from "../core/notice.js";
import { PredictionForm } from "./prediction.js";

/** @import { EmbeddingAnswer, Lesson } from "../core/types.d.ts" */

/** A lesson with a list of names and a table to choose. */
export class NamesLesson {
  /**
   * @param {object} options
   * @param {Lesson} options.lesson
   * @param {number} options.number
   * @param {() => boolean} options.isShown whether this lesson is shown
   */
  constructor({ lesson, number, isShown }) {
    this.lesson = lesson;
    this.isShown = isShown;
    this.asked = false;
    this.notice = new Notice();
    this.query = new EmbeddingQuery({
      notice: this.notice,
      button: "Show the names",
      onAnswer: (answer) => this.show(answer),
    });
    /** @type {EmbeddingAnswer | null} */
    this.answer = null;
    this.question = new PredictionForm(lesson.predict, number, () => this.conclude());
    this.concluded = this.question.concluded;
    const { label, options } = lesson.choice;
    this.typed = h("textarea", { rows: 5 }, lesson.names.join("\n"));
    this.table = h(
      "select",
      { onchange: () => this.press() },
      ...options.map(({ label: title, changes }) => h("option", { value: String(changes.latent) }, title)),
    );
    this.facts = h("p", { class: "note", role: "status" });
    this.controls = h(
      "div",
      { class: "lesson-control" },
      labeled("Class names, one per line", this.typed),
      labeled(label, this.table),
      this.question.element,
      h(
        "div",
        { class: "choices" },
        h("button", { type: "button", class: "primary lesson-run", onclick: () => this.press() }, "▶ Show the names"),
        helpButton(["control/names", "setting/latent"], "class names and embedding tables"),
      ),
      this.facts,
      this.notice.element,
    );
    this.map = new EmbeddingMap({
      title: "Map of the names",
      about: "panel/map",
      legend: [["round", "embedding of a name"]],
      notes: {
        pca: "A 2-D projection (PCA) of the embeddings. Points that are close here may be far apart in the full space.",
      },
    });
    this.heatmaps = new HeatmapPair({ focus: (pair) => this.map.highlight(pair) });
    this.element = h("div", { class: "lesson-live" }, this.map.element, this.heatmaps.element);
  }

  /** Sends the first request when the lesson is shown. */
  appear() {
    if (!this.asked && this.isShown()) this.press();
  }

  /** Requests the embeddings of the typed names. */
  press() {
    this.asked = true;
    const { prompt, encoder } = this.lesson;
    this.query.ask({ typed: this.typed.value, prompt, latent: this.table.value, encoder });
  }

  /** @param {EmbeddingAnswer} answer */
  show(answer) {
    const { names } = answer.asked;
    setText(this.facts, `${names.length} names, ${answer.width} numbers each. ${answer.source}`);
    this.map.update({ facts: { classes: names, anchors: answer.anchors }, outputs: [], samples: [] });
    this.heatmaps.show(answer);
    setAttribute(this.element, "data-state", "finished");
    this.answer = answer;
    this.conclude();
  }

  /** The observations about the table, once the visitor has answered the question. */
  conclude() {
    const { answer, lesson, question } = this;
    if (!answer || !question.answer) return;
    const [before, after] = [answer.before.mean, answer.after.mean];
    const numbers = `The mean cosine between two names is ${formatCosine(before)} before BatchNorm and ${formatCosine(after)} after it.`;
    question.conclude([before, after], numbers, [lesson.notice], null);
  }
}
