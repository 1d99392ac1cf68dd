// A line chart that updates in place: thin axes, a legend that shows the values under the pointer, a table behind it.

import { h, s, setAttribute, setText } from "../core/dom.js";
import { withHelp } from "../core/help.js";
import { NumbersTable, numbersRow } from "./numbers_table.js";
import { ChartPointer } from "./pointer.js";

/** @import { Point } from "../core/types.d.ts" */

/**
 * A line of a chart.
 * @template [P=Point]
 * @typedef {object} Line
 * @property {string} name
 * @property {string} color
 * @property {(point: P) => number | null | undefined} value
 * @property {(value: number | null | undefined) => string} format
 * @property {number} [width]
 * @property {string | null} [dash]
 * @property {(point: P) => [low: number, high: number] | null} [band] a range about the line
 */

/** @typedef {{ y: number, text: string, kind: string }} Rule a level that is drawn across the chart */
/** @typedef {{ x: number, kind: string, text?: string }} ChartMark an event at x */

/**
 * The mapping from points to pixels.
 * @typedef {object} Scale
 * @property {(value: number) => number} x
 * @property {(value: number) => number} y
 * @property {number} width of the chart
 * @property {{ left: number, right: number, top: number, bottom: number }} pad
 */

/**
 * @template [P=Point]
 * @typedef {object} ChartOptions
 * @property {string} title
 * @property {number} height px
 * @property {Line<P>[]} lines
 * @property {(value: number) => string} axis formats a number of the value axis
 * @property {string} label the text for screen readers before there are points
 * @property {string | string[]} about keys of the table of explanations
 * @property {number | null} [low] the start of the value axis; null follows the data
 * @property {number | null} [high] the end of the value axis; null follows the data
 * @property {number} [ticks] of the value axis
 * @property {boolean} [small] one of several small charts small charts
 * @property {number | null} [span] shows only this many newest rounds
 * @property {((point: P) => void) | null} [pick] called with a point at a click or at Enter
 * @property {string} [x] the unit of x
 * @property {boolean} [apart] each line has its own points, so both coordinates decide which point is nearest
 */

const SHORTEST_AXIS = 60; // rounds; a longer run has a longer axis, so that its start stays visible
const UNIT_CHARACTER = 6.4; // px, approximately
const PAD = { left: 34, right: 12, top: 10, bottom: 20 };
const SMALL_PAD = { left: 38, right: 8, top: 8, bottom: 16 };
const TABLE_ROWS = 200; // the newest points in the table

/**
 * A chart of points [x, …].
 * @template {readonly [number, ...unknown[]]} [P=Point]
 */
