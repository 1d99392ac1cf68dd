// A line chart that updates in place: thin axes, a legend that shows the values under the pointer, a table behind it.

import { h, put, s, say } from "./dom.js";

const SHORTEST = 60; // rounds; longer runs get a longer axis as they go, so that the beginning can be seen
const PAD = { left: 34, right: 12, top: 10, bottom: 20 };

export class Chart {
  /**
   * lines: [{ name, colour, value: (point) => number | null, format, width?, dash? }]; a point is [x, …] with x in rounds.
   * pick(point): somebody clicks on it, or presses Enter after moving to it with the arrow keys.
   * low, high: the value axis, or null to follow the data; ticks: how many; span: show the newest so many rounds only.
   */
  constructor({ title, height, lines, low = null, high = null, ticks = 4, axis, label, small = false, hint = "", span = null, pick = null }) {
    Object.assign(this, { height, lines, low, high, ticks, axis, small, span, pick });
    this.points = [];
    this.rules = [];
    this.marks = [];
    this.rounds = 1;
    this.from = 0;
    this.readouts = lines.map((line) => h("b", { class: "figure" }, "–"));
    this.legend = h(
      "div",
      { class: "legend" },
      ...lines.map((line, i) =>
        h("span", { class: "key" }, h("i", { style: `background:${line.colour}`, class: line.dash ? "dashed" : "" }), small ? "" : `${line.name} `, this.readouts[i]),
      ),
    );
    this.heading = h(small ? "h4" : "h3", { title: hint || null }, title);
    this.svg = s("svg", { role: "img", "aria-label": label, class: "chart", height });
    this.grid = s("g", { class: "grid" });
    this.markLayer = s("g", { class: "marks" });
    this.ruleLayer = s("g", { class: "rules" });
    this.paths = lines.map((line) =>
      s("path", { class: "line", fill: "none", style: `stroke:${line.colour};stroke-width:${line.width ?? 2}`, "stroke-dasharray": line.dash ?? null }),
    );
    this.ends = lines.map((line) => s("circle", { r: small ? 2.5 : 3.5, style: `fill:${line.colour}`, class: "end" }));
    this.cursor = s("line", { class: "cursor" });
    this.svg.append(this.grid, this.markLayer, this.ruleLayer, ...this.paths, ...this.ends, this.cursor);
    this.table = h("tbody");
    this.details = h(
      "details",
      { class: "numbers", ontoggle: () => this.fillTable() },
      h("summary", {}, "Numbers"),
      h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, h("th", { scope: "col" }, "round"), ...lines.map((line) => h("th", { scope: "col" }, line.name)))), this.table)),
    );
    this.element = h("div", { class: small ? "chart-box small" : "chart-box" }, h("div", { class: "chart-head" }, this.heading, this.legend), this.svg, small ? "" : this.details);
    this.svg.addEventListener("pointermove", (event) => this.point(event));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    if (pick) this.listen();
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  /** points: rows as in the constructor; rules: [{ y, text, kind }]; marks: [{ x, kind }]; rounds: planned. */
  show({ points, rules = [], marks = [], rounds, label }) {
    this.rounds = Math.max(1, rounds);
    const from = this.begin(points);
    Object.assign(this, { from, rules, points: points.filter(([x]) => x >= from), marks: marks.filter(({ x }) => x >= from) });
    if (label) put(this.svg, "aria-label", label);
    this.draw();
    if (this.details.open) this.fillTable();
  }

  draw() {
    const width = this.svg.clientWidth;
    if (!width) return;
    const [low, high] = this.values();
    const pad = this.small ? { left: 30, right: 8, top: 6, bottom: 14 } : PAD;
    const x = (value) => pad.left + ((width - pad.left - pad.right) * (value - this.from)) / (this.end() - this.from);
    const y = (value) => this.height - pad.bottom - ((this.height - pad.top - pad.bottom) * (value - low)) / (high - low);
    this.scale = { x, y, width, pad };
    this.drawGrid(low, high);
    this.drawMarks();
    this.drawRules();
    this.lines.forEach((line, i) => {
      const drawn = this.points.map((point) => [point[0], line.value(point)]).filter(([, value]) => value !== null && value !== undefined);
      put(this.paths[i], "d", drawn.map(([at, value], n) => `${n ? "L" : "M"}${x(at).toFixed(1)} ${y(clamp(value, low, high)).toFixed(1)}`).join(""));
      const last = drawn.at(-1);
      put(this.ends[i], "visibility", last ? "visible" : "hidden");
      if (last) {
        put(this.ends[i], "cx", x(last[0]).toFixed(1));
        put(this.ends[i], "cy", y(clamp(last[1], low, high)).toFixed(1));
      }
    });
    if (!this.pointing) this.read(null);
  }

  begin(points) {
    return this.span === null ? 0 : Math.max(0, Math.ceil(points.at(-1)?.[0] ?? 0) - this.span);
  }

  end() {
    if (this.span !== null) return this.from + Math.min(this.span, this.rounds);
    const now = this.points.at(-1)?.[0] ?? 0;
    let end = SHORTEST;
    while (end < now * 1.15) end *= 2;
    return Math.max(now, Math.min(end, this.rounds));
  }

  values() {
    if (this.low !== null && this.high !== null) return [this.low, this.high];
    let low = this.low ?? Infinity;
    let high = this.high ?? -Infinity;
    for (const point of this.points)
      for (const line of this.lines) {
        const value = line.value(point);
        if (value === null || value === undefined) continue;
        if (this.low === null) low = Math.min(low, value);
        if (this.high === null) high = Math.max(high, value);
      }
    if (!Number.isFinite(low)) low = 0;
    if (!Number.isFinite(high)) high = 1;
    if (high - low < 1e-9) high = low + 1;
    const step = nice((high - low) / this.ticks, FINE);
    return [this.low ?? Math.floor(low / step) * step, this.high ?? Math.ceil(high / step) * step];
  }

  drawGrid(low, high) {
    const { x, y, width, pad } = this.scale;
    const parts = [];
    for (let i = 0; i <= this.ticks; i++) {
      const value = low + ((high - low) * i) / this.ticks;
      if (this.small && i % this.ticks !== 0) continue;
      parts.push(s("line", { x1: pad.left, x2: width - pad.right, y1: y(value), y2: y(value) }));
      parts.push(s("text", { x: pad.left - 6, y: y(value) + 3.5, "text-anchor": "end" }, this.axis(value)));
    }
    const step = Math.max(1, nice((this.end() - this.from) / (this.small ? 2 : 6)));
    for (let at = Math.ceil(this.from / step) * step; at <= this.end() + 1e-9; at += step) parts.push(s("text", { x: x(at), y: this.height - (this.small ? 2 : 5), "text-anchor": "middle" }, String(at)));
    this.grid.replaceChildren(...parts);
  }

  drawMarks() {
    const { x, pad } = this.scale;
    const floor = this.height - pad.bottom;
    this.markLayer.replaceChildren(
      ...this.marks.map(({ x: at, kind, text }) => s("line", { class: kind, x1: x(at), x2: x(at), y1: floor, y2: kind === "redraw" ? floor - 4 : pad.top }, text ? s("title", {}, text) : null)),
    );
  }

  drawRules() {
    const { y, width, pad } = this.scale;
    this.ruleLayer.replaceChildren(
      ...this.rules.flatMap(({ y: value, text, kind }) => [
        s("line", { class: kind, x1: pad.left, x2: width - pad.right, y1: y(value), y2: y(value) }),
        s("text", { class: kind, x: width - pad.right, y: y(value) - 4, "text-anchor": "end" }, text),
      ]),
    );
  }

  listen() {
    put(this.svg, "tabindex", 0);
    this.svg.classList.add("picks");
    this.svg.addEventListener("click", () => this.nearest && this.pick(this.nearest));
    this.svg.addEventListener("blur", () => this.point(null));
    this.svg.addEventListener("keydown", (event) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
      if (step && this.points.length) {
        const from = this.nearest ? this.points.indexOf(this.nearest) : this.points.length - (step > 0 ? 1 : 0);
        this.pointAt(this.points[Math.min(this.points.length - 1, Math.max(0, from + step))]);
      } else if (event.key === "Enter" && this.points.length) this.pick(this.nearest ?? this.points.at(-1));
      else return;
      event.preventDefault();
      event.stopPropagation();
    });
  }

  point(event) {
    if (event === null || !this.points.length || !this.scale) return this.pointAt(null);
    const { x } = this.scale;
    const at = event.clientX - this.svg.getBoundingClientRect().left;
    this.pointAt(this.points.reduce((best, point) => (Math.abs(x(point[0]) - at) < Math.abs(x(best[0]) - at) ? point : best)));
  }

  pointAt(nearest) {
    this.nearest = nearest;
    this.pointing = nearest !== null;
    put(this.cursor, "visibility", this.pointing ? "visible" : "hidden");
    if (!this.pointing) return this.read(null);
    const { x, pad } = this.scale;
    for (const end of ["x1", "x2"]) put(this.cursor, end, x(nearest[0]));
    put(this.cursor, "y1", pad.top);
    put(this.cursor, "y2", this.height - pad.bottom);
    this.read(nearest);
  }

  read(point) {
    this.lines.forEach((line, i) => {
      const shown = point ?? this.points.findLast((candidate) => line.value(candidate) !== null && line.value(candidate) !== undefined);
      say(this.readouts[i], shown ? line.format(line.value(shown)) : "–");
    });
  }

  fillTable() {
    if (!this.details.open) return;
    const newest = this.points.slice(-200).reverse();
    this.table.replaceChildren(
      ...newest.map((point) => h("tr", {}, h("th", { scope: "row" }, String(Math.round(point[0] * 100) / 100)), ...this.lines.map((line) => h("td", {}, line.format(line.value(point)))))),
    );
  }
}

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const FINE = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The next round number at or above `rough`: one of `factors` times a power of ten. */
function nice(rough, factors = [1, 2, 5, 10]) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * factors.find((factor) => factor * power >= rough * 0.999);
}
