// The line that says how a run stands, in a few short parts with dots between.

import { h } from "../core/dom.js";

/** The line; drawn again only where a part has changed. */
export class StandingLine {
  constructor() {
    this.shown = "";
    this.element = h("p", { class: "standing" });
  }

  /** @param {string[]} parts the first is the most important */
  show(parts) {
    if (this.shown === parts.join("|")) return;
    this.shown = parts.join("|");
    this.element.replaceChildren(...parts.map((part, i) => h("span", { class: i ? "" : "first" }, part)));
  }
}
