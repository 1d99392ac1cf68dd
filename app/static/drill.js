// The images behind a point of a chart: a round's batch, all classes or one, and what is measured of each.

import { figure, h, percent, put, say } from "./dom.js";

const MEASURES = [
  ["vendi", "different images", figure],
  ["nearest", "distance to an earlier round", figure],
  ["label_hit", "label hit", percent],
];

export class Drill {
  /** `host`: where on the page the dialog lives. */
  constructor({ host }) {
    this.host = host;
    this.title = h("h3", {});
    this.note = h("p", { class: "note" });
    this.choice = h("select", { "aria-label": "Class", onchange: () => this.fill() });
    this.images = h("div", { class: "drill-images" });
    this.table = h("table", { class: "lab-table" });
    const step = (which, name, sign) =>
      h(
        "button",
        {
          type: "button",
          "aria-label": name,
          title: name,
          onclick: () => this.show({ ...this.asked, round: this.batch[which] }),
        },
        sign,
      );
    this.steps = { earlier: step("earlier", "An earlier round", "‹"), later: step("later", "A later round", "›") };
    this.element = h(
      "dialog",
      {
        class: "drill nayer",
        "aria-label": "The images behind a point",
        onclick: (event) => event.target === this.element && this.element.close(),
      },
      h(
        "div",
        { class: "drill-head" },
        this.title,
        h(
          "div",
          { class: "choices" },
          this.choice,
          this.steps.earlier,
          this.steps.later,
          h("button", { type: "button", "aria-label": "Close", onclick: () => this.element.close() }, "✕"),
        ),
      ),
      this.note,
      this.images,
      h("div", { class: "scroll-x", tabindex: 0, role: "group", "aria-label": "Numbers by class" }, this.table),
    );
  }

  /** `address` of the run or arm, a round, the class names, and the arm's name and colour where there are several. */
  async show(asked) {
    this.asked = asked;
    const { address, round, classes, name = "", colour = "transparent" } = asked;
    const batch = await fetched(`${address}/round/${round}`);
    const picture = `${address}/batch/${batch.number}.jpg`;
    await decoded(picture, batch);
    if (this.asked !== asked) return;
    Object.assign(this, { batch, classes, picture });
    this.element.style.setProperty("--arm", colour);
    say(this.title, `${name ? `${name}, ` : ""}round ${batch.round + 1}`);
    for (const [which, button] of Object.entries(this.steps)) put(button, "disabled", (batch[which] ?? null) === null);
    const moved = batch.round === round ? "" : ` Round ${round + 1} is no longer kept; this is the nearest one.`;
    say(
      this.note,
      batch.missing ??
        `${batch.labels.length} images; the teacher sees ${percent(batch.label_hit)} of the round's images as the wanted label. A dot marks those it sees as another class.${moved}`,
    );
    const chosen = this.choice.value;
    this.choice.replaceChildren(
      h("option", { value: "" }, "all classes"),
      ...classes.map((label, i) => h("option", { value: i }, label)),
    );
    this.choice.value = classes[chosen] ? chosen : "";
    this.fill();
    if (!this.element.isConnected) this.host.append(this.element);
    if (!this.element.open) this.element.showModal();
  }

  fill() {
    const { batch, classes } = this;
    const only = this.choice.value === "" ? null : Number(this.choice.value);
    const shown = classes.map((name, i) => [name, batch.labels.flatMap((label, at) => (label === i ? [at] : []))]);
    const most = Math.max(1, ...shown.map(([, places]) => places.length));
    const wanted = shown.filter(([, places], i) => places.length && (only === null || i === only));
    this.images.replaceChildren(
      ...wanted.map(([name, places]) =>
        h(
          "div",
          { class: "drill-class" },
          h("span", { title: name }, name),
          h("div", { class: "drill-tiles" }, ...places.map((at) => this.tile(at))),
        ),
      ),
    );
    this.images.style.setProperty("--most", Math.min(most, 10));
    put(this.images, "data-only", only !== null);
    const measures = MEASURES.filter(([name]) => batch.by_class[name]);
    const rows = classes
      .map((name, i) => [name, i])
      .filter(([, i]) => measures.length && (only === null || i === only));
    this.table.replaceChildren(
      h(
        "thead",
        {},
        h(
          "tr",
          {},
          h("th", { scope: "col" }, "class"),
          ...measures.map(([, title]) => h("th", { scope: "col" }, title)),
        ),
      ),
      h(
        "tbody",
        {},
        ...rows.map(([name, i]) =>
          h(
            "tr",
            {},
            h("th", { scope: "row" }, name),
            ...measures.map(([measure, , format]) => h("td", {}, format(batch.by_class[measure][i]))),
          ),
        ),
      ),
    );
  }

  tile(at) {
    const label = this.batch.labels[at];
    const [seen, sure] = this.batch.teacher[at];
    const told = `${this.classes[label]}; the teacher sees ${this.classes[seen]}, ${percent(sure)}`;
    const tile = h(
      "span",
      { class: "tile", role: "img", "aria-label": told, title: told },
      seen === label ? null : h("i", { class: "dot" }),
    );
    tile.style.backgroundImage = `url("${this.picture}")`;
    cut(tile, at, this.batch.labels.length);
    return tile;
  }
}

/** What is known of the batch of a round; an empty one with the sentence that is `missing` where there is none. */
async function fetched(address) {
  const none = { round: Number(address.split("/").at(-1)), labels: [], teacher: [], by_class: {} };
  try {
    const answer = await fetch(address);
    const batch = await answer.json();
    return answer.ok ? batch : { ...none, missing: batch.error };
  } catch {
    return { ...none, missing: "The images did not arrive; try again." };
  }
}

/** Waits until the picture can be shown, so that nothing flickers; without it the batch has no images. */
async function decoded(picture, batch) {
  if (!batch.labels.length) return;
  const whole = new Image();
  whole.src = picture;
  try {
    await whole.decode();
  } catch {
    Object.assign(batch, { labels: [], missing: "The images of this round are no longer kept." });
  }
}

/** Shows image `at` of `count` of a strip as the element's background. */
export function cut(element, at, count) {
  element.style.backgroundSize = `${count * 100}% 100%`;
  element.style.backgroundPosition = count > 1 ? `${(at / (count - 1)) * 100}% 0` : "0 0";
}
