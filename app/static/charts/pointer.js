// Marks a point of a chart with the pointer or the arrow keys; a click or Enter chooses it.

import { h, s, setAttribute, setText } from "../core/dom.js";

/** @import { Point } from "../core/types.d.ts" */
/** @import { LineChart } from "./line_chart.js" */

/**
 * Marks a point of a chart.
 * @template {readonly [number, ...unknown[]]} [P=Point]
 */
export class ChartPointer {
  /**
   * @param {LineChart<P>} chart
   * @param {string} x the unit of the chart's x axis
   */
  constructor(chart, x) {
    this.chart = chart;
    this.x = x;
    /** @type {P | null} */
    this.nearest = null;
    this.cursor = s("line", { class: "cursor" });
    this.spot = s("circle", { class: "spot", r: 4.5, visibility: "hidden" });
    this.spoken = h("span", { class: "visually-hidden", role: "status" });
    chart.svg.append(this.cursor, this.spot);
    chart.svg.addEventListener("pointermove", (event) => this.follow(event));
    chart.svg.addEventListener("pointerleave", () => this.pointAt(null));
    if (chart.pick) this.listen(chart.pick);
  }

  /**
   * Lets a visitor choose points.
   * @param {(point: P) => void} pick
   */
  listen(pick) {
    const { svg, element } = this.chart;
    setAttribute(svg, "tabindex", 0);
    setAttribute(
      svg,
      "aria-roledescription",
      "chart; arrow keys move between points, Enter shows the images of a point",
    );
    svg.classList.add("picks");
    element.append(this.spoken);
    svg.addEventListener("click", (event) => {
      this.follow(event);
      if (this.nearest) pick(this.nearest);
    });
    svg.addEventListener("blur", () => this.pointAt(null));
    svg.addEventListener("keydown", (event) => this.handleKey(event, pick));
  }

  /**
   * @param {KeyboardEvent} event
   * @param {(point: P) => void} pick
   */
  handleKey(event, pick) {
    const { points } = this.chart;
    const last = points.at(-1);
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!last || (!step && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!step) {
      pick(this.nearest ?? last);
      return;
    }
    const from = this.nearest ? points.indexOf(this.nearest) : points.length;
    const point = points[Math.min(points.length - 1, Math.max(0, from + step))];
    this.pointAt(point);
    setText(this.spoken, this.describe(point));
  }

  /**
   * A point in words.
   * @param {P} point
   */
  describe(point) {
    const values = this.chart.lines.flatMap((line) => {
      const value = line.value(point);
      return value === null || value === undefined ? [] : [`${line.name} ${line.format(value)}`];
    });
    return `${this.x} ${Math.round(10 * point[0]) / 10}: ${values.join(", ")}`;
  }

  /**
   * Marks the point that is nearest to the pointer.
   * @param {MouseEvent} event
   */
  follow(event) {
    const { points, scale, svg, apart } = this.chart;
    if (!points.length || !scale) {
      this.pointAt(null);
      return;
    }
    const box = svg.getBoundingClientRect();
    const zoom = box.width / scale.width; // the enlargement for a projector
    /** @type {(point: P) => number} */
    const distance = (point) =>
      Math.hypot(
        scale.x(point[0]) - (event.clientX - box.left) / zoom,
        apart ? scale.y(this.chart.valueOf(point) ?? 0) - (event.clientY - box.top) / zoom : 0,
      );
    this.pointAt(points.reduce((best, point) => (distance(point) < distance(best) ? point : best)));
  }

  /** @param {P | null} point */
  pointAt(point) {
    this.nearest = point;
    this.show();
  }

  /** Draws the mark at the present position of its point. */
  show() {
    const { chart, nearest } = this;
    setAttribute(this.cursor, "visibility", nearest ? "visible" : "hidden");
    setAttribute(this.spot, "visibility", nearest && chart.pick ? "visible" : "hidden");
    if (nearest && chart.scale) {
      const { x, y, pad } = chart.scale;
      for (const end of ["x1", "x2"]) setAttribute(this.cursor, end, x(nearest[0]));
      setAttribute(this.cursor, "y1", pad.top);
      setAttribute(this.cursor, "y2", chart.height - pad.bottom);
      setAttribute(this.spot, "cx", x(nearest[0]));
      setAttribute(this.spot, "cy", y(chart.valueOf(nearest) ?? 0));
    }
    chart.showValues(nearest);
  }
}
