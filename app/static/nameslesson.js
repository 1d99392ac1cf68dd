// The lesson on names: typed names through the same table and the same BatchNorm as a run's, on a map and as cosines.

import { h, put, say } from "./dom.js";
import { about } from "./explained.js";
import { LabelMap } from "./map.js";
import { Matrices } from "./matrices.js";
import { at } from "./server.js";

const PATIENCE = 1000; // ms between two questions whether the text encoder is done
const LEGEND = [["round", "a name's embedding"]];
const USUAL = { pca: "A flat shadow (PCA) of the embeddings: near here need not be near in all dimensions." };

export class NamesLesson {
  constructor({ lesson, seen }) {
    Object.assign(this, { lesson, seen, turn: 0 });
    this.typed = h("textarea", { rows: 5 }, lesson.names.join("\n"));
    this.table = h("select", { onchange: () => this.press() }, ...lesson.choice.options.map(([title, { latent }]) => h("option", { value: latent }, title)));
    this.facts = h("p", { class: "note", role: "status" });
    this.notice = h("div", { class: "notice", hidden: true, role: "alert" });
    const field = (label, input) => h("label", { class: "field" }, h("span", {}, label), input);
    this.controls = h("div", { class: "lesson-control" }, field("Class names, one a line", this.typed), field(lesson.choice.label, this.table), h("div", { class: "choices" }, h("button", { type: "button", class: "primary lesson-run", onclick: () => this.press() }, "▶ Show them"), about(["control/names", "setting/latent", "setting/embedding_norm"], "names and tables")), this.facts, this.notice);
    this.map = new LabelMap({ focus: (index) => this.map.highlight(index), title: "Where the names lie", about: "panel/map", legend: LEGEND, usual: USUAL });
    this.matrices = new Matrices({ focus: (pair) => this.map.highlight(pair) });
    this.element = h("div", { class: "lesson-live" }, this.map.element, this.matrices.element);
  }

  appear() {
    if (!this.turn && this.seen()) this.press();
  }

  /** Asks, and again until the text encoder is done; only the last question counts. */
  async press() {
    clearTimeout(this.again);
    this.turn += 1;
    const { turn } = this;
    const value = await this.answer();
    if (turn !== this.turn) return;
    this.notice.className = value.state === "loading" ? "notice quiet" : "notice";
    say(this.notice, value.state === "ready" ? "" : value.sentence);
    put(this.notice, "hidden", value.state === "ready");
    if (value.state === "loading") this.again = setTimeout(() => this.press(), PATIENCE);
    if (value.state === "ready") this.show(value);
  }

  async answer() {
    const { prompt, encoder } = this.lesson;
    try {
      const body = JSON.stringify({ typed: this.typed.value, prompt, latent: this.table.value, encoder });
      const answer = await fetch(at("explore"), { method: "POST", headers: { "Content-Type": "application/json" }, body });
      const value = await answer.json();
      return answer.ok ? value : { state: "refused", sentence: value.error };
    } catch {
      // said below
    }
    return { state: "refused", sentence: "The question did not arrive; press Show them again." };
  }

  show(value) {
    const { names } = value.asked;
    say(this.facts, `${names.length} names, ${value.width} numbers each. ${value.source}`);
    this.map.update({ facts: { classes: names, anchors: value.anchors }, outputs: [], samples: [] });
    this.matrices.show(value);
    put(this.element, "data-state", "finished");
  }
}
