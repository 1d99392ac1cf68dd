// A fold that stays open, or shut, for who opened or shut it.

import { h } from "./dom.js";
import { readFolds, storeFolds } from "./storage.js";

/** Content below a line that opens it. */
export class Fold {
  /**
   * @param {string} name under which its state is kept
   * @param {string} kind class names
   * @param {HTMLElement} summary
   * @param {...HTMLElement} content
   */
  constructor(name, kind, summary, ...content) {
    this.element = h("details", { class: `fold ${kind}`, open: readFolds()[name] === true }, summary, ...content);
    summary.addEventListener("click", () => storeFolds({ ...readFolds(), [name]: !this.element.open }));
  }

  /** Opens it for now. */
  open() {
    this.element.open = true;
  }
}
