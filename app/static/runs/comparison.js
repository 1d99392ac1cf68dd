// Two to five runs of a visitor side by side: their curves together, their numbers, and the settings that differ.

import { LineChart } from "../charts/line_chart.js";
import { serverUrl } from "../core/api.js";
import { ARM_COLORS } from "../core/constants.js";
import { h, setAttribute } from "../core/dom.js";
import { formatNumber, formatPercent } from "../core/format.js";
import { applyUpdate, emptyModel, studentMeasure } from "../core/model.js";

/** @import { RunModel } from "../core/types.d.ts" */

/** @typedef {{ id: string, title: string }} Named */
/** @typedef {Named & { model: RunModel }} Compared */
/** @typedef {readonly [round: number, run: number, value: number]} MeasuredPoint */

/** @type {[name: string, value: (model: RunModel) => string][]} */
const ROWS = [
  ["state", ({ state }) => state],
  ["teacher", ({ facts }) => facts?.teacher ?? "–"],
  ["seed", ({ facts }) => String(facts?.config.seed ?? "–")],
  ["rounds", ({ rounds_done }) => String(rounds_done)],
  ["seconds", ({ seconds }) => formatNumber(seconds)],
  ["student", (model) => formatPercent(measureOf(model), 1)],
  ["teacher's accuracy", ({ teacher_accuracy }) => formatPercent(teacher_accuracy, 1)],
];
const IN_ROWS = ["teacher", "seed"]; // settings that have a row already

/** The card with the comparison. */
export class Comparison {
  /** @param {(sentence: string) => void} complain shows a sentence about what cannot be compared */
  constructor(complain) {
    this.complain = complain;
    this.shown = "";
    this.place = h("div", {});
    this.table = h("table", { class: "lab-table" });
    this.element = h(
      "section",
      { class: "card run-comparison", "aria-label": "Comparison", hidden: true },
      this.place,
      h("div", { class: "scroll-x", tabindex: 0, role: "group", "aria-label": "Numbers of the runs" }, this.table),
    );
  }

  /**
   * Fetches the runs and shows them; the card is hidden for fewer than two.
   * @param {Named[]} runs
   */
  async show(runs) {
    const wanted = JSON.stringify(runs);
    if (this.shown === wanted) return;
    this.shown = wanted;
    setAttribute(this.element, "hidden", runs.length < 2);
    if (runs.length < 2) return;
    const all = await Promise.all(runs.map((run) => modelOf(run)));
    if (this.shown !== wanted) return;
    const found = all.filter((run) => run !== null);
    if (found.length < all.length) this.complain("Some of these runs do not exist, or are no longer kept.");
    this.draw(found);
  }

  /** @param {Compared[]} runs */
  draw(runs) {
    const swatch = (/** @type {number} */ i) => h("i", { class: "swatch", style: `--arm:${ARM_COLORS[i]}` });
    /** @type {LineChart<MeasuredPoint>} */
    const chart = new LineChart({
      title: "Accuracy of the students, in %",
      about: ["measure/accuracy", "measure/agreement"],
      label: "No run has been measured.",
      height: 260,
      low: 0,
      high: 1,
      axis: (value) => `${Math.round(100 * value)}`,
      apart: true,
      lines: runs.map(({ title }, i) => ({
        name: title,
        color: ARM_COLORS[i],
        value: ([, run, value]) => (run === i ? value : null),
        format: (value) => formatPercent(value, 1),
      })),
    });
    this.place.replaceChildren(chart.element);
    /** @type {MeasuredPoint[]} */
    const points = runs.flatMap(({ model }, i) => {
      const column = studentMeasure(model) === "accuracy" ? 1 : 2;
      return model.measures.flatMap((point) =>
        point[column] === null ? [] : [/** @type {MeasuredPoint} */ ([point[0], i, Number(point[column])])],
      );
    });
    chart.show({
      points: points.sort(([a], [b]) => a - b),
      rounds: Math.max(...runs.map(({ model }) => model.facts?.rounds ?? 1)),
      label: runs.map(({ title, model }) => `${title}: ${formatPercent(measureOf(model), 1)}`).join("; "),
    });
    const heads = runs.map(({ title }, i) => h("th", { scope: "col" }, swatch(i), title));
    const rows = [...ROWS, ...differing(runs)].map(([name, value]) =>
      h("tr", {}, h("th", { scope: "row" }, name), ...runs.map(({ model }) => h("td", {}, value(model)))),
    );
    this.table.replaceChildren(
      h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "run"), ...heads)),
      h("tbody", {}, ...rows),
    );
  }
}

/**
 * A run with its model; null if the server does not know it.
 * @param {Named} run
 * @returns {Promise<Compared | null>}
 */
async function modelOf(run) {
  try {
    const answer = await fetch(serverUrl(`live/${run.id}/status`), { cache: "no-store" });
    return answer.ok ? { ...run, model: applyUpdate(emptyModel(), await answer.json()) } : null;
  } catch {
    return null;
  }
}

/**
 * The settings in which the runs differ, as rows.
 * @param {Compared[]} runs
 * @returns {typeof ROWS}
 */
function differing(runs) {
  const configs = runs.flatMap(({ model }) => (model.facts ? [model.facts.config] : []));
  const names = Object.keys(configs[0] ?? {}).filter((name) => !IN_ROWS.includes(name));
  return names
    .filter((name) => new Set(configs.map((config) => config[name])).size > 1)
    .map((name) => [name, ({ facts }) => String(facts?.config[name] ?? "–")]);
}

/**
 * The student's latest accuracy, or its agreement if there are no test images.
 * @param {RunModel} model
 */
function measureOf(model) {
  return model.measures.at(-1)?.[studentMeasure(model) === "accuracy" ? 1 : 2];
}
