// A pad to draw on: with a mouse, a pen or a finger, or with the arrow keys. It also takes pictures.

import { h, setAttribute } from "../core/dom.js";

const SIDE = 280; // px of the canvas; the page scales it
const STROKE = 24; // px
const KEY_STEP = 10; // px an arrow key moves the pen
/** Ink colors of a color pad, by name. */
const INKS = [
  ["black", "#1b1b1b"],
  ["red", "#d7263d"],
  ["orange", "#f18f01"],
  ["yellow", "#ffd166"],
  ["green", "#2a9d4e"],
  ["blue", "#2176c7"],
  ["brown", "#7a4a21"],
  ["white", "#ffffff"],
];
/** @type {Record<string, [x: number, y: number]>} */
const ARROWS = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

/** A canvas with a pen. */
export class DrawingPad {
  /**
   * @param {object} options
   * @param {(finished: boolean) => void} options.onDraw called after a change; `finished` at the end of a stroke
   */
  constructor({ onDraw }) {
    this.onDraw = onDraw;
    this.color = false;
    this.ink = "#ffffff";
    this.drawing = false;
    this.fresh = true; // the next stroke clears the pad
    this.touched = false;
    this.pen = { x: SIDE / 2, y: SIDE / 2, down: false };
    this.canvas = h("canvas", {
      width: SIDE,
      height: SIDE,
      tabindex: 0,
      role: "application",
      "aria-roledescription": "drawing pad",
      "aria-label":
        "Drawing pad. The arrow keys move the pen. Space puts it on the paper or lifts it. Delete clears the pad.",
    });
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    if (!context) throw new Error("This browser has no canvas.");
    this.context = context;
    this.cursor = h("i", { class: "pen", hidden: true, "aria-hidden": "true" });
    this.hint = h("span", { class: "hint", "aria-hidden": "true" }, "Draw here");
    this.inks = h("div", { class: "inks", role: "group", "aria-label": "Ink", hidden: true });
    this.swatches = INKS.map(([name = "", value = ""]) =>
      h("button", {
        type: "button",
        class: "ink",
        title: name,
        "aria-label": name,
        style: `--ink-color: ${value}`,
        onclick: () => this.chooseInk(value),
      }),
    );
    this.inks.append(...this.swatches);
    this.element = h(
      "div",
      { class: "pad" },
      h("div", { class: "paper" }, this.canvas, this.cursor, this.hint),
      this.inks,
    );
    this.listen();
    this.wipe();
  }

