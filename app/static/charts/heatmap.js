// A heatmap on a canvas with names at two edges; below it, an enlarged part if the squares are too small to read.

import { h, setAttribute } from "../core/dom.js";
import { formatCosine } from "../core/format.js";

/** @typedef {[row: number, column: number]} Pair two names by their numbers; column −1 is the whole row */
/** @typedef {[red: number, green: number, blue: number]} Shade */

/**
 * The data of a heatmap.
 * @typedef {object} HeatmapData
 * @property {string[]} names
 * @property {number[]} order the numbers of the names, in the order at the edges
 * @property {(row: number, column: number) => number} value from −1 to 1
 * @property {(row: number, column: number) => string} [text] the text in a square; the default is a cosine
 */

/**
 * The layout of a canvas, in CSS pixels.
 * @typedef {object} Frame
 * @property {number[]} rows numbers of names
 * @property {number[]} columns
 * @property {number} rim the width of the margin with the names
 * @property {number} side of a square
 * @property {number} width
 * @property {number} height
 */

const LARGEST_SIDE = 64; // px of a square, if there are few
const MAX_RIM = 0.27; // of the width
const LENS_FROM = 30; // names: from this number on, a part is enlarged
const LENS_REACH = 6; // names on each side of the marked one, in the enlarged part
const WRITTEN_SIDE = 29; // px: larger squares contain their number
const GAP_SIDE = 14; // px: larger squares have gaps between them
const FONT = "system-ui, sans-serif";

/** A square of numbers that the pointer and the keyboard can mark. */
export class Heatmap {
  /**
   * @param {object} options
   * @param {string} options.title
   * @param {(pair: Pair | null) => void} options.point called with the marked pair
   * @param {(pair: Pair) => void} [options.pick] called with the pair at a click or at Enter
   */
  constructor({ title, point, pick }) {
    this.title = title;
    this.point = point;
    this.pick = pick;
    this.canvas = h("canvas", { class: "heatmap", tabindex: "0", role: "img", "aria-label": `${title}: empty.` });
    this.lens = h("canvas", { class: "heatmap lens", "aria-hidden": "true", hidden: true });
    this.closest = h("p", { class: "note closest" });
    this.element = h("div", { class: "heatmap-box" }, h("h4", {}, title), this.canvas, this.lens, this.closest);
    /** @type {HeatmapData | null} */
    this.data = null;
    /** @type {Pair | null} */
    this.marked = null;
    /** @type {Frame | null} */
    this.frame = null;
    /** @type {Frame | null} */
    this.lensFrame = null;
    this.background = document.createElement("canvas"); // the part that does not depend on the pointer
    this.colors = readColors(this.canvas);
    this.width = 0;
    this.listen();
  }

