// A line chart that updates in place: thin axes, a legend that shows the values under the pointer, a table behind it.

import { h, put, s, say } from "./dom.js";
import { titled } from "./explained.js";
import { Pointer } from "./pointing.js";

const SHORTEST = 60; // rounds; longer runs get a longer axis as they go, so that the beginning can be seen
const PAD = { left: 34, right: 12, top: 10, bottom: 20 };

export class Chart {
  /**
   * lines: [{ name, colour, value: (point) => number | null, format, width?, dash? }]; a point is [x, …] with x in rounds.
   * pick(point): somebody clicks on it, or presses Enter after moving to it with the arrow keys.
   * about: the keys of what is told of it; x: what x counts; apart: each line has points of its own, so one is pointed at by both its coordinates.
   * low, high: the value axis, or null to follow the data; ticks: how many; span: show the newest so many rounds only.
   */
  constructor({
    title,
    height,
    lines,
    low = null,
    high = null,
    ticks = 4,
    axis,
    label,
    small = false,
    about,
    span = null,
    pick = null,
    x = "round",
    apart = false,
  }) {
    Object.assign(this, { height, lines, low, high, ticks, axis, small, span, pick, apart });
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
        h(
          "span",
          { class: "key" },
          h("i", { style: `background:${line.colour}`, class: line.dash ? "dashed" : "" }),
          small ? "" : `${line.name} `,
          this.readouts[i],
        ),
      ),
    );
    this.heading = h(small ? "h4" : "h3", {}, title);
    this.svg = s("svg", { role: "img", "aria-label": label, class: "chart", height });
    this.grid = s("g", { class: "grid" });
    this.markLayer = s("g", { class: "marks" });
    this.ruleLayer = s("g", { class: "rules" });
    this.paths = lines.map((line) =>
      s("path", {
        class: "line",
        fill: "none",
        style: `stroke:${line.colour};stroke-width:${line.width ?? 2}`,
        "stroke-dasharray": line.dash ?? null,
      }),
    );
    this.ends = lines.map((line) => s("circle", { r: small ? 2.5 : 3.5, style: `fill:${line.colour}`, class: "end" }));
    this.ruleNames = s("g", { class: "rule-names" });
    this.svg.append(this.grid, this.markLayer, this.ruleLayer, ...this.paths, ...this.ends, this.ruleNames);
    this.table = h("tbody");
    this.details = h(
      "details",
      { class: "numbers", ontoggle: () => this.fillTable() },
      h("summary", {}, "Numbers"),
      h(
        "div",
        { class: "scroll", tabindex: 0, role: "group", "aria-label": "Numbers" },
        h(
          "table",
          {},
          h(
            "thead",
            {},
            h("tr", {}, h("th", { scope: "col" }, x), ...lines.map((line) => h("th", { scope: "col" }, line.name))),
          ),
          this.table,
        ),
      ),
    );
    this.element = h(
      "div",
      { class: small ? "chart-box small" : "chart-box" },
      h("div", { class: "chart-head" }, titled(this.heading, about), this.legend),
      this.svg,
      small ? "" : this.details,
    );
    this.pointer = new Pointer(this, { x, apart });
    new ResizeObserver(() => this.draw()).observe(this.svg);
  }

  /** points: rows as in the constructor; rules: [{ y, text, kind }]; marks: [{ x, kind }]; rounds: planned. */
  show({ points, rules = [], marks = [], rounds, label }) {
    this.rounds = Math.max(1, rounds);
    const from = this.begin(points);
    Object.assign(this, {
      from,
      rules,
      points: points.filter(([x]) => x >= from),
      marks: marks.filter(({ x }) => x >= from),
    });
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
    const y = (value) =>
      this.height - pad.bottom - ((this.height - pad.top - pad.bottom) * (value - low)) / (high - low);
    this.scale = { x, y, width, pad };
    this.drawGrid(low, high);
    this.drawMarks();
    this.drawRules();
    this.lines.forEach((line, i) => {
      const drawn = this.points.map((point) => [point[0], line.value(point)]).filter(([, value]) => isThere(value));
      put(
        this.paths[i],
        "d",
        drawn
          .map(([at, value], n) => `${n ? "L" : "M"}${x(at).toFixed(1)} ${y(clamp(value, low, high)).toFixed(1)}`)
          .join(""),
      );
      const last = drawn.at(-1);
      put(this.ends[i], "visibility", last ? "visible" : "hidden");
      if (last) {
        put(this.ends[i], "cx", x(last[0]).toFixed(1));
        put(this.ends[i], "cy", y(clamp(last[1], low, high)).toFixed(1));
      }
    });
    this.pointer.show();
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
    for (const { y } of this.rules) {
      if (this.low === null) low = Math.min(low, y);
      if (this.high === null) high = Math.max(high, y);
    }
    for (const point of this.points)
      for (const line of this.lines) {
        const value = line.value(point);
        if (!isThere(value)) continue;
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
    for (let at = Math.ceil(this.from / step) * step; at <= this.end() + 1e-9; at += step)
      parts.push(s("text", { x: x(at), y: this.height - (this.small ? 2 : 5), "text-anchor": "middle" }, String(at)));
    this.grid.replaceChildren(...parts);
  }

  drawMarks() {
    const { x, pad } = this.scale;
    const floor = this.height - pad.bottom;
    this.markLayer.replaceChildren(
      ...this.marks.map(({ x: at, kind, text }) =>
        s(
          "line",
          { class: kind, x1: x(at), x2: x(at), y1: floor, y2: kind === "redraw" ? floor - 4 : pad.top },
          text ? s("title", {}, text) : null,
        ),
      ),
    );
  }

  drawRules() {
    const { y, width, pad } = this.scale;
    const down = [...this.rules].sort((a, b) => b.y - a.y);
    const below = ({ y: value }, i) => y(value) < pad.top + 10 || (i > 0 && y(value) - y(down[i - 1].y) < 14); // no room above
    this.ruleLayer.replaceChildren(
      ...down.map((rule) =>
        s("line", { class: rule.kind, x1: pad.left, x2: width - pad.right, y1: y(rule.y), y2: y(rule.y) }),
      ),
    );
    const side = this.apart
      ? { x: pad.left + 4, "text-anchor": "start" }
      : { x: width - pad.right, "text-anchor": "end" }; // of several lines the newest points crowd the right
    this.ruleNames.replaceChildren(
      ...down.map((rule, i) =>
        s("text", { class: rule.kind, y: y(rule.y) + (below(rule, i) ? 12 : -4), ...side }, rule.text),
      ),
    );
  }

  /** The value of the line that a point belongs to, which is its first that has one. */
  valueOf(point) {
    return this.lines.map((line) => line.value(point)).find(isThere) ?? null;
  }

  /** Each line's newest value, up to a point if there is one. */
  read(point) {
    this.lines.forEach((line, i) => {
      const shown = this.points.findLast(
        (candidate) => isThere(line.value(candidate)) && (!point || candidate[0] <= point[0]),
      );
      say(this.readouts[i], shown ? line.format(line.value(shown)) : "–");
    });
  }

  fillTable() {
    if (!this.details.open) return;
    const newest = this.points.slice(-200).reverse();
    this.table.replaceChildren(
      ...newest.map((point) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, String(Math.round(point[0] * 100) / 100)),
          ...this.lines.map((line) => h("td", {}, line.format(line.value(point)))),
        ),
      ),
    );
  }
}

const isThere = (value) => value !== null && value !== undefined;

const clamp = (value, low, high) => Math.min(high, Math.max(low, value));

const FINE = [1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The next round number at or above `rough`: one of `factors` times a power of ten. */
function nice(rough, factors = [1, 2, 5, 10]) {
  const power = 10 ** Math.floor(Math.log10(rough));
  return power * factors.find((factor) => factor * power >= rough * 0.999);
}
