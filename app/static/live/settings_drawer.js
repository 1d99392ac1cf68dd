// The settings as a drawer, if there is no space beside the run: on a phone, and in the size for a projector.

import { h, setAttribute } from "../core/dom.js";

/** The button that opens the drawer. Escape, a click beside the drawer, and Play close it. */
export class SettingsDrawer {
  /** @param {HTMLElement} panel Gradio's column with the settings */
  constructor(panel) {
    this.panel = panel;
    this.element = h(
      "button",
      { type: "button", class: "drawer", "aria-controls": panel.id, onclick: () => this.show(!this.isOpen) },
      "Settings",
    );
    this.done = h("button", { type: "button", class: "drawer-done", onclick: () => this.show(false) }, "Done");
    panel.prepend(h("div", { class: "nayer drawer-head" }, this.done));
    document.addEventListener("keydown", (event) => {
      if (event.key === "Escape" && this.isOpen && !event.defaultPrevented) this.show(false);
    });
    document.addEventListener("pointerdown", ({ target }) => {
      const inside = target instanceof Node && (panel.contains(target) || this.element.contains(target));
      if (this.isOpen && !inside && target instanceof Element && !target.closest(".help-card, [role=listbox]"))
        this.show(false);
    });
    this.show(false);
  }

  /** Whether the drawer covers the page. */
  get isOpen() {
    return document.body.classList.contains("drawer-open");
  }

  /** @param {boolean} open */
  show(open) {
    const before = this.isOpen;
    document.body.classList.toggle("drawer-open", open);
    setAttribute(this.element, "aria-expanded", String(open));
    if (open) this.done.focus();
    else if (before) this.element.focus();
  }
}
