// The diversity of the images at three scales, with real images and noise as references, and the label accuracies.

import { LineChart } from "../charts/line_chart.js";
import { h, setAttribute } from "../core/dom.js";
import { formatNumber, formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { DIVERSITY_SCALES, diversityValue, LABEL_ACCURACY, SECOND_OPINION } from "../panels/measures.js";
import { marksOf, PLANNED_ROUNDS } from "./marks.js";

/** @import { ChartOptions, Line } from "../charts/line_chart.js" */
/** @import { RunModel } from "../core/types.d.ts" */

const PICK_NOTE = "Click a point, or press Enter on a focused chart, to see its images.";

/** Five small charts by round. */
export class DiversityCharts {
  /**
   * @param {object} options
   * @param {((round: number) => void) | null} options.pick called with the round of a chosen point
   */
  constructor({ pick }) {
    /** @type {Pick<ChartOptions, "height" | "ticks" | "small" | "pick">} */
    const common = { height: 96, ticks: 2, small: true, pick: pick && (([round]) => pick(Math.round(round) - 1)) };
    this.scales = DIVERSITY_SCALES.map(({ name, title, about, low }) => ({
      name,
      title,
      chart: new LineChart({
        ...common,
        title,
        about,
        lines: linesOf(name),
        label: `${title}: no measurement yet.`,
        axis: formatNumber,
        low,
      }),
    }));
    /** @type {(measure: { title: string, about: string }, value: Line["value"]) => LineChart} */
    const shareChart = ({ title, about }, value) =>
      new LineChart({
        ...common,
        title,
        about,
        lines: [{ name: title, color: "var(--bn)", value, format: (share) => formatPercent(share), width: 2 }],
        label: `${title}: no measurement yet.`,
        axis: (share) => `${Math.round(100 * share)} %`,
        low: 0,
        high: 1,
      });
    this.labelAccuracy = shareChart(LABEL_ACCURACY, (point) => diversityValue(point, "label_accuracy"));
    this.opinion = shareChart(SECOND_OPINION, (point) => point[1]);
    this.noOpinion = h(
      "p",
      { class: "note no-opinion", hidden: true },
      "There is no second opinion, because this run has no judge. `python -m nayer teach … --judge` makes one.",
    );
    const charts = [...this.scales.map(({ chart }) => chart), this.labelAccuracy, this.opinion];
    this.element = h(
      "section",
      { class: "card diversity", "aria-label": "Diversity" },
      withHelp(h("h3", {}, "Diversity of the images"), "panel/diversity"),
      h("div", { class: "multiples" }, ...charts.map((chart) => chart.element)),
      h(
        "p",
        { class: "note legend" },
        legendKey("", "var(--student)", "samples"),
        legendKey("dashed", "var(--teacher)", "reference: real test images"),
        legendKey("dashed", "var(--quiet-line)", "reference: noise"),
      ),
      this.noOpinion,
      h("p", { class: "note" }, pick ? `By round. ${PICK_NOTE}` : "By round."),
    );
  }

  /** @param {RunModel} model */
  update(model) {
    const last = model.diversity.at(-1);
    const shared = { points: model.diversity, marks: marksOf(model), rounds: model.facts?.rounds ?? PLANNED_ROUNDS };
    const when = last ? `after round ${Math.round(last[0])}` : "";
    for (const { name, title, chart } of this.scales) {
      const [value, noise, real] = ["", "_noise", "_real"].map((end) => diversityValue(last, name + end));
      const ends = `noise ${formatNumber(noise)}, real images ${formatNumber(real)}`;
      const text = value === null ? "no measurement yet" : `${formatNumber(value)} ${when}; ${ends}`;
      chart.show({ ...shared, label: `${title}: ${text}.` });
    }
    const hit = diversityValue(last, "label_accuracy");
    const text = hit === null ? "no measurement yet" : `${formatPercent(hit)} ${when}`;
    this.labelAccuracy.show({ ...shared, label: `${LABEL_ACCURACY.title}: ${text}.` });
    const named = model.opinions.at(-1);
    const missing = last !== undefined && !named && model.rounds_done > 0;
    setAttribute(this.opinion.element, "hidden", missing);
    setAttribute(this.noOpinion, "hidden", !missing);
    const opinion = named
      ? `${formatPercent(named[1])} of the wanted class ${when}, confidence ${formatPercent(named[2])}`
      : "no measurement yet";
    this.opinion.show({ ...shared, points: model.opinions, label: `${SECOND_OPINION.title}: ${opinion}.` });
  }
}

/**
 * The lines of a scale: the samples, and the two references.
 * @param {string} name
 * @returns {Line[]}
 */
function linesOf(name) {
  return [
    {
      name: "samples",
      color: "var(--student)",
      value: (point) => diversityValue(point, name),
      format: formatNumber,
      width: 2,
    },
    {
      name: "noise",
      color: "var(--quiet-line)",
      value: (point) => diversityValue(point, `${name}_noise`),
      format: formatNumber,
      width: 1.2,
      dash: "2 3",
    },
    {
      name: "real images",
      color: "var(--teacher)",
      value: (point) => diversityValue(point, `${name}_real`),
      format: formatNumber,
      width: 1.2,
      dash: "6 4",
    },
  ];
}

/**
 * @param {string} kind
 * @param {string} color
 * @param {string} name
 */
const legendKey = (kind, color, name) =>
  h("span", { class: "key" }, h("i", { class: kind, style: `background:${color}` }), name);
