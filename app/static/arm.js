// One arm of a lab: its name and colour, what it costs, its newest samples and where it stands.

import { classColour, duration, figure, h, many, percent, put, say } from "./dom.js";
import { emptyModel, measureName, told } from "./model.js";

// Paul Tol's vibrant colours: told apart by any eye, and none of them a class's.
export const ARM_COLOURS = ["#0077BB", "#EE7733", "#009988", "#CC3311", "#EE3377"];
const SHOWN = 4; // newest rows of samples
const ACROSS = 10; // classes of a row; more would be too small to see

export class Arm {
  /** `pick(round)` when somebody asks for the whole batch of a row, `change(text)` when this arm is to go on otherwise. */
  constructor({ number, title, address, pick, change }) {
    Object.assign(this, { number, title, address, pick });
    this.colour = ARM_COLOURS[number];
    this.model = emptyModel();
    this.cost = h("p", { class: "note cost" });
    this.heads = h("div", { class: "arm-heads" });
    this.rows = h("div", { class: "arm-rows" });
    this.failure = h("p", { class: "notice", hidden: true, role: "alert" });
    this.facts = h("dl", { class: "arm-facts" });
    const wanted = h("input", {
      type: "text",
      placeholder: "noisy_reset_every=0",
      "aria-label": `Other settings for arm ${title}`,
    });
    const asked = (event) => (event.preventDefault(), wanted.value.trim() && change(wanted.value));
    this.change = h(
      "details",
      { class: "arm-change", hidden: true },
      h("summary", {}, "Change this arm"),
      h("form", { onsubmit: asked }, wanted, h("button", { type: "submit" }, "Apply")),
      h("p", { class: "note" }, "name=value, with spaces between; from the arm's next round on."),
    );
    this.element = h(
      "section",
      { class: "card arm", "aria-label": `Arm ${title}`, style: `--arm:${this.colour}` },
      h("h3", {}, h("i", { class: "swatch" }), title),
      this.cost,
      this.failure,
      this.heads,
      this.rows,
      this.facts,
      this.change,
    );
  }

  /** `news` of the arm, or null where there are none; `result` of its present seed, undefined before its first turn. */
  hear(news, result) {
    if (news) this.model = told(this.model, news);
    const { model } = this;
    const last = model.diversity.at(-1);
    const measured = model.measures.at(-1);
    say(
      this.cost,
      result
        ? `${duration(result.seconds)} · ${many(result.rounds, "round")} · ${many(result.steps, "generator step")} · ${many(model.pool[0], "image")} in the pool`
        : "waits for its first turn",
    );
    say(this.failure, model.failure);
    put(this.failure, "hidden", !model.failure);
    this.tell([
      [measureName(model), percent(measured?.[1] ?? measured?.[2], 1)],
      ["label hit", percent(last?.[1])],
      ["within", figure(last?.[2])],
      ["across", figure(last?.[5])],
      ["pool", figure(last?.[8])],
    ]);
    if (model.facts) this.introduce(model.facts.classes);
    this.drawRows(model.rows.slice(-SHOWN).reverse());
  }

  tell(facts) {
    const key = JSON.stringify(facts);
    if (this.key !== key)
      this.facts.replaceChildren(...facts.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value))));
    this.key = key;
  }

  introduce(classes) {
    if (this.classes === classes.join("\n")) return;
    this.classes = classes.join("\n");
    const shown = classes.slice(0, ACROSS);
    this.element.style.setProperty("--across", shown.length);
    this.heads.replaceChildren(
      h("span", {}),
      ...shown.map((name, i) => h("i", { title: name, style: `background:${classColour(i, classes.length)}` })),
    );
    put(
      this.heads,
      "title",
      classes.length > ACROSS ? `The first ${ACROSS} of ${classes.length} classes; a click on a row shows all.` : null,
    );
  }

  async drawRows(rows) {
    const newest = rows[0]?.frame;
    if (!newest || newest === this.newest) return;
    this.newest = newest;
    const drawn = await Promise.all(rows.map((row) => this.row(row)));
    if (this.newest === newest) this.rows.replaceChildren(...drawn.filter(Boolean));
  }

  /** The button of a row, once its picture can be shown; null when it is gone already. */
  async row(row) {
    const picture = new Image();
    picture.src = `${this.address}/frame/${row.frame}.jpg`;
    try {
      await picture.decode();
    } catch {
      return null;
    }
    const seen = row.teacher.filter(([label], i) => label === row.labels[i]).length;
    const told = `Round ${row.round + 1}, an image of each class: the teacher recognises ${seen} of ${row.labels.length}. Show the whole batch.`;
    const strip = h("span", { class: "strip-image" });
    strip.style.backgroundImage = `url("${picture.src}")`;
    strip.style.backgroundSize = `${(100 * row.labels.length) / Math.min(row.labels.length, ACROSS)}% 100%`;
    return h(
      "button",
      { type: "button", class: "arm-row", "aria-label": told, title: told, onclick: () => this.pick(row.round) },
      h("span", { class: "gutter" }, String(row.round + 1)),
      strip,
    );
  }
}
