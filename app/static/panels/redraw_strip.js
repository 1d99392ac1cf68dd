// Images of one label from many noisy layers, and from a single one.

import { h, loadImage, setAttribute, setText, showImage } from "../core/dom.js";
import { formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { errorSentence } from "../core/run_client.js";

/** @import { RedrawPreview, RedrawnStrip } from "../core/types.d.ts" */

const COUNT = 16; // images of a strip

/** A panel with a class to choose, a button, and the two strips. */
export class RedrawStrip {
  /** @param {(label: number, count: number, arm: number) => Promise<RedrawPreview>} ask fetches strips */
  constructor(ask) {
    this.ask = ask;
    /** @type {string[]} */
    this.classes = [];
    this.arm = h("select", { "aria-label": "Arm of the strip", hidden: true });
    this.choice = h("select", { "aria-label": "Class of the strip" });
    this.button = h(
      "button",
      { type: "button", class: "primary", onclick: () => this.draw() },
      `Re-draw ${COUNT} times`,
    );
    this.sentence = h(
      "p",
      { class: "note", role: "status" },
      "Choose a class. The upper row shows its images through fresh noisy layers, the lower row through one layer.",
    );
    this.redrawn = h("div", { class: "strip-row" });
    this.held = h("div", { class: "strip-row" });
    this.rows = h(
      "div",
      { class: "strip-rows", hidden: true },
      h("h4", {}, "re-drawn each time"),
      this.redrawn,
      h("h4", {}, "held"),
      this.held,
    );
    this.element = h(
      "section",
      { class: "card redraw-strip", "aria-label": "Re-draw strip" },
      h(
        "div",
        { class: "card-head" },
        withHelp(h("h3", {}, "Effect of re-draws on one class"), "panel/strip"),
        h("div", { class: "choices" }, this.arm, this.choice, this.button),
      ),
      this.rows,
      this.sentence,
    );
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    if (this.classes.join("\n") === classes.join("\n")) return;
    this.classes = classes;
    this.choice.replaceChildren(...classes.map((name, i) => h("option", { value: i }, name)));
  }

  /**
   * Offers a choice of arms; the first one is chosen.
   * @param {string[]} titles
   */
  setArms(titles) {
    this.arm.replaceChildren(...titles.map((title, i) => h("option", { value: i }, title)));
    setAttribute(this.arm, "hidden", false);
    setAttribute(this.rows, "hidden", true);
  }

  /** @param {boolean} enabled whether there is a run */
  enable(enabled) {
    setAttribute(this.button, "disabled", !enabled);
  }

  /** Fetches the strips of the chosen class and shows them. */
  async draw() {
    setAttribute(this.button, "aria-busy", "true");
    try {
      const preview = await this.ask(Number(this.choice.value), COUNT, Number(this.arm.value));
      await Promise.all([loadImage(preview.redrawn.picture), loadImage(preview.held.picture)]);
      this.fill(this.redrawn, preview, preview.redrawn);
      this.fill(this.held, preview, preview.held);
      setAttribute(this.rows, "hidden", false);
      setText(this.sentence, preview.sentence);
    } catch (error) {
      setText(this.sentence, errorSentence(error));
    }
    setAttribute(this.button, "aria-busy", null);
  }

  /**
   * @param {HTMLElement} row
   * @param {RedrawPreview} preview
   * @param {RedrawnStrip} strip
   */
  fill(row, { label, count }, { picture, teacher }) {
    row.replaceChildren(
      ...teacher.map(([seen, confidence], i) => {
        const sentence = `the teacher predicts ${this.classes[seen]}, ${formatPercent(confidence)}`;
        const tile = h("span", { class: "tile", role: "img", "aria-label": `${this.classes[label]}: ${sentence}` });
        showImage(tile, picture, i, count);
        const caption = [h("span", {}, this.classes[seen]), h("span", {}, formatPercent(confidence))];
        return h(
          "figure",
          { title: sentence, class: seen === label ? "" : "miss" },
          tile,
          h("figcaption", {}, ...caption),
        );
      }),
    );
  }
}