export class LineChart {
  /** @param {ChartOptions<P>} options */
  constructor({ title, height, lines, axis, label, about, ...options }) {
    const { low = null, high = null, ticks = 4, small = false, span = null, pick = null, x = "round" } = options;
    this.height = height;
    this.lines = lines;
    this.axis = axis;
    this.low = low;
    this.high = high;
    this.ticks = ticks;
    this.small = small;
    this.span = span;
    this.pick = pick;
    this.unit = x;
    this.apart = options.apart ?? false;
    /** @type {P[]} */
    this.points = [];
    /** @type {Rule[]} */
    this.rules = [];
    /** @type {ChartMark[]} */
    this.marks = [];
    this.rounds = 1;
    this.from = 0;
    /** @type {Scale | null} */
    this.scale = null;
    this.readouts = lines.map(() => h("b", { class: "figure" }, "–"));
    this.heading = h(small ? "h4" : "h3", {}, title);
    this.svg = s("svg", { role: "img", "aria-label": label, class: "chart", height });
    this.grid = s("g", { class: "grid" });
    this.markLayer = s("g", { class: "marks" });
    this.ruleLayer = s("g", { class: "rules" });
    this.paths = lines.map(({ color, width = 2, dash = null }) =>
      s("path", {
        class: "line",
        fill: "none",
        style: `stroke:${color};stroke-width:${width}`,
        "stroke-dasharray": dash,
      }),
    );
    this.bands = lines.map(({ color }) => s("path", { class: "band", style: `fill:${color}` }));
    this.ends = lines.map(({ color }) => s("circle", { r: small ? 2.5 : 3.5, style: `fill:${color}`, class: "end" }));
    this.ruleKeys = h("span", { class: "legend" }); // beside the curves, so that the names cover none
    this.ruleTexts = "";
    this.svg.append(this.grid, ...this.bands, this.markLayer, this.ruleLayer, ...this.paths, ...this.ends);
    this.table = new NumbersTable([x, ...lines.map((line) => line.name)], () => this.tableRows());
    this.element = h(
      "div",
      { class: small ? "chart-box small" : "chart-box" },
      h("div", { class: "chart-head" }, withHelp(this.heading, about), this.legend()),
      this.svg,
      small ? "" : this.table.element,
    );
    this.pointer = new ChartPointer(this, x);
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  /** The names of the lines with their colors and newest values. */
  legend() {
    const keys = this.lines.map(({ name, color, dash }, i) =>
      h(
        "span",
        { class: "key" },
        h("i", { style: `background:${color}`, class: dash ? "dashed" : "" }),
        this.small ? "" : `${name} `,
        this.readouts[i],
      ),
    );
    return h("div", { class: "legend" }, ...keys, this.ruleKeys);
  }

  /**
   * Shows these points.
   * @param {object} data
   * @param {P[]} data.points
   * @param {Rule[]} [data.rules]
   * @param {ChartMark[]} [data.marks]
   * @param {number} data.rounds planned, in the unit of x
   * @param {string} data.label the text for screen readers
   */
  show({ points, rules = [], marks = [], rounds, label }) {
    this.rounds = Math.max(1, rounds);
    this.from = this.span === null ? 0 : Math.max(0, Math.ceil(points.at(-1)?.[0] ?? 0) - this.span);
    this.rules = rules;
    this.points = points.filter(([x]) => x >= this.from);
    this.marks = marks.filter(({ x }) => x >= this.from);
    setAttribute(this.svg, "aria-label", label);
    this.draw();
    this.table.update();
  }

  /** Draws everything at the present width. */
  draw() {
    const width = this.svg.clientWidth;
    if (!width) return;
    const [low, high] = this.valueRange();
    const { from, height } = this;
    const pad = this.small ? SMALL_PAD : PAD;
    const end = this.end();
    /** @type {Scale} */
    const scale = {
      x: (value) => pad.left + ((width - pad.left - pad.right) * (value - from)) / (end - from),
      y: (value) => height - pad.bottom - ((height - pad.top - pad.bottom) * (value - low)) / (high - low),
      width,
      pad,
    };
    this.scale = scale;
    this.drawGrid(scale, low, high);
    this.drawMarks(scale);
    this.drawRules(scale);
    for (const [i, line] of this.lines.entries()) this.drawLine(scale, line, i, low, high);
    this.pointer.show();
  }

  /**
   * @param {Scale} scale
   * @param {Line<P>} line
   * @param {number} index
   * @param {number} low
   * @param {number} high
   */
  drawLine({ x, y }, line, index, low, high) {
    const places = this.points.flatMap((point) => {
      const value = line.value(point);
      return isNumber(value) ? [[x(point[0]).toFixed(1), y(clamp(value, low, high)).toFixed(1)]] : [];
    });
    const [path, end] = [this.paths[index], this.ends[index]];
    const ranges = line.band ? this.points.map((point) => ({ at: x(point[0]), range: line.band?.(point) })) : [];
    const known = ranges.flatMap(({ at, range }) => (range ? [{ at, low: range[0], high: range[1] }] : []));
    const edge = [...known.map((one) => [one.at, one.high]), ...known.reverse().map((one) => [one.at, one.low])].map(
      ([left, value]) => `${left.toFixed(1)} ${y(clamp(value, low, high)).toFixed(1)}`,
    );
    setAttribute(this.bands[index], "d", edge.length ? `M${edge.join("L")}Z` : null);
    setAttribute(path, "d", places.map(([left, top], n) => `${n ? "L" : "M"}${left} ${top}`).join(""));
    const last = places.at(-1);
    setAttribute(end, "visibility", last ? "visible" : "hidden");
    if (last) {
      setAttribute(end, "cx", last[0]);
      setAttribute(end, "cy", last[1]);
    }
  }

  /** The end of the x axis. */
  end() {
    if (this.span !== null) return this.from + Math.min(this.span, this.rounds);
    const now = this.points.at(-1)?.[0] ?? 0;
    let end = SHORTEST_AXIS;
    while (end < now * 1.15) end *= 2;
    return Math.max(now, Math.min(end, this.rounds));
  }

  /**
   * The start and the end of the value axis.
   * @returns {[number, number]}
   */
  valueRange() {
    if (this.low !== null && this.high !== null) return [this.low, this.high];
    let low = this.low ?? Number.POSITIVE_INFINITY;
    let high = this.high ?? Number.NEGATIVE_INFINITY;
    const values = this.points.flatMap((point) =>
      this.lines.flatMap((line) => [line.value(point), ...(line.band?.(point) ?? [])]).filter(isNumber),
    );
    for (const value of [...this.rules.map(({ y }) => y), ...values]) {
      if (this.low === null) low = Math.min(low, value);
      if (this.high === null) high = Math.max(high, value);
    }
    if (!Number.isFinite(low)) low = 0;
    if (!Number.isFinite(high)) high = 1;
    if (high - low < 1e-9) high = low + 1;
    const step = roundUp((high - low) / this.ticks, FINE_STEPS);
    return [this.low ?? Math.floor(low / step) * step, this.high ?? Math.ceil(high / step) * step];
  }

  /**
   * @param {Scale} scale
   * @param {number} low
   * @param {number} high
   */
  drawGrid({ x, y, width, pad }, low, high) {
    const parts = [];
    for (let i = 0; i <= this.ticks; i++) {
      const value = low + ((high - low) * i) / this.ticks;
      if (this.small && i % this.ticks !== 0) continue;
      parts.push(s("line", { x1: pad.left, x2: width - pad.right, y1: y(value), y2: y(value) }));
      parts.push(s("text", { x: pad.left - 6, y: y(value) + 3.5, "text-anchor": "end" }, this.axis(value)));
    }
    const step = Math.max(1, roundUp((this.end() - this.from) / (this.small ? 2 : 6), COARSE_STEPS));
    const bottom = this.height - (this.small ? 2 : 5);
    const edge = width - pad.right + 4; // the unit replaces the number at the end of the axis
    const room = edge - UNIT_CHARACTER * this.unit.length - 14;
    for (let at = Math.ceil(this.from / step) * step; at <= this.end() + 1e-9 && x(at) < room; at += step)
      parts.push(s("text", { x: x(at), y: bottom, "text-anchor": "middle" }, String(at)));
    parts.push(s("text", { x: edge, y: bottom, "text-anchor": "end", class: "unit" }, this.unit));
    this.grid.replaceChildren(...parts);
  }

  /** @param {Scale} scale */
  drawMarks({ x, pad }) {
    const floor = this.height - pad.bottom;
    const lines = this.marks.map(({ x: at, kind, text }) =>
      s(
        "line",
        { class: kind, x1: x(at), x2: x(at), y1: floor, y2: kind === "redraw" ? floor - 4 : pad.top },
        text ? s("title", {}, text) : null,
      ),
    );
    this.markLayer.replaceChildren(...lines);
  }

  /** @param {Scale} scale */
  drawRules({ y, width, pad }) {
    this.ruleLayer.replaceChildren(
      ...this.rules.map((rule) =>
        s("line", { class: rule.kind, x1: pad.left, x2: width - pad.right, y1: y(rule.y), y2: y(rule.y) }),
      ),
    );
    const texts = this.rules.map(({ text }) => text).join("\n");
    if (texts === this.ruleTexts) return;
    this.ruleTexts = texts;
    const keys = this.rules.map(({ text, kind }) =>
      h("span", { class: "key" }, h("i", { class: `rule ${kind}` }), text),
    );
    this.ruleKeys.replaceChildren(...keys);
  }

  /**
   * The value of the line of a point: the first line that has a value there.
   * @param {P} point
   */
  valueOf(point) {
    return this.lines.map((line) => line.value(point)).find(isNumber) ?? null;
  }

  /**
   * Writes each line's newest value into the legend, up to a point if there is one.
   * @param {P | null} point
   */
  showValues(point) {
    for (const [i, line] of this.lines.entries()) {
      const newest = this.points.findLast(
        (candidate) => isNumber(line.value(candidate)) && (!point || candidate[0] <= point[0]),
      );
      setText(this.readouts[i], newest ? line.format(line.value(newest)) : "–");
    }
  }

  /** The newest points, the newest first. */
  tableRows() {
    const newest = this.points.slice(-TABLE_ROWS).reverse();
    return newest.map((point) =>
      numbersRow(String(Math.round(point[0] * 100) / 100), ...this.lines.map((line) => line.format(line.value(point)))),
    );
  }
}

/**
 * @param {number | null | undefined} value
 * @returns {value is number}
 */
const isNumber = (value) => value !== null && value !== undefined;

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const COARSE_STEPS = [1, 2, 5, 10];
const FINE_STEPS = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/**
 * The smallest round number that is at least `rough`: one of `factors` times a power of ten.
 * @param {number} rough
 * @param {number[]} factors
 */
function roundUp(rough, factors) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * (factors.find((factor) => factor * power >= rough * 0.999) ?? 10);
}
