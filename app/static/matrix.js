// One matrix of cosines on a canvas, names at its rim, and below it a lens where squares get too small to read.

import { h, put } from "./dom.js";

const LARGEST = 64; // px a square, when there are few
const RIM = 0.27; // of the width, at most, for names
const LENS_FROM = 30; // names, from which there is a lens
const AROUND = 6; // names on each side of the pointed one, in the lens
const FONT = "system-ui, sans-serif";

export class Matrix {
  /** `point([row, column] or null)` hears where the pointer or the keyboard is. */
  constructor({ title, point }) {
    this.point = point;
    this.canvas = h("canvas", { class: "matrix", tabindex: "0", role: "img", "aria-label": `${title}: empty.` });
    this.lens = h("canvas", { class: "matrix lens", "aria-hidden": "true", hidden: true });
    this.title = title;
    this.said = h("p", { class: "note said" });
    this.element = h("div", { class: "matrix-box" }, h("h4", {}, title), this.canvas, this.lens, this.said);
    for (const kind of ["pointermove", "pointerdown"])
      this.canvas.addEventListener(kind, (event) => this.point(this.at(event)));
    this.canvas.addEventListener(
      "pointerleave",
      (event) => event.pointerType === "mouse" && document.activeElement !== this.canvas && this.point(null),
    );
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    this.canvas.addEventListener(
      "focus",
      () => this.marked ?? this.point(this.data && [this.data.order[0], this.data.order[1]]),
    );
    new ResizeObserver(() => this.canvas.clientWidth !== this.width && this.draw()).observe(this.canvas);
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => setTimeout(() => this.draw(), 100));
  }

  /** data: { names, order, value(row, column) }; `summary` is what a screen reader says of it. */
  show(data, summary) {
    this.data = data;
    this.marked = null;
    put(this.canvas, "aria-label", `${this.title}: ${summary}`);
    this.draw();
  }

  /** Frames the square of [row, column], both numbers of names; null for none. */
  mark(pair) {
    this.marked = pair;
    if (this.frame) this.frameUp();
  }

  draw() {
    this.width = this.canvas.clientWidth;
    if (!this.data || !this.width) return;
    const { order } = this.data;
    put(this.lens, "hidden", order.length < LENS_FROM);
    this.colours = colours(this.canvas);
    this.frame = layout(this.canvas, order, order, this.data.names, this.width);
    this.still = document.createElement("canvas"); // what does not change with the pointer
    this.paint(this.frame, this.still);
    this.frameUp();
  }

  frameUp() {
    const { frame, still } = this;
    const pen = sized(this.canvas, frame);
    pen.drawImage(still, 0, 0, frame.width, frame.height);
    if (this.marked) this.outline(pen, frame);
    if (!this.lens.hidden) this.look();
  }

  /** The lens round the marked square, or round the first names. */
  look() {
    const { order, names } = this.data;
    const near = (name) => {
      const from = Math.max(0, Math.min(order.indexOf(name) - AROUND, order.length - 2 * AROUND - 1));
      return order.slice(from, from + 2 * AROUND + 1);
    };
    const [row, column] = this.marked ?? [order[0], order[0]];
    const frame = layout(this.lens, near(row), near(column), names, this.width);
    const pen = this.paint(frame, this.lens);
    if (this.marked) this.outline(pen, frame);
  }

  paint(frame, canvas) {
    const pen = sized(canvas, frame);
    const { rows, columns, rim, side } = frame;
    const gap = side > 14 ? 1 : 0;
    const written = side >= 29;
    pen.textBaseline = "middle";
    rows.forEach((row, i) =>
      columns.forEach((column, j) => {
        const value = this.data.value(row, column);
        const shade = this.colours.of(value);
        pen.fillStyle = `rgb(${shade.join(" ")})`;
        // Without a gap the squares overlap by a hair, or the page's colour shines through between them.
        pen.fillRect(rim + j * side, rim + i * side, side - gap + (gap ? 0 : 0.4), side - gap + (gap ? 0 : 0.4));
        if (!written) return;
        pen.fillStyle = 0.3 * shade[0] + 0.6 * shade[1] + 0.1 * shade[2] > 140 ? "#1b2433" : "#f4f7fb";
        pen.font = `${Math.min(12, side / 3.5)}px ${FONT}`;
        pen.textAlign = "center";
        pen.fillText(cosine(value), rim + (j + 0.5) * side, rim + (i + 0.5) * side);
      }),
    );
    const step = Math.ceil(12 / side);
    rows.forEach((row, i) => i % step === 0 && this.name(pen, frame, row, i, false));
    columns.forEach((column, j) => j % step === 0 && this.name(pen, frame, column, j, true));
    return pen;
  }

  /** A name at the left rim, or at the upper one and upright; `loud` covers what stands there. */
  name(pen, { rim, side }, index, place, above, loud = false) {
    const text = fitting(pen, this.data.names[index], rim - 6, loud);
    pen.save();
    pen.translate(above ? rim + (place + 0.5) * side : rim - 5, above ? rim - 5 : rim + (place + 0.5) * side);
    if (above) pen.rotate(Math.PI / 2);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    if (loud) {
      pen.fillStyle = this.colours.card;
      pen.fillRect(-rim, -8, rim + 4, 16);
    }
    pen.fillStyle = loud ? this.colours.ink : this.colours.quiet;
    pen.fillText(text, 0, 0);
    pen.restore();
  }

  outline(pen, frame) {
    const { rows, columns, rim, side } = frame;
    const [i, j] = [rows.indexOf(this.marked[0]), columns.indexOf(this.marked[1])];
    if (i < 0 || j < 0) return;
    const room = Math.max(side, 7);
    pen.strokeStyle = this.colours.ink;
    pen.lineWidth = 2;
    pen.strokeRect(rim + (j + 0.5) * side - room / 2, rim + (i + 0.5) * side - room / 2, room, room);
    this.name(pen, frame, this.marked[0], i, false, true);
    this.name(pen, frame, this.marked[1], j, true, true);
  }

  at(event) {
    if (!this.frame) return null;
    const box = this.canvas.getBoundingClientRect();
    const { rim, side } = this.frame;
    const [column, row] = [(event.clientX - box.left - rim) / side, (event.clientY - box.top - rim) / side].map(
      Math.floor,
    );
    const { order } = this.data;
    return order[row] === undefined || order[column] === undefined ? null : [order[row], order[column]];
  }

  key(event) {
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (event.key === "Escape") this.point(null);
    if (!step || !this.data) return;
    event.preventDefault();
    const { order } = this.data;
    const places = (this.marked ?? [order[0], order[0]]).map((name, axis) =>
      Math.max(0, Math.min(order.length - 1, order.indexOf(name) + step[axis])),
    );
    this.point(places.map((place) => order[place]));
  }
}

