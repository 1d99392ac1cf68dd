// A sentence for the visitor, above a panel.

import { h, setAttribute } from "./dom.js";

/** Shows a sentence; it is hidden if the sentence is empty. */
export class Notice {
  constructor() {
    this.element = h("div", { class: "notice", hidden: true, role: "alert" });
  }

  /**
   * @param {string} sentence empty hides the notice
   * @param {"alert" | "quiet"} [kind] an error, or only information
   * @param {HTMLElement[]} [buttons] actions for the visitor
   */
  show(sentence, kind = "alert", buttons = []) {
    this.element.className = kind === "quiet" ? "notice quiet" : "notice";
    const choices = buttons.length ? [h("div", { class: "choices" }, ...buttons)] : [];
    const shown = this.element.textContent === sentence && !choices.length;
    if (!shown) this.element.replaceChildren(...(sentence ? [h("span", {}, sentence)] : []), ...choices);
    setAttribute(this.element, "hidden", !sentence);
  }
}
