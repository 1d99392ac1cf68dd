// A recorded result that is shown before the first run.

import { serverUrl } from "../core/api.js";
import { h, setAttribute } from "../core/dom.js";
import { SideBySide } from "./side_by_side.js";

/** @import { LabUpdate } from "../core/types.d.ts" */

/** The panels of one recorded comparison; hidden if there is none. */
export class Example {
  /**
   * @param {object} options
   * @param {string} options.name of the recording
   * @param {string} options.sentence its description
   * @param {string[]} [options.charts] the measures that are shown, else all
   */
  constructor({ name, sentence, charts }) {
    this.name = name;
    this.asked = false;
    /** @type {LabUpdate | null} */
    this.lab = null;
    this.sides = new SideBySide({ charts });
    this.element = h(
      "section",
      { class: "lab-shown example", "aria-label": "A finished example", hidden: true },
      h("p", { class: "notice quiet" }, sentence),
    );
  }

  /** Shows it; the first call fetches it. */
  async load() {
    if (this.asked) return;
    this.asked = true;
    try {
      const answer = await fetch(serverUrl(`examples/${this.name}.json`));
      if (!answer.ok) return;
      /** @type {LabUpdate} */
      const lab = await answer.json();
      setAttribute(this.element, "hidden", false);
      this.lab = lab;
      const { columns, charts, verdict } = this.sides;
      this.element.append(columns, charts.element, verdict);
      this.sides.update(lab);
    } catch {
      this.asked = false;
    }
  }
}
