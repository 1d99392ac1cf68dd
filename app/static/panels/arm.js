// One arm of several: its name and color, its costs, its newest samples and its results.

import { classColor } from "../core/colors.js";
import { ARM_COLORS } from "../core/constants.js";
import { h, loadImage, setAttribute, setText, showImage } from "../core/dom.js";
import { formatCount, formatDuration } from "../core/format.js";
import { applyUpdate, emptyModel, studentMeasure } from "../core/model.js";
import { fetchBatch, pictureUrl } from "./batch_dialog.js";
import { ARM_MEASURES } from "./measures.js";
import { SettingPicker } from "./setting_picker.js";

/** @import { ArmNews, ArmResult, Batch, CurveRow, LabUpdate, SampleRow, SettingFacts, Settings } from "../core/types.d.ts" */

const MAX_ROWS = 4; // newest rows of samples
const MAX_CLASSES = 10; // of a row; more would be too small

/** A column about an arm. */
export class Arm {
  /**
   * @param {object} options
   * @param {number} options.number
   * @param {string} options.title
   * @param {string} options.address under which the arm's pictures lie
   * @param {((round: number) => void) | null} options.pick called with the round of a chosen row
   * @param {{ settings: SettingFacts[], apply: (settings: Settings) => void }} [options.change] changes the arm
   */
  constructor({ number, title, address, pick, change }) {
    this.number = number;
    this.title = title;
    this.address = address;
    this.pick = pick;
    this.color = ARM_COLORS[number];
    this.model = emptyModel();
    /** @type {CurveRow[]} */
    this.curve = []; // the rounds of the present seed
    this.shownClasses = "";
    this.shownFacts = "";
    this.newestFrame = 0;
    /** @type {number | null} */
    this.playedRound = null; // the round of a playback whose images are shown
    /** @type {Map<number, Promise<Batch>>} */
    this.batches = new Map();
    this.cost = h("p", { class: "note cost" });
    this.start = h("p", { class: "note", hidden: true }, "The student starts with weights of its teacher.");
    this.heads = h("div", { class: "arm-heads" });
    this.rows = h("div", { class: "arm-rows" });
    this.failure = h("p", { class: "notice", hidden: true, role: "alert" });
    this.whose = h("p", { class: "note whose" });
    this.facts = h("dl", { class: "arm-facts" });
    this.change = change ? changeForm(title, change.settings, change.apply) : null;
    this.element = h(
      "section",
      { class: "card arm", "aria-label": `Arm ${title}`, style: `--arm:${this.color}` },
      h("h3", {}, h("i", { class: "swatch" }), title),
      this.start,
      this.cost,
      this.failure,
      this.heads,
      this.rows,
      this.whose,
      this.facts,
      this.change,
    );
  }

  /**
   * @param {ArmNews | null} news the changes of the arm; null if there are none
   * @param {ArmResult | undefined} result of its present seed, undefined before its first turn
   * @param {LabUpdate} lab
   */
  update(news, result, lab) {
    if (news) {
      const { curve, ...update } = news;
      this.model = applyUpdate(this.model, update);
      this.curve = update.anew ? curve : [...this.curve, ...curve];
    }
    const { model } = this;
    const seed = lab.seeds.length > 1 ? `seed ${result?.seed} · ` : "";
    setText(
      this.cost,
      result
        ? `${seed}${result.seconds === null ? "" : `${formatDuration(result.seconds)} · `}${formatCount(result.rounds, "round")} · ${formatCount(result.steps, "generator step")} · ${formatCount(model.pool[0], "image")} in the pool`
        : "waiting for its first turn",
    );
    setAttribute(this.start, "hidden", model.facts?.config.student_start !== "thinned");
    setText(this.failure, model.failure);
    setAttribute(this.failure, "hidden", !model.failure);
    this.showMeasures(result, lab);
    if (model.facts) this.setClasses(model.facts.classes);
    if (this.playedRound === null) this.showRows(model.rows.slice(-MAX_ROWS).reverse());
  }

  /**
   * The mean and range over the finished seeds, or the numbers of the present seed.
   * @param {ArmResult | undefined} result
   * @param {LabUpdate} lab
   */
  showMeasures(result, { counted, means, seeds }) {
    const mean = means[this.number];
    const several = counted.length > 1;
    setText(
      this.whose,
      several
        ? `Mean of ${counted.length} seeds, and the lowest to the highest seed`
        : `Seed ${counted[0] ?? result?.seed ?? seeds[0]}`,
    );
    setAttribute(this.whose, "hidden", seeds.length < 2);
    const facts = ARM_MEASURES.map(({ name, title, format }) => {
      const own = result?.[/** @type {"accuracy"} */ (name)];
      const [value = own, low, high] = mean?.[name] ?? [];
      const range = several && low !== undefined ? `${format(low)} – ${format(high)}` : "";
      return [name === "accuracy" ? studentMeasure(this.model) : title, format(value), range];
    });
    const text = JSON.stringify(facts);
    if (this.shownFacts === text) return;
    this.shownFacts = text;
    this.facts.replaceChildren(
      ...facts.map(([name, value, range]) =>
        h("div", {}, h("dt", {}, name), h("dd", {}, value, range ? h("small", {}, range) : null)),
      ),
    );
  }

