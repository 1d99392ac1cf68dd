// One arm of several: its name and color, what it costs, its newest samples and where it stands.

import { ARM_COLORS, classColor } from "../core/colors.js";
import { h, loadImage, setAttribute, setText } from "../core/dom.js";
import { formatCount, formatDuration, formatNumber, formatPercent } from "../core/format.js";
import { applyUpdate, emptyModel, studentMeasure } from "../core/model.js";
import { DIVERSITY_SCALES, diversityValue, LABEL_HIT, SECOND_OPINION } from "./measures.js";

/** @import { ArmResult, RunUpdate, SampleRow } from "../core/types.d.ts" */

const MAX_ROWS = 4; // newest rows of samples
const MAX_CLASSES = 10; // of a row; more would be too small to see

/** A column with what is known of an arm. */
export class Arm {
  /**
   * @param {object} options
   * @param {number} options.number
   * @param {string} options.title
   * @param {string} options.address under which the arm's pictures lie
   * @param {(round: number) => void} options.pick somebody asks for the whole batch of a row
   * @param {(settings: string) => void} [options.change] this arm is to go on with other settings
   */
  constructor({ number, title, address, pick, change }) {
    this.number = number;
    this.title = title;
    this.address = address;
    this.pick = pick;
    this.color = ARM_COLORS[number];
    this.model = emptyModel();
    this.shownClasses = "";
    this.shownFacts = "";
    this.newestFrame = 0;
    this.cost = h("p", { class: "note cost" });
    this.heads = h("div", { class: "arm-heads" });
    this.rows = h("div", { class: "arm-rows" });
    this.failure = h("p", { class: "notice", hidden: true, role: "alert" });
    this.facts = h("dl", { class: "arm-facts" });
    this.change = change ? changeForm(title, change) : null;
    this.element = h(
      "section",
      { class: "card arm", "aria-label": `Arm ${title}`, style: `--arm:${this.color}` },
      h("h3", {}, h("i", { class: "swatch" }), title),
      this.cost,
      this.failure,
      this.heads,
      this.rows,
      this.facts,
      this.change,
    );
  }

  /**
   * @param {RunUpdate | null} update of the arm, or null where nothing is new
   * @param {ArmResult | undefined} result of its present seed, undefined before its first turn
   */
  update(update, result) {
    if (update) this.model = applyUpdate(this.model, update);
    const { model } = this;
    setText(
      this.cost,
      result
        ? `${formatDuration(result.seconds)} · ${formatCount(result.rounds, "round")} · ${formatCount(result.steps, "generator step")} · ${formatCount(model.pool[0], "image")} in the pool`
        : "waiting for its first turn",
    );
    setText(this.failure, model.failure);
    setAttribute(this.failure, "hidden", !model.failure);
    const diversity = model.diversity.at(-1);
    const measured = model.measures.at(-1);
    this.showFacts([
      [studentMeasure(model), formatPercent(measured?.[1] ?? measured?.[2], 1)],
      [LABEL_HIT.title, formatPercent(diversityValue(diversity, "label_hit"))],
      [SECOND_OPINION.title, formatPercent(model.opinions.at(-1)?.[1])],
      ...DIVERSITY_SCALES.map(({ name }) => [name, formatNumber(diversityValue(diversity, name))]),
    ]);
    if (model.facts) this.setClasses(model.facts.classes);
    this.showRows(model.rows.slice(-MAX_ROWS).reverse());
  }

  /**
   * Whether the arm can go on with other settings.
   * @param {boolean} active
   */
  enableChange(active) {
    if (this.change) setAttribute(this.change, "hidden", !active);
  }

  /** @param {string[][]} facts names and values */
  showFacts(facts) {
    const text = JSON.stringify(facts);
    if (this.shownFacts === text) return;
    this.shownFacts = text;
    this.facts.replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    if (this.shownClasses === classes.join("\n")) return;
    this.shownClasses = classes.join("\n");
    const shown = classes.slice(0, MAX_CLASSES);
    this.element.style.setProperty("--across", String(shown.length));
    this.heads.replaceChildren(
      h("span", {}),
      ...shown.map((name, i) => h("i", { title: name, style: `background:${classColor(i, classes.length)}` })),
    );
    const more = `The first ${MAX_CLASSES} of ${classes.length} classes. Click a row to see all.`;
    setAttribute(this.heads, "title", classes.length > MAX_CLASSES ? more : null);
  }

  /**
   * Shows rows once their pictures are there.
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
   * The button of a row, once its picture can be shown; null when it is gone already.
   * @param {SampleRow} row
   */
  async rowButton(row) {
    const picture = `${this.address}/frame/${row.frame}.jpg`;
    if (!(await loadImage(picture))) return null;
    const count = row.labels.length;
    const hits = row.teacher.filter(([label], i) => label === row.labels[i]).length;
    const sentence = `Round ${row.round + 1}, one image of each class: the teacher recognizes ${hits} of ${count}. Show the whole batch.`;
    const strip = h("span", { class: "strip-image" });
    strip.style.backgroundImage = `url("${picture}")`;
    strip.style.backgroundSize = `${(100 * count) / Math.min(count, MAX_CLASSES)}% 100%`;
    return h(
      "button",
      {
        type: "button",
        class: "arm-row",
        "aria-label": sentence,
        title: sentence,
        onclick: () => this.pick(row.round),
      },
      h("span", { class: "gutter" }, String(row.round + 1)),
      strip,
    );
  }
}

/**
 * The form with which an arm goes on with other settings.
 * @param {string} title of the arm
 * @param {(settings: string) => void} change
 */
function changeForm(title, change) {
  const settings = h("input", {
    type: "text",
    placeholder: "for example noisy_reset_every=0",
    "aria-label": `New settings for arm ${title}`,
  });
  const form = h("form", {}, settings, h("button", { type: "submit" }, "Apply"));
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (settings.value.trim()) change(settings.value);
  });
  return h(
    "details",
    { class: "arm-change", hidden: true },
    h("summary", {}, "Change this arm"),
    form,
    h("p", { class: "note" }, "name=value, separated by spaces. They apply from the arm's next round on."),
  );
}
