// A section that folds. The browser stores whether a visitor opened or closed it.

import { h } from "./dom.js";
import { readFolds, storeFolds } from "./storage.js";

/** A line, and content below it that the line shows or hides. */
export class Fold {
  /**
   * @param {string} name under which its state is stored
   * @param {string} kind class names
   * @param {HTMLElement} summary
   * @param {...HTMLElement} content
   */
  constructor(name, kind, summary, ...content) {
    this.element = h("details", { class: `fold ${kind}`, open: readFolds()[name] === true }, summary, ...content);
    summary.addEventListener("click", () => storeFolds({ ...readFolds(), [name]: !this.element.open }));
  }

  /** Opens it without storing that. */
  open() {
    this.element.open = true;
  }
}
