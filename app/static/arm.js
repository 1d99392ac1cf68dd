// One arm of a lab: its name and colour, what it costs, its newest samples and where it stands.

import { duration, figure, h, percent, put, say, whole } from "./dom.js";
import { Feed } from "./feed.js";
import { emptyModel, told } from "./model.js";

// Paul Tol's vibrant colours: told apart by any eye, and none of them a class's.
export const ARM_COLOURS = ["#0077BB", "#EE7733", "#009988", "#CC3311", "#EE3377"];
const SHOWN = 4; // newest rows of samples

export class Arm {
  /** `heard()` after news; `pick(round)` for the images behind a row. */
  constructor({ number, title, address, every, seen, heard, pick }) {
    Object.assign(this, { number, title, address, heard, pick });
    this.colour = ARM_COLOURS[number];
    this.model = emptyModel();
    this.cost = h("p", { class: "note cost" });
    this.rows = h("div", { class: "arm-rows" });
    this.failure = h("p", { class: "notice", hidden: true, role: "alert" });
    this.facts = h("dl", { class: "arm-facts" });
    this.element = h("section", { class: "card arm", "aria-label": `Arm ${title}`, style: `--arm:${this.colour}` }, h("div", { class: "card-head" }, h("h3", {}, h("i", { class: "swatch" }), title), this.cost), this.failure, this.rows, this.facts);
    this.feed = new Feed({ address, every, seen, heard: (news) => this.hear(news), gone: () => {}, trouble: () => {} });
  }

  close() {
    this.feed.close();
  }

  hear(news) {
    this.model = told(this.model, news);
    this.draw();
    this.heard();
  }

  show(result) {
    this.result = result;
    this.draw();
  }

  draw() {
    const { model, result } = this;
    const last = model.diversity.at(-1);
    const measured = model.measures.at(-1);
    say(this.cost, result ? `${duration(result.seconds)} · ${whole(result.rounds)} rounds · ${whole(result.steps)} generator steps` : "waiting for its first turn");
    say(this.failure, model.failure);
    put(this.failure, "hidden", !model.failure);
    const facts = [["accuracy", percent(measured?.[1] ?? measured?.[2], 1)], ["label hit", percent(last?.[1])], ["within", figure(last?.[2])], ["across", figure(last?.[5])], ["pool", figure(last?.[8])]];
    const key = JSON.stringify(facts);
    if (this.key !== key) this.facts.replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    this.key = key;
    this.drawRows(model.rows.slice(-SHOWN).reverse());
  }

  async drawRows(rows) {
    const newest = rows[0]?.frame;
    if (!newest || newest === this.newest) return;
    this.newest = newest;
    const pictures = await Promise.all(rows.map((row) => this.picture(row)));
    if (this.newest === newest) this.rows.replaceChildren(...pictures);
  }

  async picture(row) {
    const seen = row.teacher.filter(([label], i) => label === row.labels[i]).length;
    const image = new Image();
    image.alt = `Round ${row.round + 1}: an image of each of ${row.labels.length} classes; the teacher recognises ${seen}.`;
    image.src = `${this.address}/frame/${row.frame}.jpg`;
    try {
      await image.decode();
    } catch {
      // gone meanwhile: the next row is on its way
    }
    return h("button", { type: "button", class: "arm-row", title: `Round ${row.round + 1}: show the whole batch`, onclick: () => this.pick(row.round) }, image);
  }
}