  /** Listens to the pointer, the keyboard, the width and the theme. */
  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointermove", (event) => this.point(this.pairAt(event)));
    canvas.addEventListener("pointerdown", (event) => this.point(this.pairAt(event)));
    canvas.addEventListener("pointerleave", ({ pointerType }) => {
      if (pointerType === "mouse" && document.activeElement !== canvas) this.point(null);
    });
    for (const one of [canvas, this.lens])
      one.addEventListener("click", (event) => {
        const pair = this.pairAt(event, one, one === canvas ? this.frame : this.lensFrame);
        if (pair) this.pick?.(pair);
      });
    canvas.addEventListener("keydown", (event) => this.handleKey(event));
    canvas.addEventListener("focus", () => {
      if (!this.marked) this.point(this.data && [this.data.order[0], this.data.order[1]]);
    });
    new ResizeObserver(() => canvas.clientWidth !== this.width && this.draw()).observe(canvas);
    const theme = matchMedia("(prefers-color-scheme: dark)");
    theme.addEventListener("change", () => setTimeout(() => this.draw(), 100));
  }

  /**
   * @param {HeatmapData} data
   * @param {string} summary the text for screen readers
   */
  show(data, summary) {
    this.data = data;
    this.marked = null;
    setAttribute(this.canvas, "aria-label", `${this.title}: ${summary}`);
    this.draw();
  }

  /**
   * Frames the square of a pair; null for none.
   * @param {Pair | null} pair
   */
  mark(pair) {
    this.marked = pair;
    this.drawMarked();
  }

  /** Draws everything at the present width. */
  draw() {
    this.width = this.canvas.clientWidth;
    if (!this.data || !this.width) return;
    const { order, names } = this.data;
    setAttribute(this.lens, "hidden", order.length < LENS_FROM);
    this.colors = readColors(this.canvas);
    this.frame = layout(this.canvas, order, order, names, this.width);
    this.paint(this.data, this.frame, this.background);
    this.drawMarked();
  }

  /** Draws the part that depends on the pointer. */
  drawMarked() {
    const { data, frame } = this;
    if (!data || !frame) return;
    const pen = resize(this.canvas, frame);
    pen.drawImage(this.background, 0, 0, frame.width, frame.height);
    this.drawOutline(data, pen, frame);
    if (!this.lens.hidden) this.drawLens(data);
  }

  /**
   * The enlarged part around the marked square, or around the first names.
   * @param {HeatmapData} data
   */
  drawLens(data) {
    const { order, names } = data;
    /** @type {(name: number) => number[]} */
    const around = (name) => {
      if (name < 0) return order.slice(0, 2 * LENS_REACH + 1);
      const from = Math.max(0, Math.min(order.indexOf(name) - LENS_REACH, order.length - 2 * LENS_REACH - 1));
      return order.slice(from, from + 2 * LENS_REACH + 1);
    };
    const [row, column] = this.marked ?? [order[0], order[0]];
    const frame = layout(this.lens, around(row), around(column), names, this.width);
    this.lensFrame = frame;
    this.drawOutline(data, this.paint(data, frame, this.lens), frame);
  }

  /**
   * Draws squares and names.
   * @param {HeatmapData} data
   * @param {Frame} frame
   * @param {HTMLCanvasElement} canvas
   */
  paint(data, frame, canvas) {
    const pen = resize(canvas, frame);
    const { rows, columns, rim, side } = frame;
    // Without a gap the squares overlap by half a pixel, because else the page's color shows between them.
    const size = side > GAP_SIDE ? side - 1 : side + 0.4;
    pen.textBaseline = "middle";
    for (const [i, row] of rows.entries())
      for (const [j, column] of columns.entries()) {
        const value = data.value(row, column);
        const [red, green, blue] = this.colors.shade(value);
        pen.fillStyle = `rgb(${red} ${green} ${blue})`;
        pen.fillRect(rim + j * side, rim + i * side, size, size);
        if (side < WRITTEN_SIDE) continue;
        pen.fillStyle = 0.3 * red + 0.6 * green + 0.1 * blue > 140 ? "#1b2433" : "#f4f7fb";
        pen.font = `${Math.min(12, side / 3.5)}px ${FONT}`;
        pen.textAlign = "center";
        pen.fillText(data.text?.(row, column) ?? formatCosine(value), rim + (j + 0.5) * side, rim + (i + 0.5) * side);
      }
    const step = Math.ceil(12 / side); // every how many names one fits
    for (let i = 0; i < rows.length; i += step) this.drawName(pen, frame, data.names[rows[i]], i, "left");
    for (let j = 0; j < columns.length; j += step) this.drawName(pen, frame, data.names[columns[j]], j, "top");
    return pen;
  }

  /**
   * A name at the left edge, or vertical at the top.
   * @param {CanvasRenderingContext2D} pen
   * @param {Frame} frame
   * @param {string} name
   * @param {number} place
   * @param {"left" | "top"} rim
   * @param {boolean} [marked] covers the names below it
   */
  drawName(pen, { rim: width, side }, name, place, rim, marked = false) {
    const text = fit(pen, name, width - 6, marked);
    const [along, across] = [width + (place + 0.5) * side, width - 5];
    pen.save();
    if (rim === "top") {
      pen.translate(along, across);
      pen.rotate(Math.PI / 2);
    } else pen.translate(across, along);
    pen.textAlign = "right";
    pen.textBaseline = "middle";
    if (marked) {
      pen.fillStyle = this.colors.card;
      pen.fillRect(-width, -8, width + 4, 16);
    }
    pen.fillStyle = marked ? this.colors.ink : this.colors.quiet;
    pen.fillText(text, 0, 0);
    pen.restore();
  }

  /**
   * The frame of the marked square and its names.
   * @param {HeatmapData} data
   * @param {CanvasRenderingContext2D} pen
   * @param {Frame} frame
   */
  drawOutline({ names }, pen, frame) {
    if (!this.marked) return;
    const { rows, columns, rim, side } = frame;
    const [row, column] = this.marked;
    const [i, j] = [rows.indexOf(row), columns.indexOf(column)];
    if (i < 0 || (j < 0 && column >= 0)) return;
    const size = Math.max(side, 7);
    const width = column < 0 ? side * columns.length : size;
    pen.strokeStyle = this.colors.ink;
    pen.lineWidth = 2;
    pen.strokeRect(
      column < 0 ? rim : rim + (j + 0.5) * side - size / 2,
      rim + (i + 0.5) * side - size / 2,
      width,
      size,
    );
    this.drawName(pen, frame, names[row], i, "left", true);
    if (column >= 0) this.drawName(pen, frame, names[column], j, "top", true);
  }

  /**
   * The pair under the pointer.
   * @param {MouseEvent} event
   * @param {HTMLCanvasElement} [canvas]
   * @param {Frame | null} [frame]
   * @returns {Pair | null}
   */
  pairAt(event, canvas = this.canvas, frame = this.frame) {
    if (!frame) return null;
    const box = canvas.getBoundingClientRect();
    const { rows, columns, rim, side } = frame;
    const row = rows[Math.floor((event.clientY - box.top - rim) / side)];
    const column = columns[Math.floor((event.clientX - box.left - rim) / side)];
    return row === undefined || column === undefined ? null : [row, column];
  }

  /** @param {KeyboardEvent} event */
  handleKey(event) {
    if (event.key === "Escape") this.point(null);
    if (event.key === "Enter" && this.marked) this.pick?.(this.marked);
    const step = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
    if (!step || !this.data) return;
    event.preventDefault();
    const { order } = this.data;
    /** @type {(name: number, by: number) => number} */
    const neighbor = (name, by) => order[Math.max(0, Math.min(order.length - 1, order.indexOf(name) + by))];
    const [row, marked] = this.marked ?? [order[0], order[0]];
    const column = marked < 0 ? row : marked;
    this.point([neighbor(row, step[0]), neighbor(column, step[1])]);
  }
}

