// The card with two heatmaps of cosines, before and after BatchNorm: one scale, one order, one pointer for both.

import { h, setAttribute, setText } from "../core/dom.js";
import { formatCosine, formatInteger } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { Heatmap, scaleKey } from "./heatmap.js";
import { NumbersTable, numbersRow } from "./numbers_table.js";

/** @import { CosineSummary, EmbeddingAnswer } from "../core/types.d.ts" */
/** @import { Pair } from "./heatmap.js" */

/** @typedef {"before" | "after"} Side of the BatchNorm */
/** @typedef {(row: number, column: number) => number} Cosine of two names by their numbers */
/** @typedef {{ answer: EmbeddingAnswer, cosines: Record<Side, Cosine> }} Shown */

const MAX_PAIRS = 300; // in the table
const FOLLOW = "Point at a square, or tab to a matrix and use the arrow keys.";
/** @type {[order: "typed" | "alike", name: string][]} */
const ORDERS = [
  ["typed", "as typed"],
  ["alike", "similar together"],
];

/** The similarity of the names before and after BatchNorm. */
export class HeatmapPair {
  /**
   * @param {object} options
   * @param {(pair: Pair | null) => void} options.focus called with the marked pair
   */
  constructor({ focus }) {
    this.focus = focus;
    /** @type {"typed" | "alike"} */
    this.order = "typed";
    /** @type {Shown | null} */
    this.shown = null;
    /** @type {Record<Side, Heatmap>} */
    this.heatmaps = {
      before: new Heatmap({ title: "Before BatchNorm", point: (pair) => this.point(pair) }),
      after: new Heatmap({ title: "After BatchNorm", point: (pair) => this.point(pair) }),
    };
    this.buttons = ORDERS.map(([order, name]) =>
      h(
        "button",
        { type: "button", "aria-pressed": String(order === this.order), onclick: () => this.arrange(order) },
        name,
      ),
    );
    this.note = h("p", { class: "heatmap-note" });
    this.readout = h("p", { class: "readout", "aria-live": "polite" });
    this.caption = h("caption");
    this.table = new NumbersTable(["name", "name", "before", "after"], () => this.tableRows(), {
      summary: "Cosines of all pairs",
      caption: this.caption,
    });
    const orders = { class: "segmented small", role: "group", "aria-label": "Order of the names" };
    this.element = h(
      "section",
      { class: "card heatmaps", "aria-label": "Cosine similarity of the names" },
      h(
        "div",
        { class: "card-head" },
        withHelp(h("h3", {}, "How similar are the names to the generator?"), "panel/cosines"),
        h("div", orders, ...this.buttons),
      ),
      this.note,
      this.readout,
      h("div", { class: "heatmap-pair" }, this.heatmaps.before.element, this.heatmaps.after.element),
      scaleKey(),
      this.table.element,
    );
    this.showPair(null);
  }

  /** @param {EmbeddingAnswer} answer */
  show(answer) {
    const k = answer.asked.names.length;
    const cosines = {
      before: unpackTriangle(answer.before.cosines, k),
      after: unpackTriangle(answer.after.cosines, k),
    };
    this.shown = { answer, cosines };
    const digits = k > 20 ? 3 : 2; // the bound −1/(k − 1) must not round to 0
    this.note.replaceChildren(
      `A BatchNorm before the noisy layer brings each of the ${answer.width} dimensions to mean 0 and variance 1 over the ${k} classes. It removes what all names share and enlarges what differs. `,
      "The mean cosine of two different names is ",
      h("b", {}, formatCosine(answer.before.mean, digits)),
      " before and ",
      h("b", {}, formatCosine(answer.after.mean, digits)),
      ` after it. For ${k} names the mean cannot be below ${formatCosine(answer.lowest_mean, digits)}.`,
    );
    this.draw(this.shown);
    this.table.update();
  }

  /** @param {"typed" | "alike"} order */
  arrange(order) {
    this.order = order;
    for (const [i, button] of this.buttons.entries())
      setAttribute(button, "aria-pressed", String(ORDERS[i][0] === order));
    if (this.shown) this.draw(this.shown);
  }

