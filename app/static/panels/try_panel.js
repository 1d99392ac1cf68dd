// Try it yourself: a drawing, a real test image or a photo, and the networks' answers side by side.

import { h, setAttribute, setText } from "../core/dom.js";
import { formatCount, formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { DrawingPad } from "./drawing_pad.js";
import { formOf, toForm, toPicture } from "./image_form.js";

/** @import { TrialAnswer } from "../core/types.d.ts" */
/** @import { ImageForm } from "./image_form.js" */
/** @import { Asked as Networks, Mistake } from "./networks.js" */

const SHOWN = 3; // classes of each network
const WHILE_DRAWING = 120; // ms between two requests during a stroke
const WHILE_LEARNING = 900; // ms between two requests while the student learns
const LARGEST_FILE = 30 * 2 ** 20; // bytes of a photo; it never leaves the browser
const PICTURE_SIDE = 1200; // px: the largest side of a decoded photo
/** @type {["untrained" | "student" | "teacher", string][]} */
const NETWORKS = [
  ["untrained", "Student before learning"],
  ["student", "Student now"],
  ["teacher", "Teacher"],
];

/**
 * The networks that answer, and their images.
 * @typedef {object} Asked
 * @property {Networks} networks
 * @property {string[]} classes
 * @property {number[]} shape of the images: channels, rows, columns
 * @property {string} teacher its name
 * @property {number} rounds that the student has learned from
 */

/** The pad, the choice of images, and the answers. */
export class TryPanel {
  constructor() {
    /** @type {Asked | null} */
    this.asked = null;
    /** @type {ImageForm} */
    this.form = formOf([3, 32, 32], "");
    /** @type {number[] | null} */
    this.pixels = null;
    this.truth = ""; // the class of a real image
    this.busy = false;
    this.again = false;
    this.lastAsked = 0;
    this.reportsAnswer = false; // whether the next answer is reported to screen readers
    /** @type {number | undefined} */
    this.timer = undefined;
    this.pad = new DrawingPad({ onDraw: (finished) => this.handleDrawing(finished) });
    this.seen = h("canvas", { class: "seen", role: "img", "aria-label": "What the network sees: nothing yet" });
    this.about = h("p", { class: "note" });
    this.choice = h("select", { "aria-label": "Class of the test image" });
    this.file = h("input", { type: "file", accept: "image/*", class: "visually-hidden", tabindex: -1 });
    this.file.setAttribute("aria-hidden", "true");
    this.file.addEventListener("change", () => this.takeFile(this.file.files?.[0]));
    this.answers = h("div", { class: "answers" });
    this.sentence = h("p", { class: "note sentence" });
    this.mistake = h("p", { class: "notice", role: "alert", hidden: true });
    this.spoken = h("p", { class: "visually-hidden", role: "status" });
    this.columns = NETWORKS.map(([, title]) => new Answer(title));
    this.answers.append(...this.columns.map(({ element }) => element));
    this.element = h(
      "section",
      { class: "card try", "aria-label": "Try it yourself" },
      withHelp(h("h3", {}, "Try it yourself"), "panel/try"),
      h(
        "div",
        { class: "try-grid" },
        this.pad.element,
        h(
          "div",
          { class: "try-tools" },
          h("button", { type: "button", onclick: () => this.clear() }, "Clear"),
          h("button", { type: "button", onclick: () => this.file.click() }, "Photo or file…"),
          this.file,
          h(
            "div",
            { class: "choices" },
            h("button", { type: "button", class: "real", onclick: () => this.takeReal() }, "Real test image"),
            this.choice,
          ),
        ),
        h("div", { class: "seen-place" }, this.seen, h("div", {}, h("h4", {}, "What the network sees"), this.about)),
        this.answers,
      ),
      this.sentence,
      this.mistake,
      this.spoken,
    );
    this.listenForPictures();
    this.showSeen();
  }

  /** Accepts pictures that are dropped on the panel, or pasted while it has the focus or is under the pointer. */
  listenForPictures() {
    this.element.addEventListener("dragover", (event) => {
      event.preventDefault();
      this.element.classList.add("over");
    });
    this.element.addEventListener("dragleave", () => this.element.classList.remove("over"));
    this.element.addEventListener("drop", (event) => {
      event.preventDefault();
      this.element.classList.remove("over");
      this.takeFile(event.dataTransfer?.files[0]);
    });
    document.addEventListener("paste", (event) => {
      const file = [...(event.clipboardData?.files ?? [])].find(({ type }) => type.startsWith("image/"));
      if (file && this.element.getClientRects().length) this.takeFile(file);
    });
  }

  /** @param {Asked} asked */
  update(asked) {
    const before = this.asked;
    this.asked = asked;
    if (!before || String(before.classes) !== String(asked.classes)) this.setClasses(asked.classes);
    const form = formOf(asked.shape, asked.teacher);
    if (String(Object.values(form)) !== String(Object.values(this.form)) || !before) {
      this.form = form;
      this.pad.setColor(form.channels === 3);
      this.clear();
      setText(this.about, aboutForm(form));
    }
    if (!before || before.networks.key !== asked.networks.key) {
      for (const column of this.columns) column.show(null, [], "");
      setText(this.sentence, "");
      this.ask();
    } else if (before.rounds !== asked.rounds) this.askLater(WHILE_LEARNING);
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    const any = h("option", { value: "" }, "any class");
    this.choice.replaceChildren(any, ...classes.map((name, label) => h("option", { value: label }, name)));
  }

  /** Clears the pad and the answers. */
  clear() {
    this.pad.wipe();
    this.setPixels(null);
    for (const column of this.columns) column.show(null, [], "");
  }

  /** @param {boolean} finished */
  handleDrawing(finished) {
    if (finished) {
      this.reportsAnswer = true;
      this.setPixels(this.pad.touched ? toForm(this.pad.picture(), this.form) : null);
      this.ask();
    } else if (this.timer === undefined)
      this.askLater(WHILE_DRAWING, () => this.setPixels(toForm(this.pad.picture(), this.form)));
  }

  /**
   * @param {number[] | null} pixels
   * @param {string} [truth]
   */
  setPixels(pixels, truth = "") {
    this.pixels = pixels;
    this.truth = truth;
    this.showMistake("");
    this.showSeen();
  }

  /** Draws the image as the network gets it. */
  showSeen() {
    const { size } = this.form;
    this.seen.width = size;
    this.seen.height = size;
    const pixels = this.pixels ?? new Array(this.form.channels * size * size).fill(this.form.channels === 3 ? 255 : 0);
    this.seen.getContext("2d")?.putImageData(new ImageData(toPicture(pixels, this.form), size, size), 0, 0);
    const what = this.pixels ? `your picture at ${size} by ${size} pixels` : "nothing yet";
    setAttribute(this.seen, "aria-label", `What the network sees: ${what}`);
  }

  /** Shows a real test image on the pad. */
  async takeReal() {
    if (!this.asked) return;
    const { networks, classes } = this.asked;
    const pick = Math.floor(Math.random() * 1000);
    const label = this.choice.value === "" ? Math.floor(Math.random() * classes.length) : Number(this.choice.value);
    const answer = await networks.real(label, pick);
    if ("error" in answer) {
      this.showMistake(answer.error);
      return;
    }
    this.reportsAnswer = true;
    this.setPixels(answer.pixels, classes[answer.label] ?? "");
    this.pad.showPixels(this.seen);
    this.ask();
  }

  /**
   * Shows a picture, which the browser decodes and sends nowhere.
   * @param {File | undefined} file
   */
  async takeFile(file) {
    this.file.value = "";
    if (!file) return;
    if (file.size > LARGEST_FILE) {
      this.showMistake("This file is larger than 30 MB; choose a smaller picture.");
      return;
    }
    try {
      const picture = await createImageBitmap(file, { resizeWidth: PICTURE_SIDE, resizeQuality: "high" });
      this.pad.show(picture);
      picture.close();
    } catch {
      this.showMistake("This file cannot be read as a picture; choose a PNG or a JPEG file.");
      return;
    }
    this.handleDrawing(true);
  }

  /**
   * Requests an answer after a wait; all changes until then need one request.
   * @param {number} pause ms since the last request
   * @param {() => void} [before]
   */
  askLater(pause, before) {
    if (this.timer !== undefined) return;
    const wait = Math.max(0, this.lastAsked + pause - performance.now());
    this.timer = window.setTimeout(() => {
      this.timer = undefined;
      before?.();
      this.ask();
    }, wait);
  }

  /** Requests the networks' answers. A request during another one waits for the answer to that. */
  async ask() {
    if (!this.asked || !this.pixels || !this.element.getClientRects().length) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    this.lastAsked = performance.now();
    const { asked, pixels, reportsAnswer } = this;
    this.reportsAnswer = false; // a drawing that ends during this request has the next answer read out
    const answer = await asked.networks.ask(pixels);
    this.busy = false;
    if (this.asked?.networks.key === asked.networks.key && this.pixels) this.take(answer, reportsAnswer);
    if (this.again) {
      this.again = false;
      this.ask();
    }
  }

  /**
   * @param {TrialAnswer | Mistake} answer
   * @param {boolean} report whether a screen reader reads it out
   */
  take(answer, report) {
    if ("error" in answer) {
      this.showMistake(answer.error);
      return;
    }
    this.showMistake("");
    const { classes } = answer;
    const first = answer.teacher ? answer.teacher.indexOf(Math.max(...answer.teacher)) : -1;
    NETWORKS.forEach(([name], index) => {
      const aside = name === "student" && answer.student ? `after ${formatCount(answer.round, "round")}` : "";
      this.columns[index]?.show(answer[name], classes, aside, first);
    });
    const truth = this.truth ? `This is a real test image of the class “${this.truth}”. ` : "";
    setText(this.sentence, truth + answer.sentence);
    if (!report) return;
    const answers = NETWORKS.map(([name, title]) => `${title}: ${spoken(answer[name], classes)}.`);
    setText(this.spoken, `${truth}${answers.join(" ")}`);
  }

  /** @param {string} sentence */
  showMistake(sentence) {
    setText(this.mistake, sentence);
    setAttribute(this.mistake, "hidden", sentence === "");
  }
}

/** The answer of one network: its most likely classes, as bars. */
class Answer {
  /** @param {string} title */
  constructor(title) {
    this.aside = h("span", { class: "note" });
    this.rows = Array.from({ length: SHOWN }, () => {
      const [name, bar, share] = [h("span", { class: "name" }), h("i"), h("span", { class: "share" })];
      return { name, bar, share, element: h("li", {}, name, h("span", { class: "level" }, bar), share) };
    });
    this.list = h("ol", {}, ...this.rows.map(({ element }) => element));
    this.element = h("div", { class: "answer" }, h("h4", {}, title, " ", this.aside), this.list);
    this.show(null, [], "");
  }

  /**
   * @param {number[] | null} shares
   * @param {string[]} classes
   * @param {string} aside
   * @param {number} [first] the teacher's class
   */
  show(shares, classes, aside, first = -1) {
    setText(this.aside, aside);
    const order = firstClasses(shares);
    this.rows.forEach(({ name, bar, share, element }, place) => {
      const label = order[place] ?? -1;
      const value = shares?.[label] ?? 0;
      setText(name, classes[label] ?? "–");
      setText(share, shares ? formatPercent(value) : "");
      bar.style.width = `${100 * value}%`;
      element.classList.toggle("agrees", label === first && label >= 0);
    });
  }
}

/**
 * The labels with the largest shares, the largest first.
 * @param {number[] | null} shares
 */
function firstClasses(shares) {
  if (!shares) return [];
  return shares
    .map((share, label) => ({ share, label }))
    .sort((a, b) => b.share - a.share)
    .slice(0, SHOWN)
    .map(({ label }) => label);
}

/**
 * @param {number[] | null} shares
 * @param {string[]} classes
 */
function spoken(shares, classes) {
  const [label = -1] = firstClasses(shares);
  return shares ? `${classes[label]}, ${formatPercent(shares[label] ?? 0)}` : "no answer";
}

/** @param {ImageForm} form */
function aboutForm({ channels, size, box, byMass }) {
  const kind = channels === 3 ? "in color" : "in gray";
  if (channels === 3) return `${size} × ${size} pixels, ${kind}.`;
  const where = byMass ? "centered by its mass" : "in the middle";
  return `${size} × ${size} pixels, ${kind}. The ink is scaled to ${box} pixels and put ${where}, as in the data set.`;
}
