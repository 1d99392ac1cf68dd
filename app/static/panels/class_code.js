// A teacher's code: a button, and a card with the code and its picture, large enough for the last row.

import { h, setAttribute, setText } from "../core/dom.js";
import { endClass, showToClass } from "../core/joining.js";
import { errorSentence } from "../core/run_client.js";

/** @import { RunHandle } from "../core/types.d.ts" */

const LOOPBACK = ["localhost", "127.0.0.1", "[::1]"];
const ALONE =
  "Only this machine can open this address. For a class, start the page with --host 0.0.0.0 and open it by the name of the machine.";

/** A button that shows a run to a class. */
export class ClassCodeButton {
  /** @param {() => [handle: RunHandle, place: string]} shown the run to show, and its page */
  constructor(shown) {
    this.shown = shown;
    this.code = h("p", { class: "class-letters" });
    this.picture = h("img", { hidden: true, alt: "QR code with the address and the code of the class" });
    this.status = h("p", { class: "note", role: "status" });
    const end = h("button", { type: "button", onclick: () => this.end() }, "End the class");
    const close = h("button", { type: "button" }, "Close");
    this.card = h(
      "dialog",
      { class: "class-card nayer", "aria-label": "Code of the class" },
      this.code,
      this.picture,
      this.status,
      h("div", { class: "choices" }, end, close),
    );
    close.addEventListener("click", () => this.card.close());
    const open = h("button", { type: "button", onclick: () => this.open() }, "Class code");
    this.element = h("span", { class: "class-place" }, open, this.card);
  }

  /** Asks for the code and shows it. */
  async open() {
    try {
      const { code, qr } = await showToClass(...this.shown());
      setText(this.code, `${code.slice(0, 3)} ${code.slice(3)}`);
      this.picture.src = qr;
      setAttribute(this.picture, "hidden", false);
      const { host, hostname } = new URL(document.baseURI);
      const alone = LOOPBACK.includes(hostname) ? ` ${ALONE}` : "";
      setText(
        this.status,
        `Open ${host}, choose “Join a class” and type the code, or scan the picture. The class follows every run that you start on this page.${alone}`,
      );
    } catch (error) {
      setText(this.code, "");
      setAttribute(this.picture, "hidden", true);
      setText(this.status, errorSentence(error));
    }
    this.card.showModal();
  }

  /** Removes the code of the class. */
  async end() {
    try {
      await endClass(this.shown()[0]);
      this.card.close();
    } catch (error) {
      setText(this.status, errorSentence(error));
    }
  }
}
