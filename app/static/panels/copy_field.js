// A line of text with a button that copies it.

import { h, setText } from "../core/dom.js";

const COPIED_MS = 1500;

/** A line to copy, with its button. */
export class CopyField {
  /** @param {string} label */
  constructor(label) {
    this.text = h("input", { readonly: "", "aria-label": label });
    this.text.addEventListener("focus", () => this.text.select());
    this.button = h("button", { type: "button", "aria-label": `Copy: ${label}`, onclick: () => this.copy() }, "Copy");
    this.element = h("div", { class: "copied" }, h("span", {}, label), this.text, this.button);
  }

  /** @param {string} value */
  show(value) {
    if (this.text.value !== value) this.text.value = value;
  }

  /** Copies the line, and reports that for a short time. */
  async copy() {
    this.text.select();
    try {
      await navigator.clipboard.writeText(this.text.value);
    } catch {
      document.execCommand("copy"); // if the page is in a frame
    }
    setText(this.button, "Copied");
    setTimeout(() => setText(this.button, "Copy"), COPIED_MS);
  }
}
