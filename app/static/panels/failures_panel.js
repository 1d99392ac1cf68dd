// The errors of the student: accuracy by class, the confusion matrices of student and teacher, and the test images.

import { Heatmap } from "../charts/heatmap.js";
import { NumbersTable, numbersRow } from "../charts/numbers_table.js";
import { h, isVisible, setAttribute, setText, showImage, watchVisibility } from "../core/dom.js";
import { formatCount, formatInteger, formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { HELD_BACK_SAMPLES } from "../core/model.js";
import { Poller } from "../core/poller.js";
import { classAt, confusion, mergeAnswers, NO_ANSWERS, placesOf } from "./answers.js";

/** @import { Pair } from "../charts/heatmap.js" */
/** @import { Answers, AnswersUpdate, PickedAnswers } from "../core/types.d.ts" */

/**
 * The shown run.
 * @typedef {object} ExaminedRun
 * @property {string} address
 * @property {string[]} classes
 * @property {string | undefined} measuredOn undefined before the run has started
 * @property {number} until the rounds before the latest measurement; −1 before the first
 * @property {boolean} ended whether there are no more updates
 */

/** @typedef {"student" | "teacher"} Network */

const AT_ONCE = 24; // images that are added at a time; a picture has at most 60
const TABLE_ROWS = 100;
/** @type {Network[]} */
const NETWORKS = ["student", "teacher"];

/** The panel. It requests data only while it is visible. */
export class FailuresPanel {
  constructor() {
    /** @type {ExaminedRun | null} */
    this.run = null;
    this.answers = NO_ANSWERS;
    /** @type {Poller<AnswersUpdate> | null} */
    this.poller = null;
    this.drawn = "";
    /** @type {number | null} */
    this.round = null; // the chosen round; null follows the newest
    this.worst = false; // whether the classes are in the order of their accuracy
    /** @type {PickedAnswers | null} */
    this.choice = null;
    this.count = AT_ONCE;
    this.student = ""; // the student's answers that are shown
    /** @type {Record<Network, Uint32Array>} */
    this.counts = { student: new Uint32Array(), teacher: new Uint32Array() };
    /** @type {ClassBar[]} */
    this.bars = [];
    this.why = h("p", { class: "note" });
    this.slider = h("input", { type: "range", min: 0, "aria-label": "Round", oninput: () => this.scrub() });
    this.after = h("output", { class: "figure" });
    this.order = h(
      "button",
      { type: "button", "aria-pressed": "false", onclick: () => this.arrange() },
      "Worst class first",
    );
    this.summary = h("p", { class: "fail-summary" });
    this.list = h("ol", { class: "class-bars" });
    this.heatmaps = NETWORKS.map(
      (who) =>
        new Heatmap({
          title: `Answers of the ${who}`,
          point: (pair) => this.point(pair),
          pick: ([row, column]) => this.choose({ row, column, who }),
        }),
    );
    this.readout = h("p", { class: "readout", "aria-live": "polite" });
    this.about = h("p", { "aria-live": "polite" });
    this.all = h("button", { type: "button", onclick: () => this.choose(null) }, "All differences");
    this.more = h("button", { type: "button", onclick: () => this.showMore() }, "More images");
    this.gallery = h("div", { class: "fail-gallery" });
    this.lost = h("p", { class: "note" });
    this.table = new NumbersTable(["class", "answer", "student", "teacher"], () => this.tableRows(), {
      summary: "Most frequent wrong answers",
    });
    this.content = h(
      "div",
      { hidden: true },
      h("div", { class: "fail-round" }, this.slider, this.after, this.order),
      this.summary,
      h(
        "div",
        { class: "fail-grid" },
        h("div", {}, h("h4", {}, "Accuracy by class"), this.list),
        ...this.heatmaps.map(({ element }) => element),
      ),
      h(
        "p",
        { class: "note" },
        "Rows: the true class. Columns: the answer. Blue is right, orange is wrong. S: student. T: teacher.",
      ),
      this.readout,
      h("div", { class: "choices fail-head" }, this.about, this.all),
      this.gallery,
      this.lost,
      this.more,
      this.table.element,
    );
    this.element = h(
      "section",
      { class: "card failures heatmaps", "aria-label": "Where the student fails" },
      withHelp(h("h3", {}, "Where the student fails"), "panel/failures"),
      this.why,
      this.content,
    );
    watchVisibility(this.element, (visible) => visible && this.poller?.pollNow());
    this.point(null);
  }

  /** @param {ExaminedRun} run */
  update(run) {
    if (this.run?.address !== run.address) {
      this.poller?.close();
      this.poller = null;
      this.answers = NO_ANSWERS;
      this.round = null;
      this.choice = null;
    }
    this.run = run;
    const revived = this.poller?.closed && !run.ended;
    if (run.until >= 0 && (!this.poller || revived)) this.follow(run.address);
    this.draw();
  }

  /**
   * Requests the answers of a run while the panel is visible.
   * @param {string} address
   */
  follow(address) {
    this.poller?.close();
    this.poller = new Poller({
      address,
      path: "answers",
      onUpdate: (update) => this.take(update),
      onGone: () => {},
      onConnection: () => {},
      isVisible: () => isVisible(this.element),
    });
  }

  /** @param {AnswersUpdate} update */
  take(update) {
    this.answers = mergeAnswers(this.answers, update);
    this.draw();
  }

  /** The rounds up to the shown one. */
  get rounds() {
    const until = this.run?.until ?? -1;
    return this.answers.rounds.filter(([learned]) => learned <= until);
  }

  /** Shows the round of the slider; at its end the panel follows the newest. */
  scrub() {
    const at = Number(this.slider.value);
    this.round = at < Number(this.slider.max) ? this.rounds[at][0] : null;
    this.draw();
  }

  /** Switches to the other order of the classes. */
  arrange() {
    this.worst = !this.worst;
    setAttribute(this.order, "aria-pressed", String(this.worst));
    this.draw();
  }

  /** @param {PickedAnswers | null} choice of images */
  choose(choice) {
    this.choice = choice;
    this.count = AT_ONCE;
    this.draw();
    this.point(choice && [choice.row, choice.column]);
  }

  /** Shows more images. */
  showMore() {
    this.count += AT_ONCE;
    this.draw();
  }

  /** Draws the present state, if it has changed. */
  draw() {
    const { rounds, run } = this;
    const chosen = this.round;
    const at = chosen === null ? rounds.length - 1 : rounds.findLastIndex(([learned]) => learned <= chosen);
    const [learned, student] = rounds[Math.max(0, at)] ?? [0, ""];
    setText(this.why, student ? "" : whyEmpty(run, this.answers));
    setAttribute(this.why, "hidden", student);
    setAttribute(this.content, "hidden", !student);
    if (!student || !run) return;
    setAttribute(this.slider, "max", rounds.length - 1);
    this.slider.value = String(at);
    const after = learned ? `after ${formatCount(learned, "round")}` : "before it learns";
    setText(this.after, after);
    setAttribute(this.slider, "aria-valuetext", after);
    const drawn = JSON.stringify([run.address, learned, this.worst, this.choice, this.count]);
    if (this.drawn === drawn && this.student === student) return;
    this.drawn = drawn;
    this.student = student;
    this.drawCounts(run.classes);
    this.drawGallery(run);
    this.table.update();
  }

  /** @param {string[]} classes */
  drawCounts(classes) {
    const { labels, teacher, images } = this.answers;
    const k = classes.length;
    this.counts = { student: confusion(labels, this.student, k), teacher: confusion(labels, teacher, k) };
    const totals = classes.map((_, row) => this.counts.teacher.slice(row * k, row * k + k).reduce((a, b) => a + b, 0));
    /** @type {(who: Network, row: number) => number} */
    const right = (who, row) => this.counts[who][row * k + row] / Math.max(1, totals[row]);
    const order = classes.map((_, row) => row);
    if (this.worst) order.sort((a, b) => right("student", a) - right("student", b));
    if (this.bars.length !== k || this.bars[0].name !== classes[0])
      this.bars = classes.map(
        (name, row) => new ClassBar(name, () => this.choose({ row, column: -1, who: "student" })),
      );
    for (const [row, bar] of this.bars.entries())
      bar.show(right("student", row), right("teacher", row), this.choice?.row === row && this.choice.column < 0);
    const items = order.map((row) => this.bars[row].element);
    if (items.some((item, i) => this.list.children[i] !== item)) this.list.replaceChildren(...items);
    for (const [i, who] of NETWORKS.entries()) {
      /** @type {(row: number, column: number) => number} */
      const share = (row, column) => this.counts[who][row * k + column] / Math.max(1, totals[row]);
      this.heatmaps[i].show(
        {
          names: classes,
          order,
          // The square root makes rare errors visible.
          value: (row, column) => (row === column ? -share(row, column) : Math.sqrt(share(row, column))),
          text: (row, column) => String(this.counts[who][row * k + column] || ""),
        },
        `${formatPercent(this.shareRight(who), 1)} of ${labels.length} images are right. Arrow keys move; Enter shows the images.`,
      );
      this.heatmaps[i].mark(this.choice && [this.choice.row, this.choice.column]);
    }
    const differ = placesOf(this.answers, this.student, null).length;
    const some = images > labels.length ? ` (${formatInteger(labels.length)} of ${formatInteger(images)})` : "";
    const [s, t] = NETWORKS.map((who) => formatPercent(this.shareRight(who), 1));
    setText(
      this.summary,
      `The student is right on ${s} of ${formatCount(labels.length, "test image")}${some}, the teacher on ${t}. They differ on ${formatInteger(differ)}.`,
    );
  }

  /** @param {Network} who */
  shareRight(who) {
    const { labels, teacher } = this.answers;
    const answers = who === "student" ? this.student : teacher;
    return Array.from(labels).filter((label, place) => label === answers[place]).length / labels.length;
  }

  /** @param {ExaminedRun} run */
  drawGallery({ address, classes }) {
    const { choice } = this;
    const places = placesOf(this.answers, this.student, choice);
    const focused = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.place : undefined;
    setText(this.about, `${formatCount(places.length, "image")}${describe(choice, classes)}.`);
    setAttribute(this.all, "hidden", choice === null);
    setAttribute(this.more, "hidden", places.length <= this.count);
    setText(this.lost, "");
    const shown = places.slice(0, this.count);
    const tiles = [];
    for (let from = 0; from < shown.length; from += AT_ONCE) {
      const some = shown.slice(from, from + AT_ONCE);
      const url = `${address}/tested.jpg?places=${some}`;
      if (!from) this.check(url);
      tiles.push(...some.map((place, i) => this.tile(place, classes, url, i, some.length)));
    }
    this.gallery.replaceChildren(...tiles);
    tiles.find(({ dataset }) => focused && dataset.place === focused)?.focus();
  }

  /**
   * An image with its class and both answers; a click marks its square in the matrices.
   * @param {number} place
   * @param {string[]} classes
   * @param {string} url of the picture
   * @param {number} index in it
   * @param {number} count of images in it
   */
  tile(place, classes, url, index, count) {
    const { labels, teacher } = this.answers;
    const [row, studentClass, teacherClass] = [labels, this.student, teacher].map((text) => classAt(text, place));
    const picture = h("i", {});
    showImage(picture, url, index, count);
    const sentence = `${classes[row]}: the student says ${classes[studentClass]}, the teacher ${classes[teacherClass]}`;
    return h(
      "button",
      {
        type: "button",
        "aria-label": sentence,
        title: sentence,
        "data-place": place,
        onclick: () => this.choose({ row, column: studentClass, who: "student" }),
      },
      picture,
      h("span", { class: "name" }, classes[row]),
      h("span", { class: studentClass === row ? "name" : "name wrong" }, `S ${classes[studentClass]}`),
      h("span", { class: teacherClass === row ? "name" : "name wrong" }, `T ${classes[teacherClass]}`),
    );
  }

  /**
   * Shows the reason if the server has no pictures.
   * @param {string} url
   */
  async check(url) {
    const answer = await fetch(url).catch(() => null);
    if (answer?.status !== 200) setText(this.lost, "The server has no pictures of these test images now.");
  }

  /** @param {Pair | null} pair that is marked in both matrices */
  point(pair) {
    for (const heatmap of this.heatmaps) heatmap.mark(pair ?? (this.choice && [this.choice.row, this.choice.column]));
    const { classes = [] } = this.run ?? {};
    const [row, column] = pair ?? [-1, -1];
    if (row < 0 || column < 0) {
      setText(this.readout, "Point at a square. A click or Enter shows its images.");
      return;
    }
    const [student, teacher] = NETWORKS.map((who) => this.counts[who][row * classes.length + column] ?? 0);
    this.readout.replaceChildren(
      ...[h("bdi", {}, classes[row]), " gets the answer ", h("bdi", {}, classes[column])],
      `: from the student ${formatCount(student, "time")}, from the teacher ${formatCount(teacher, "time")}.`,
    );
  }

  /** The most frequent wrong answers of the student. */
  tableRows() {
    const { classes = [] } = this.run ?? {};
    const k = classes.length;
    const { student, teacher } = this.counts;
    const wrong = Array.from(student.keys()).filter((at) => student[at] && Math.floor(at / k) !== at % k);
    wrong.sort((a, b) => student[b] - student[a]);
    return wrong
      .slice(0, TABLE_ROWS)
      .map((at) => numbersRow(classes[Math.floor(at / k)], classes[at % k], String(student[at]), String(teacher[at])));
  }
}

/** One class: the student's accuracy as a bar, the teacher's as a line. A click shows the errors. */
class ClassBar {
  /**
   * @param {string} name
   * @param {() => void} onclick
   */
  constructor(name, onclick) {
    this.name = name;
    this.bar = h("i");
    this.line = h("b");
    this.share = h("span", { class: "share" });
    this.button = h(
      "button",
      { type: "button", onclick },
      h("span", { class: "name" }, name),
      h("span", { class: "level" }, this.bar, this.line),
      this.share,
    );
    this.element = h("li", {}, this.button);
  }

  /**
   * @param {number} student 0 to 1
   * @param {number} teacher 0 to 1
   * @param {boolean} chosen
   */
  show(student, teacher, chosen) {
    this.bar.style.width = `${100 * student}%`;
    this.line.style.left = `${100 * teacher}%`;
    setText(this.share, formatPercent(student));
    setAttribute(this.button, "aria-pressed", String(chosen));
    setAttribute(
      this.button,
      "aria-label",
      `${this.name}: student ${formatPercent(student)}, teacher ${formatPercent(teacher)}`,
    );
  }
}

/**
 * The reason why there is nothing to show.
 * @param {ExaminedRun | null} run
 * @param {Answers} answers
 */
function whyEmpty(run, { rounds }) {
  if (run?.measuredOn === HELD_BACK_SAMPLES)
    return "This teacher has no labeled test images here, so nobody can say which answers are wrong.";
  if (!run?.measuredOn || run.until < 0 || rounds.length) return "The answers come with the first evaluation of a run.";
  return "This run does not hold the answers of its student. Runs of this version do.";
}

/**
 * @param {PickedAnswers | null} choice
 * @param {string[]} classes
 */
function describe(choice, classes) {
  if (!choice) return " on which student and teacher differ";
  const { row, column, who } = choice;
  if (column < 0) return ` of the class “${classes[row]}” that the student gets wrong`;
  return ` of the class “${classes[row]}” for which the ${who} says “${classes[column]}”`;
}