  /** @param {Shown} shown */
  draw({ answer, cosines }) {
    const { names } = answer.asked;
    const order = this.order === "typed" ? names.map((_, i) => i) : answer.order;
    for (const side of /** @type {Side[]} */ (["before", "after"])) {
      const summary = answer[side];
      const { mean, lowest, highest } = summary;
      const range = `mean ${formatCosine(mean)}, from ${formatCosine(lowest)} to ${formatCosine(highest)}`;
      this.heatmaps[side].closest.replaceChildren(...closestPairs(summary, names, cosines[side]));
      this.heatmaps[side].show(
        { names, order, value: cosines[side] },
        `cosines between ${names.length} names, ${range}. Arrow keys move from pair to pair.`,
      );
    }
    this.point(null);
  }

  /** @param {Pair | null} pair */
  point(pair) {
    if (!this.shown) return;
    this.heatmaps.before.mark(pair);
    this.heatmaps.after.mark(pair);
    this.showPair(pair);
    this.focus(pair);
  }

  /** @param {Pair | null} pair */
  showPair(pair) {
    if (!pair || !this.shown) {
      setText(this.readout, FOLLOW);
      return;
    }
    const { answer, cosines } = this.shown;
    const { names } = answer.asked;
    const [i, j] = pair;
    if (i === j) {
      this.readout.replaceChildren(isolated(names[i]), ": the same name twice, cosine 1.");
      return;
    }
    this.readout.replaceChildren(
      isolated(names[i]),
      " and ",
      isolated(names[j]),
      ": cosine ",
      h("b", {}, formatCosine(cosines.before(i, j))),
      " before, ",
      h("b", {}, formatCosine(cosines.after(i, j))),
      " after BatchNorm.",
    );
  }

  /** The pairs, the closest before BatchNorm first. */
  tableRows() {
    if (!this.shown) return [];
    const { names } = this.shown.answer.asked;
    const { before, after } = this.shown.cosines;
    const pairs = names.flatMap((_, i) => Array.from({ length: i }, (_, j) => [j, i]));
    pairs.sort(([a, b], [c, d]) => before(c, d) - before(a, b) || a - c || b - d);
    setText(
      this.caption,
      pairs.length > MAX_PAIRS
        ? `The ${MAX_PAIRS} most similar of ${formatInteger(pairs.length)} pairs`
        : `All ${pairs.length} pairs, most similar first`,
    );
    return pairs.slice(0, MAX_PAIRS).map(([i, j]) => {
      const row = numbersRow(isolated(names[i]), formatCosine(before(i, j), 3), formatCosine(after(i, j), 3));
      row.firstElementChild?.after(h("th", { scope: "row" }, isolated(names[j])));
      return row;
    });
  }
}

/**
 * @param {CosineSummary} summary
 * @param {string[]} names
 * @param {Cosine} cosine
 */
function closestPairs({ closest, lowest, highest }, names, cosine) {
  if (highest - lowest < 0.0005) return [`Every pair has a cosine of ${formatCosine(highest)}.`];
  const pairs = closest.map(([i, j]) =>
    h("li", {}, isolated(names[i]), " and ", isolated(names[j]), ` ${formatCosine(cosine(i, j))}`),
  );
  return [`From ${formatCosine(lowest)} to ${formatCosine(highest)}. Most similar:`, h("ol", {}, ...pairs)];
}

/**
 * A name whose writing direction does not affect its neighbors.
 * @param {string} name
 */
const isolated = (name) => h("bdi", {}, name);

/**
 * The upper triangle, row by row and in thousandths, as a function of row and column.
 * @param {number[]} triangle
 * @param {number} k names
 * @returns {Cosine}
 */
function unpackTriangle(triangle, k) {
  return (i, j) => {
    if (i === j) return 1;
    const [row, column] = i < j ? [i, j] : [j, i];
    return triangle[row * (k - 1) - (row * (row - 1)) / 2 + column - row - 1] / 1000;
  };
}
