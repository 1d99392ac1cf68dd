// The page in a size for a projector, which is in its address.

import { h, setAttribute } from "../core/dom.js";
import { isLarge, sizeUrl } from "../core/router.js";

/** A button that makes everything large, and back. */
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
    addEventListener("popstate", () => this.update());
    this.update();
  }

  /** The other size. */
  toggle() {
    history.replaceState(null, "", sizeUrl(location.href, !isLarge(location.href)));
    this.update();
  }

  /** As the address says. */
  update() {
    const large = isLarge(location.href);
    document.body.classList.toggle("presenting", large);
    setAttribute(this.element, "aria-pressed", String(large));
  }
}
