// The result of each arm with each seed, as a table.

import { ARM_COLORS } from "../core/constants.js";
import { h, setText } from "../core/dom.js";
import { formatInteger, formatNumber } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { ARM_MEASURES } from "../panels/measures.js";

/** @import { ArmResult, LabUpdate } from "../core/types.d.ts" */

/** @type {[name: string, format: (result: ArmResult) => string][]} */
const COLUMNS = [
  ...ARM_MEASURES.map(({ name, title, format }) => {
    /** @type {(result: ArmResult) => string} */
    const write = (result) => format(result[/** @type {"accuracy"} */ (name)]);
    return /** @type {[string, (result: ArmResult) => string]} */ ([title, write]);
  }),
  ["seconds", (result) => (result.seconds === null ? "–" : formatNumber(result.seconds))],
  ["rounds", (result) => formatInteger(result.rounds)],
  ["generator steps", (result) => formatInteger(result.steps)],
];

/** A row for every arm and seed. */
export class ResultsTable {
  constructor() {
    this.shown = "";
    this.rows = h("tbody");
    /** @param {string} name */
    const head = (name) => h("th", { scope: "col" }, name);
    const columns = COLUMNS.map(([name]) => head(name));
    this.measured = columns[0];
    const heads = [head("arm"), head("seed"), ...columns, head("state")];
    const table = h("table", { class: "lab-table" }, h("thead", {}, h("tr", {}, ...heads)), this.rows);
    this.element = h(
      "section",
      { class: "card results", "aria-label": "Results by arm and seed" },
      withHelp(h("h3", {}, "Results of every arm and seed"), ["panel/results", "measure/seconds"]),
      h("div", { class: "scroll-x", tabindex: 0, role: "group", "aria-label": "Results" }, table),
    );
  }

  /** @param {LabUpdate} lab */
  update({ arms, results }) {
    const text = JSON.stringify(results);
    if (this.shown === text) return;
    this.shown = text;
    setText(this.measured, results[0]?.measured ?? "accuracy");
    const sorted = [...results].sort((a, b) => a.seed - b.seed || a.arm - b.arm);
    this.rows.replaceChildren(...sorted.map((result) => makeRow(result, arms[result.arm])));
  }
}

/**
 * @param {ArmResult} result
 * @param {string} title of its arm
 */
function makeRow(result, title) {
  const swatch = h("i", { class: "swatch", style: `--arm:${ARM_COLORS[result.arm]}` });
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, swatch, title),
    h("td", {}, String(result.seed)),
    ...COLUMNS.map(([, format]) => h("td", {}, format(result))),
    h("td", { class: "state" }, result.failure || (result.done ? "done" : "running")),
  );
}