  /** Listens to the pointer and the keys. */
  listen() {
    const { canvas } = this;
    canvas.addEventListener("pointerdown", (event) => {
      if (event.button !== 0) return;
      event.preventDefault();
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      this.begin();
      this.drawing = true;
      Object.assign(this.pen, this.place(event));
      this.line(this.pen, this.pen);
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!this.drawing) return;
      const places = (event.getCoalescedEvents?.() ?? [event]).map((one) => this.place(one));
      for (const next of places) {
        this.line(this.pen, next);
        Object.assign(this.pen, next);
      }
    });
    for (const end of ["pointerup", "pointercancel"])
      canvas.addEventListener(end, () => {
        if (this.drawing) this.onDraw(true);
        this.drawing = false;
      });
    canvas.addEventListener("keydown", (event) => this.handleKey(event));
    canvas.addEventListener("blur", () => this.lift());
  }

  /**
   * Sets the colors: white ink on black for gray images, colors on white for color images.
   * @param {boolean} color
   */
  setColor(color) {
    if (color === this.color) return;
    this.color = color;
    setAttribute(this.inks, "hidden", !color);
    this.chooseInk(color ? (INKS[0]?.[1] ?? "") : "#ffffff");
    this.wipe();
  }

  /** @param {string} ink */
  chooseInk(ink) {
    this.ink = ink;
    this.swatches.forEach((swatch, index) => {
      setAttribute(swatch, "aria-pressed", String(INKS[index]?.[1] === ink));
    });
  }

  /** Clears the pad. */
  wipe() {
    this.context.fillStyle = this.color ? "#ffffff" : "#000000";
    this.context.fillRect(0, 0, SIDE, SIDE);
    this.fresh = false;
    this.touched = false;
    setAttribute(this.hint, "hidden", false);
    setAttribute(this.element, "data-color", this.color);
  }

  /**
   * Shows the middle square of a picture. The next stroke is drawn on it.
   * @param {ImageBitmap} picture
   */
  show(picture) {
    const side = Math.min(picture.width, picture.height);
    const [left, top] = [(picture.width - side) / 2, (picture.height - side) / 2];
    this.wipe();
    this.context.imageSmoothingQuality = "high";
    this.context.drawImage(picture, left, top, side, side, 0, 0, SIDE, SIDE);
    this.touch();
  }

  /**
   * Shows an image of the data set; each pixel is a square. The next stroke clears the pad.
   * @param {HTMLCanvasElement} image
   */
  showPixels(image) {
    this.wipe();
    this.context.imageSmoothingEnabled = false;
    this.context.drawImage(image, 0, 0, SIDE, SIDE);
    this.context.imageSmoothingEnabled = true;
    this.touch();
    this.fresh = true;
  }

  /** The pixels of the pad. */
  picture() {
    return this.context.getImageData(0, 0, SIDE, SIDE);
  }

  /** Starts a stroke. */
  begin() {
    if (this.fresh) this.wipe();
    this.touch();
  }

  /** Marks the pad as not empty. */
  touch() {
    this.touched = true;
    setAttribute(this.hint, "hidden", true);
  }

  /**
   * The position of an event on the canvas.
   * @param {PointerEvent} event
   */
  place(event) {
    const { left, top, width, height } = this.canvas.getBoundingClientRect();
    return { x: ((event.clientX - left) / width) * SIDE, y: ((event.clientY - top) / height) * SIDE };
  }

  /**
   * @param {{ x: number, y: number }} from
   * @param {{ x: number, y: number }} to
   */
  line(from, to) {
    const { context } = this;
    context.strokeStyle = this.ink;
    context.lineWidth = STROKE;
    context.lineCap = "round";
    context.lineJoin = "round";
    context.beginPath();
    context.moveTo(from.x, from.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    this.onDraw(false);
  }

  /** @param {KeyboardEvent} event */
  handleKey(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const step = ARROWS[event.key];
    if (step) this.movePen(step);
    else if (event.key === " ") this.pressPen();
    else if (event.key === "Delete" || event.key === "Backspace") {
      this.wipe();
      this.onDraw(true);
    } else return;
    event.preventDefault();
    event.stopPropagation(); // outside of the pad, Space plays
  }

  /** @param {[x: number, y: number]} step */
  movePen([x, y]) {
    /** @param {number} value */
    const within = (value) => Math.max(0, Math.min(SIDE, value));
    const next = { x: within(this.pen.x + x * KEY_STEP), y: within(this.pen.y + y * KEY_STEP) };
    if (this.pen.down) this.line(this.pen, next);
    Object.assign(this.pen, next);
    this.showPen();
  }

  /** Space: moves the pen down or up. */
  pressPen() {
    if (this.pen.down) {
      this.lift();
      return;
    }
    this.begin();
    this.pen.down = true;
    this.line(this.pen, this.pen);
    this.showPen();
  }

  /** Lifts the pen. */
  lift() {
    if (this.pen.down) this.onDraw(true);
    this.pen.down = false;
    setAttribute(this.cursor, "hidden", true);
  }

  /** Shows the pen at the position to which the keys have moved it. */
  showPen() {
    setAttribute(this.cursor, "hidden", false);
    this.cursor.classList.toggle("down", this.pen.down);
    this.cursor.style.left = `${(100 * this.pen.x) / SIDE}%`;
    this.cursor.style.top = `${(100 * this.pen.y) / SIDE}%`;
  }
}
