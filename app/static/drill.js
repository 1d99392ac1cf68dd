// The images behind a point of a chart: a round's batch, all classes or one, and what is measured of each.

import { figure, h, percent, put, say } from "./dom.js";

export class Drill {
  constructor() {
    this.title = h("h3", {});
    this.note = h("p", { class: "note" });
    this.choice = h("select", { "aria-label": "Class", onchange: () => this.fill() });
    this.images = h("div", { class: "drill-images" });
    this.table = h("table", { class: "drill-table" });
    this.element = h(
      "dialog",
      { class: "drill nayer", "aria-label": "The images behind a point", onclick: (event) => event.target === this.element && this.element.close() },
      h("div", { class: "drill-head" }, this.title, this.choice, h("button", { type: "button", "aria-label": "Close", onclick: () => this.element.close() }, "✕")),
      this.note,
      this.images,
      h("div", { class: "scroll" }, this.table),
    );
  }

  /** `address` of the run or arm, a round, the class names and what the arm is called. */
  async show({ address, round, classes, name = "" }) {
    let batch;
    try {
      const answer = await fetch(`${address}/round/${round}`);
      batch = await answer.json();
      if (!answer.ok) throw new Error(batch.error);
    } catch (error) {
      batch = { round, labels: [], teacher: [], by_class: {}, missing: error.message };
    }
    const picture = `${address}/round/${batch.round}/batch.jpg`;
    Object.assign(this, { batch, classes, picture });
    say(this.title, `${name ? `${name}: ` : ""}round ${batch.round + 1}`);
    const moved = batch.round === round ? "" : ` Round ${round + 1} is no longer kept; this is the nearest one.`;
    say(this.note, batch.missing ?? `${batch.labels.length} images; the teacher sees ${percent(batch.label_hit)} of them as the wanted label. A dot marks those it sees as another class.${moved}`);
    const chosen = this.choice.value;
    this.choice.replaceChildren(h("option", { value: "" }, "all classes"), ...classes.map((label, i) => h("option", { value: i }, label)));
    this.choice.value = classes[chosen] ? chosen : "";
    this.fill();
    if (!this.element.isConnected) document.body.append(this.element);
    if (!this.element.open) this.element.showModal();
  }

  fill() {
    const { batch, classes } = this;
    const only = this.choice.value === "" ? null : Number(this.choice.value);
    const shown = batch.labels.map((label, at) => [label, at]).filter(([label]) => only === null || label === only);
    this.images.replaceChildren(...shown.map(([label, at]) => this.tile(label, at)));
    put(this.images, "data-only", only !== null);
    const measures = [["vendi", "different images"], ["nearest", "nearest in an earlier round"], ["label_hit", "label hit"]].filter(([name]) => batch.by_class[name]);
    const rows = classes.map((name, i) => [name, i]).filter(([, i]) => measures.length && (only === null || i === only));
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "class"), ...measures.map(([, title]) => h("th", { scope: "col" }, title)))),
      h("tbody", {}, ...rows.map(([name, i]) => h("tr", {}, h("th", { scope: "row" }, name), ...measures.map(([measure]) => h("td", {}, measure === "label_hit" ? percent(batch.by_class[measure][i]) : figure(batch.by_class[measure][i])))))),
    );
  }

  tile(label, at) {
    const [seen, sure] = this.batch.teacher[at];
    const told = `${this.classes[label]}; the teacher sees ${this.classes[seen]}, ${percent(sure)}`;
    const tile = h("span", { class: "tile", role: "img", "aria-label": told, title: told }, seen === label ? null : h("i", { class: "dot teacher-no" }));
    tile.style.backgroundImage = `url("${this.picture}")`;
    cut(tile, at, this.batch.labels.length);
    return tile;
  }
}

/** Shows image `at` of `count` of a strip as the element's background. */
export function cut(element, at, count) {
  element.style.backgroundSize = `${count * 100}% 100%`;
  element.style.backgroundPosition = count > 1 ? `${(at / (count - 1)) * 100}% 0` : "0 0";
}
