// The enlarged page for a projector. The address contains the size.

import { h, setAttribute } from "../core/dom.js";
import { isLarge, sizeUrl } from "../core/router.js";

/** @type {PresenterButton[]} */
const buttons = []; // of the whole page, which has one size

/** A button that enlarges the page, and undoes that. */
export class PresenterButton {
  constructor() {
    this.element = h(
      "button",
      {
        type: "button",
        class: "large",
        title: "Large text and pictures, for a projector",
        onclick: () => this.toggle(),
      },
      "Large",
    );
    buttons.push(this);
    addEventListener("popstate", () => this.update());
    this.update();
  }

  /** Switches to the other size. */
  toggle() {
    history.replaceState(null, "", sizeUrl(location.href, !isLarge(location.href)));
    for (const button of buttons) button.update();
  }

  /** Applies the size in the address. */
  update() {
    const large = isLarge(location.href);
    document.body.classList.toggle("presenting", large);
    setAttribute(this.element, "aria-pressed", String(large));
  }
}
