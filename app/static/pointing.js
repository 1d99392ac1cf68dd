// Pointing at a chart's points: with the pointer, or with arrow keys; a click or Enter picks one.

import { h, put, s, say } from "./dom.js";

export class Pointer {
  /** x: what the chart's x counts; apart: each line has points of its own, so both coordinates say which is meant. */
  constructor(chart, { x, apart }) {
    Object.assign(this, { chart, x, apart, nearest: null });
    this.cursor = s("line", { class: "cursor" });
    this.spot = s("circle", { class: "spot", r: 4.5, visibility: "hidden" });
    this.spoken = h("span", { class: "unseen", role: "status" });
    chart.svg.append(this.cursor, this.spot);
    chart.svg.addEventListener("pointermove", (event) => this.follow(event));
    chart.svg.addEventListener("pointerleave", () => this.at(null));
    if (chart.pick) this.listen();
  }

  listen() {
    const { chart } = this;
    put(chart.svg, "tabindex", 0);
    put(chart.svg, "aria-roledescription", "chart; arrow keys move along it, Enter shows the images behind a point");
    chart.svg.classList.add("picks");
    chart.element.append(this.spoken);
    chart.svg.addEventListener("click", (event) => {
      this.follow(event);
      if (this.nearest) chart.pick(this.nearest);
    });
    chart.svg.addEventListener("blur", () => this.at(null));
    chart.svg.addEventListener("keydown", (event) => this.key(event));
  }

  key(event) {
    const { points } = this.chart;
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!points.length || (!step && event.key !== "Enter")) return;
    event.preventDefault();
    event.stopPropagation();
    if (!step) return this.chart.pick(this.nearest ?? points.at(-1));
    const from = this.nearest ? points.indexOf(this.nearest) : points.length;
    this.at(points[Math.min(points.length - 1, Math.max(0, from + step))]);
    say(this.spoken, this.told());
  }

  told() {
    const values = this.chart.lines
      .map((line) => [line, line.value(this.nearest)])
      .filter(([, value]) => value !== null && value !== undefined);
    return `${this.x} ${Math.round(10 * this.nearest[0]) / 10}: ${values.map(([line, value]) => `${line.name} ${line.format(value)}`).join(", ")}`;
  }

  follow(event) {
    const { points, scale, svg } = this.chart;
    if (!points.length || !scale) return this.at(null);
    const box = svg.getBoundingClientRect();
    const away = (point) =>
      Math.hypot(
        scale.x(point[0]) - (event.clientX - box.left),
        this.apart ? this.down(point) - (event.clientY - box.top) : 0,
      );
    this.at(points.reduce((best, point) => (away(point) < away(best) ? point : best)));
  }

  down(point) {
    return this.chart.scale.y(this.chart.valueOf(point) ?? 0);
  }

  at(point) {
    this.nearest = point;
    this.show();
  }

  /** Draws what is pointed at where it lies now. */
  show() {
    const { chart, nearest } = this;
    put(this.cursor, "visibility", nearest ? "visible" : "hidden");
    put(this.spot, "visibility", nearest && chart.pick ? "visible" : "hidden");
    if (nearest && chart.scale) {
      const { x, pad } = chart.scale;
      for (const end of ["x1", "x2"]) put(this.cursor, end, x(nearest[0]));
      put(this.cursor, "y1", pad.top);
      put(this.cursor, "y2", chart.height - pad.bottom);
      put(this.spot, "cx", x(nearest[0]));
      put(this.spot, "cy", this.down(nearest));
    }
    chart.read(nearest);
  }
}