  /**
   * Whether the settings of the arm can be changed.
   * @param {boolean} active
   */
  enableChange(active) {
    if (this.change) setAttribute(this.change, "hidden", !active);
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    if (this.shownClasses === classes.join("\n")) return;
    this.shownClasses = classes.join("\n");
    const shown = classes.slice(0, MAX_CLASSES);
    this.element.style.setProperty("--across", String(shown.length));
    this.heads.replaceChildren(
      h("span", {}),
      ...shown.map((name, i) =>
        h("span", { title: name, style: `--class:${classColor(i, classes.length)}` }, h("span", {}, name)),
      ),
    );
    const more = `The first ${MAX_CLASSES} of ${classes.length} classes. Click a row to see all.`;
    setAttribute(this.heads, "title", classes.length > MAX_CLASSES ? more : null);
  }

  /**
   * Shows rows, once their pictures are loaded.
   * @param {SampleRow[]} rows the newest first
   */
  async showRows(rows) {
    const newest = rows[0]?.frame;
    if (!newest || newest === this.newestFrame) return;
    this.newestFrame = newest;
    const buttons = await Promise.all(rows.map((row) => this.rowButton(row)));
    if (this.newestFrame === newest) this.rows.replaceChildren(...buttons.filter((button) => button !== null));
  }

  /**
   * Shows the images at a moment of the playback, from the nearest stored round; null shows the newest.
   * @param {number | null} round
   */
  async showRound(round) {
    if (this.playedRound === round) return;
    this.playedRound = round;
    this.newestFrame = 0;
    if (round === null) {
      this.showRows(this.model.rows.slice(-MAX_ROWS).reverse());
      return;
    }
    const asked = this.batches.get(round) ?? fetchBatch(this.address, round);
    this.batches.set(round, asked);
    const batch = await asked;
    if (this.playedRound !== round || !batch.labels.length) return;
    const firsts = [...new Set(batch.labels)].slice(0, MAX_CLASSES).map((label) => batch.labels.indexOf(label));
    const tiles = firsts.map((place) => {
      const tile = h("span", { class: "tile" });
      showImage(tile, pictureUrl(this.address, batch), place, batch.labels.length);
      return tile;
    });
    this.rows.replaceChildren(this.row(batch.round, `Round ${batch.round + 1}, one image of each class.`, ...tiles));
  }

  /**
   * The button of a row, once its picture is loaded; null if the server no longer has it.
   * @param {SampleRow} row
   */
  async rowButton(row) {
    const picture = row.picture ?? `${this.address}/frame/${row.frame}.jpg`;
    if (!(await loadImage(picture))) return null;
    const count = row.labels.length;
    const hits = row.teacher.filter(([label], i) => label === row.labels[i]).length;
    const strip = h("span", { class: "strip-image" });
    strip.style.backgroundImage = `url("${picture}")`;
    strip.style.backgroundSize = `${(100 * count) / Math.min(count, MAX_CLASSES)}% 100%`;
    const sentence = `Round ${row.round + 1}, one image of each class: the teacher recognizes ${hits} of ${count}.`;
    return this.row(row.round, sentence, strip);
  }

  /**
   * @param {number} round
   * @param {string} sentence
   * @param {...HTMLElement} images
   */
  row(round, sentence, ...images) {
    const { pick } = this;
    const label = pick ? `${sentence} Show the whole batch.` : sentence;
    return h(
      pick ? "button" : "div",
      {
        type: pick ? "button" : null,
        role: pick ? null : "img",
        class: "arm-row",
        "aria-label": label,
        title: label,
        onclick: () => pick?.(round),
      },
      h("span", { class: "gutter" }, String(round + 1)),
      h("span", { class: "row-images" }, ...images),
    );
  }
}

/**
 * The form that changes the settings of an arm.
 * @param {string} title of the arm
 * @param {SettingFacts[]} settings
 * @param {(settings: Settings) => void} apply
 */
function changeForm(title, settings, apply) {
  const picker = new SettingPicker(
    settings.filter(({ fixed }) => !fixed),
    `for arm ${title}`,
  );
  const form = h("form", {}, picker.element, h("button", { type: "submit" }, "Apply"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (Object.keys(picker.values()).length) apply(picker.values());
  });
  return h(
    "details",
    { class: "arm-change", hidden: true },
    h("summary", {}, "Change this arm"),
    form,
    h("p", { class: "note" }, "Changes apply from the arm's next round on."),
  );
}
