// The first panel: real images above invented ones, class by class, and three accuracies.

import { classColor } from "../core/colors.js";
import { h, loadImage, setAttribute, setText, showImage } from "../core/dom.js";
import { formatCount, formatInteger, formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { TEST_IMAGES } from "../core/model.js";

/** @import { RunModel, TeacherCard } from "../core/types.d.ts" */

const SHOWN = 10; // classes
const TEACHER = "A trained network. It learned from real images and does not change.";
const STUDENT = "A small network. It learns only from the invented images and the teacher's answers to them.";

/** The two rows and the three numbers. */
export class Overview {
  constructor() {
    /** @type {string[]} */
    this.classes = [];
    /** @type {number[]} */
    this.labels = []; // of the shown classes
    this.real = ""; // the picture of the real images
    this.invented = ""; // of the invented ones
    this.pairs = h("div", { class: "pairs" });
    this.missing = h("p", { class: "note", hidden: true }, "There are no real images of these classes here.");
    this.guess = new Figure("guessing", "");
    this.student = new Figure("student", STUDENT);
    this.teacher = new Figure("teacher", TEACHER);
    this.scale = h("div", { class: "ladder", "aria-hidden": "true" }, h("i"), h("b"), h("b"));
    this.element = h(
      "section",
      { class: "card overview", "aria-label": "What the student learns from, and what it can do" },
      withHelp(h("h3", {}, "Real images, and what the student learns from"), "panel/overview"),
      this.pairs,
      this.missing,
      h("dl", { class: "figures" }, this.guess.element, this.student.element, this.teacher.element),
      this.scale,
    );
  }

  /**
   * Sets the columns and the real images.
   * @param {string[]} classes
   * @param {string} real the address of their real images side by side; empty if there are none
   */
  setClasses(classes, real) {
    if (this.classes.join("\n") === classes.join("\n") && this.real === real) return;
    [this.classes, this.real, this.invented] = [classes, real, ""];
    const count = Math.min(SHOWN, classes.length);
    this.labels = Array.from({ length: count }, (_, i) => Math.floor((i * classes.length) / count));
    setAttribute(this.missing, "hidden", real !== "" || !classes.length);
    this.element.classList.toggle("no-real", real === "");
    this.pairs.style.setProperty("--count", String(count));
    this.pairs.replaceChildren(
      h(
        "div",
        { class: "pair row-names" },
        h("span", { class: "name" }),
        h(
          "span",
          { class: "real" },
          h("b", {}, "Real"),
          h("span", {}, "The student is tested on such images. It never learns from them."),
        ),
        h("span", { class: "invented" }, h("b", {}, "Invented"), h("span", {}, "The student learns from these.")),
      ),
      ...this.labels.map((label) => this.makePair(label)),
    );
    this.showReal();
  }

  /** @param {number} label */
  makePair(label) {
    const name = this.classes[label] ?? "";
    /** @param {string} kind */
    const image = (kind) => h("span", { class: `picture ${kind}`, role: "img", "aria-label": `${name}, ${kind}` });
    const color = `border-color:${classColor(label, this.classes.length)}`;
    return h(
      "div",
      { class: "pair" },
      h("span", { class: "name", style: color, title: name }, name),
      image("real"),
      image("invented"),
    );
  }

  /** @param {string} kind */
  pictures(kind) {
    /** @type {NodeListOf<HTMLElement>} */
    const found = this.pairs.querySelectorAll(`.picture.${kind}`);
    return found;
  }

  /** Shows the real images, once they are loaded. */
  async showReal() {
    const { real, classes } = this;
    if (!real || !(await loadImage(real)) || this.real !== real) return;
    for (const [i, picture] of this.pictures("real").entries())
      showImage(picture, real, this.labels[i] ?? 0, classes.length);
  }

  /**
   * Shows the images that are being made, until there is a finished row.
   * @param {string} url
   * @param {number} count of images side by side: the first classes
   */
  showPreview(url, count) {
    if (!this.invented) this.showInvented(url, count);
  }

  /**
   * @param {string} url
   * @param {number} count
   */
  showInvented(url, count) {
    for (const [i, picture] of this.pictures("invented").entries()) {
      const label = this.labels[i] ?? 0;
      if (label < count) showImage(picture, url, label, count);
    }
  }

  /**
   * @param {RunModel} model
   * @param {(frame: number) => string} urlOf the address of a frame's picture
   * @param {TeacherCard | undefined} teacher
   */
  async update(model, urlOf, teacher) {
    this.showFigures(model, teacher);
    const row = model.rows.at(-1);
    if (!row) {
      if (this.invented || model.state === "empty") this.clear();
      return;
    }
    const url = urlOf(row.frame);
    if (this.invented === url) return;
    this.invented = url;
    if ((await loadImage(url)) && this.invented === url) this.showInvented(url, row.labels.length);
  }

  /** Removes the invented images. */
  clear() {
    this.invented = "";
    for (const picture of this.pictures("invented")) picture.style.backgroundImage = "";
  }

  /**
   * @param {RunModel} model
   * @param {TeacherCard | undefined} card
   */
  showFigures({ facts, measures, teacher_accuracy, thinned }, card) {
    const onTest = (facts?.measured_on ?? TEST_IMAGES) === TEST_IMAGES;
    const classes = facts?.classes.length ?? card?.classes.length ?? 0;
    const guess = classes ? 1 / classes : null;
    const [round, accuracy, agreement] = measures.at(-1) ?? [0, null, null];
    const student = (onTest ? accuracy : agreement) ?? null;
    const teacher = onTest ? (teacher_accuracy ?? card?.accuracy ?? null) : null;
    const first = measures[0]?.[1] ?? null;
    const began =
      thinned && first !== null ? ` It began with a part of the teacher's weights, at ${formatPercent(first)}.` : "";
    const size = facts?.parameters.student ? ` It has ${formatInteger(facts.parameters.student)} weights.` : "";
    const agrees = onTest ? "" : " The number is its agreement with the teacher, because there are no test images.";
    this.guess.show(guess, "", classes ? `One of ${classes} classes, at random.` : "");
    const rounds = round ? `after ${formatCount(Math.round(round), "round")}` : "before it learns";
    this.student.show(student, rounds, STUDENT + size + began + agrees);
    setText(this.student.name, thinned ? "student cut from the teacher" : "student");
    this.teacher.show(teacher, "", TEACHER);
    const [fill, ...marks] = /** @type {HTMLElement[]} */ ([...this.scale.children]);
    if (fill) fill.style.width = `${100 * (student ?? 0)}%`;
    for (const [i, at] of [guess, teacher].entries()) {
      const mark = marks[i];
      if (mark) mark.style.left = `${100 * (at ?? 0)}%`;
      if (mark) setAttribute(mark, "hidden", at === null);
    }
  }
}

/** A large number with its name and what the name means. */
class Figure {
  /**
   * @param {string} name
   * @param {string} meaning
   */
  constructor(name, meaning) {
    this.value = h("strong", {}, "–");
    this.name = h("span", {}, name);
    this.aside = h("small");
    this.meaning = h("span", {}, meaning);
    this.element = h(
      "div",
      { class: `of-${name}` },
      h("dt", {}, this.name, " ", this.aside),
      h("dd", {}, this.value, this.meaning),
    );
  }

  /**
   * @param {number | null} share
   * @param {string} aside
   * @param {string} meaning
   */
  show(share, aside, meaning) {
    setText(this.value, formatPercent(share));
    setText(this.aside, aside);
    setText(this.meaning, meaning);
  }
}