/** The legend of the color scale from −1 to 1. */
export function scaleKey() {
  return h("div", { class: "scale-key", "aria-hidden": "true" }, h("span", {}, "−1"), h("i"), h("span", {}, "1"));
}

/**
 * The drawing context of a canvas.
 * @param {HTMLCanvasElement} canvas
 */
function penOf(canvas) {
  const pen = canvas.getContext("2d");
  if (!pen) throw new Error("This browser does not draw on a canvas.");
  return pen;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {number[]} rows
 * @param {number[]} columns
 * @param {string[]} names
 * @param {number} width
 * @returns {Frame}
 */
function layout(canvas, rows, columns, names, width) {
  const pen = penOf(canvas);
  pen.font = `11px ${FONT}`;
  const longest = Math.max(...[...rows, ...columns].map((index) => pen.measureText(names[index]).width));
  const rim = Math.ceil(Math.min(longest + 10, width * MAX_RIM));
  const side = Math.min((width - rim - 1) / columns.length, LARGEST_SIDE);
  return { rows, columns, rim, side, width, height: Math.ceil(rim + side * rows.length) + 1 };
}

/**
 * Clears the canvas at the screen's resolution. Returns its drawing context in CSS pixels.
 * @param {HTMLCanvasElement} canvas
 * @param {Frame} frame
 */
function resize(canvas, { width, height }) {
  const density = devicePixelRatio || 1;
  canvas.width = Math.round(width * density);
  canvas.height = Math.round(height * density);
  canvas.style.height = `${height}px`;
  const pen = penOf(canvas);
  pen.scale(density, density);
  pen.font = `11px ${FONT}`;
  return pen;
}

/**
 * A name, shortened to this many pixels.
 * @param {CanvasRenderingContext2D} pen
 * @param {string} name
 * @param {number} room
 * @param {boolean} bold
 */
function fit(pen, name, room, bold) {
  pen.font = `${bold ? "600 " : ""}11px ${FONT}`;
  if (pen.measureText(name).width <= room) return name;
  const letters = [...name];
  while (letters.length && pen.measureText(`${letters.join("")}…`).width > room) letters.pop();
  return `${letters.join("")}…`;
}

/**
 * The colors of the present theme: cold for −1, warm for 1. They are distinct for color-blind readers.
 * @param {Element} element
 */
function readColors(element) {
  const style = getComputedStyle(element);
  /** @type {(name: string) => string} */
  const read = (name) => style.getPropertyValue(name).trim();
  const [cold, zero, warm] = ["--cold", "--zero", "--warm"].map((name) =>
    [1, 3, 5].map((at) => Number.parseInt(read(name).slice(at, at + 2), 16)),
  );
  /** @type {(value: number) => Shade} */
  const shade = (value) => {
    const end = value < 0 ? cold : warm;
    /** @type {(i: number) => number} */
    const mix = (i) => Math.round(zero[i] + (end[i] - zero[i]) * Math.abs(value));
    return [mix(0), mix(1), mix(2)];
  };
  return { shade, card: read("--card"), ink: read("--ink"), quiet: read("--quiet") };
}