/** The scale's key: from −1 to 1. */
export function scaleKey() {
  return h("div", { class: "scale-key", "aria-hidden": "true" }, h("span", {}, "−1"), h("i"), h("span", {}, "1"));
}

export const cosine = (value, digits = 2) =>
  value
    .toFixed(digits)
    .replace("-", "−")
    .replace(/^−(0\.0+)$/, "$1");

function layout(canvas, rows, columns, names, width) {
  const pen = canvas.getContext("2d");
  pen.font = `11px ${FONT}`;
  const longest = Math.max(...[...rows, ...columns].map((index) => pen.measureText(names[index]).width));
  const rim = Math.ceil(Math.min(longest + 10, width * RIM));
  const side = Math.min((width - rim - 1) / columns.length, LARGEST);
  return { rows, columns, rim, side, width, height: Math.ceil(rim + side * rows.length) + 1 };
}

/** The canvas at the screen's own resolution, empty, and its pen in CSS pixels. */
function sized(canvas, { width, height }) {
  const dense = devicePixelRatio || 1;
  canvas.width = Math.round(width * dense);
  canvas.height = Math.round(height * dense);
  canvas.style.height = `${height}px`;
  const pen = canvas.getContext("2d");
  pen.scale(dense, dense);
  pen.font = `11px ${FONT}`;
  return pen;
}

function fitting(pen, name, room, loud) {
  pen.font = `${loud ? "600 " : ""}11px ${FONT}`;
  if (pen.measureText(name).width <= room) return name;
  const letters = [...name];
  while (letters.length && pen.measureText(`${letters.join("")}…`).width > room) letters.pop();
  return `${letters.join("")}…`;
}

/** The scale of the theme in use: cold for −1, warm for 1, told apart with any kind of colour vision. */
function colours(element) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(name).trim();
  const [cold, zero, warm] = ["--cold", "--zero", "--warm"].map((name) =>
    [1, 3, 5].map((at) => parseInt(read(name).slice(at, at + 2), 16)),
  );
  const of = (value) => {
    const end = value < 0 ? cold : warm;
    return zero.map((from, i) => Math.round(from + (end[i] - from) * Math.abs(value)));
  };
  return { of, card: read("--card"), ink: read("--ink"), quiet: read("--quiet") };
}
