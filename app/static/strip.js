// The reset strip: one label through many noisy layers at once, and through one that is held.

import { h, percent, put, say } from "./dom.js";
import { cut } from "./drill.js";
import { titled } from "./explained.js";

const COUNT = 16;

export class Strip {
  /** `ask(label, count)` gives the server's answer or throws a sentence; `arms(number)` hears which arm is chosen. */
  constructor({ ask, arms = null }) {
    this.ask = ask;
    this.arm = h("select", {
      "aria-label": "Arm of the strip",
      hidden: true,
      onchange: () => arms(Number(this.arm.value)),
    });
    this.classes = [];
    this.choice = h("select", { "aria-label": "Class of the strip" });
    this.button = h(
      "button",
      { type: "button", class: "primary", onclick: () => this.draw() },
      `Re-draw ${COUNT} times`,
    );
    this.told = h(
      "p",
      { class: "note", role: "status" },
      "Pick a class: its images through freshly drawn noisy layers, and below them through one that is held.",
    );
    this.redrawn = h("div", { class: "strip-row" });
    this.held = h("div", { class: "strip-row" });
    this.rows = h(
      "div",
      { class: "strip-rows", hidden: true },
      h("h4", {}, "re-drawn for each"),
      this.redrawn,
      h("h4", {}, "held"),
      this.held,
    );
    this.element = h(
      "section",
      { class: "card strip", "aria-label": "Reset strip" },
      h(
        "div",
        { class: "card-head" },
        titled(h("h3", {}, "What a re-draw does to one label"), "panel/strip"),
        h("div", { class: "choices" }, this.arm, this.choice, this.button),
      ),
      this.rows,
      this.told,
    );
  }

  introduce(classes) {
    if (this.classes.join("\n") === classes.join("\n")) return;
    this.classes = classes;
    this.choice.replaceChildren(...classes.map((name, i) => h("option", { value: i }, name)));
  }

  /** Offers the arms to choose from, the first of them chosen. */
  compare(titles) {
    this.arm.replaceChildren(...titles.map((title, i) => h("option", { value: i }, title)));
    put(this.arm, "hidden", false);
    put(this.rows, "hidden", true);
  }

  enable(can) {
    put(this.button, "disabled", !can);
  }

  async draw() {
    const label = Number(this.choice.value);
    put(this.button, "aria-busy", "true");
    try {
      const made = await this.ask(label, COUNT);
      await Promise.all([this.fill(this.redrawn, made, made.redrawn), this.fill(this.held, made, made.held)]);
      put(this.rows, "hidden", false);
      say(this.told, made.sentence);
    } catch (error) {
      say(this.told, error.message);
    }
    put(this.button, "aria-busy", null);
  }

  async fill(row, made, { picture, teacher }) {
    const whole = new Image();
    whole.src = picture;
    await whole.decode();
    row.replaceChildren(
      ...teacher.map(([seen, sure], at) => {
        const told = `the teacher sees ${this.classes[seen]}, ${percent(sure)}`;
        const tile = h("span", { class: "tile", role: "img", "aria-label": `${this.classes[made.label]}: ${told}` });
        tile.style.backgroundImage = `url("${picture}")`;
        cut(tile, at, made.count);
        return h(
          "figure",
          { title: told, class: seen === made.label ? "" : "miss" },
          tile,
          h("figcaption", {}, h("span", {}, this.classes[seen]), h("span", {}, percent(sure))),
        );
      }),
    );
  }
}
