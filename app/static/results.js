// What came of each arm with each seed, as a table.

import { ARM_COLOURS } from "./arm.js";
import { figure, h, percent, say, whole } from "./dom.js";
import { titled } from "./explained.js";

const COLUMNS = [
  ["accuracy", (r) => percent(r.accuracy, 1)],
  ["label hit", (r) => percent(r.label_hit)],
  ["within a round", (r) => figure(r.within)],
  ["across rounds", (r) => figure(r.across)],
  ["over the pool", (r) => figure(r.pool)],
  ["seconds", (r) => figure(r.seconds)],
  ["rounds", (r) => whole(r.rounds)],
  ["generator steps", (r) => whole(r.steps)],
];

export class Results {
  constructor() {
    this.rows = h("tbody");
    const head = (name) => h("th", { scope: "col" }, name);
    const columns = COLUMNS.map(([name]) => head(name));
    this.measured = columns[0];
    const heads = [head("arm"), head("seed"), ...columns, head("state")];
    this.element = h(
      "section",
      { class: "card results", "aria-label": "Results by arm and seed" },
      titled(h("h3", {}, "Every arm, every seed"), ["panel/results", "measure/seconds"]),
      h(
        "div",
        { class: "scroll-x", tabindex: 0, role: "group", "aria-label": "Results" },
        h("table", { class: "lab-table" }, h("thead", {}, h("tr", {}, ...heads)), this.rows),
      ),
    );
  }

  update({ arms, results }) {
    const key = JSON.stringify(results);
    if (this.key === key) return;
    this.key = key;
    say(this.measured, results[0]?.measured ?? "accuracy");
    const sorted = [...results].sort((a, b) => a.seed - b.seed || a.arm - b.arm);
    this.rows.replaceChildren(
      ...sorted.map((result) =>
        h(
          "tr",
          {},
          h(
            "th",
            { scope: "row" },
            h("i", { class: "swatch", style: `--arm:${ARM_COLOURS[result.arm]}` }),
            arms[result.arm],
          ),
          h("td", {}, String(result.seed)),
          ...COLUMNS.map(([, show]) => h("td", {}, show(result))),
          h("td", { class: "state" }, result.failure || (result.done ? "done" : "going on")),
        ),
      ),
    );
  }
}
