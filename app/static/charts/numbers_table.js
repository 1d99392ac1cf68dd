// The numbers of a chart as a table in a section that is closed at first.

import { h } from "../core/dom.js";

/** A table of numbers that is filled only while it is open. */
export class NumbersTable {
  /**
   * @param {string[]} columns
   * @param {() => HTMLTableRowElement[]} makeRows
   * @param {object} [options]
   * @param {string} [options.summary] the title of the section
   * @param {HTMLElement} [options.caption]
   */
  constructor(columns, makeRows, { summary = "Numbers", caption } = {}) {
    this.makeRows = makeRows;
    this.body = h("tbody");
    const head = h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col" }, name))));
    this.element = h(
      "details",
      { class: "numbers", ontoggle: () => this.update() },
      h("summary", {}, summary),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": "Numbers" },
        h("table", {}, caption, head, this.body),
      ),
    );
  }

  /** Fills the table again if it is open. */
  update() {
    if (this.element.open) this.body.replaceChildren(...this.makeRows());
  }
}

/**
 * A row: its heading, then its cells.
 * @param {string | HTMLElement} name
 * @param {...(string | HTMLElement)} cells
 */
export function numbersRow(name, ...cells) {
  return h("tr", {}, h("th", { scope: "row" }, name), ...cells.map((cell) => h("td", {}, cell)));
}
