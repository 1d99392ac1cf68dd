// The invented images: one column per class, the newest row on top, and above it the row that is being made.

import { classColor } from "../core/colors.js";
import { h, hiddenText, isVisible, loadImage, setAttribute, setText, showImage } from "../core/dom.js";
import { formatPercent } from "../core/format.js";
import { withHelp } from "../core/help.js";

/** @import { Opinion, RunModel, SampleRow } from "../core/types.d.ts" */

const MANY_CLASSES = 12; // above which the columns have a fixed width
const TIP_WIDTH = 290; // px
const LABEL_ACCURACY_MEANING = "label accuracy: share of the batch that the teacher assigns to the wanted class";
const HELD_STATES = ["running", "paused"];

/** The grid of samples, with a card for the image under the pointer. */
export class SampleGrid {
  /**
   * @param {object} options
   * @param {(index: number | null) => void} options.focus called with the class under the pointer
   * @param {(url: string, count: number) => void} options.onPreview called with the newest preview
   */
  constructor({ focus, onPreview }) {
    this.focus = focus;
    this.onPreview = onPreview;
    /** @type {Map<number, { row: SampleRow, element: HTMLElement }>} */
    this.rows = new Map(); // by round, the newest first
    /** @type {string[]} */
    this.classes = [];
    this.previewFrame = -1;
    this.heads = h("div", { class: "heads", role: "row" });
    this.previewRow = h("div", {});
    this.body = h("div", { class: "rows", role: "rowgroup" });
    this.grid = h(
      "div",
      { class: "grid", role: "grid", "aria-label": "Generated images, one column per class, newest round first" },
      h("div", { role: "rowgroup", class: "heads-group" }, this.heads),
      this.body,
    );
    this.summary = h("p", { class: "note summary" });
    this.scrollBox = h("div", { class: "scroll-box", tabindex: 0, role: "group", "aria-label": "Rounds" }, this.grid);
    this.tip = h("div", { class: "tip", hidden: true, role: "presentation" });
    this.element = h(
      "section",
      { class: "card samples", "aria-label": "Samples" },
      h("div", { class: "card-head" }, withHelp(h("h3", {}, "Generated images"), "panel/samples"), dotsLegend()),
      this.summary,
      this.scrollBox,
      this.tip,
    );
    this.listen();
  }

  /** Listens to the pointer and the keyboard. */
  listen() {
    this.grid.addEventListener("pointerover", ({ target }) => this.pointAt(closest(target, ".cell, .head")));
    this.grid.addEventListener("pointerleave", () => this.pointAt(null));
    this.grid.addEventListener("focusin", ({ target }) => this.pointAt(closest(target, ".cell")));
    this.grid.addEventListener("focusout", () => this.pointAt(null));
    this.grid.addEventListener("keydown", (event) => this.handleKey(event));
  }

  /** @param {string[]} classes */
  setClasses(classes) {
    if (this.classes.join("\n") === classes.join("\n")) return;
    this.classes = classes;
    this.grid.style.setProperty("--classes", String(classes.length));
    this.grid.classList.toggle("many", classes.length > MANY_CLASSES);
    this.heads.replaceChildren(
      h("span", { class: "gutter", role: "columnheader" }, hiddenText("round")),
      ...classes.map((name, i) =>
        h(
          "span",
          { class: "head", role: "columnheader", "data-class": i, title: name },
          h("i", { style: `background:${classColor(i, classes.length)}` }),
          h("span", {}, name),
        ),
      ),
      h("span", { class: "gutter", role: "columnheader" }, hiddenText(LABEL_ACCURACY_MEANING)),
    );
    this.clear();
  }

  /** Removes all rows. */
  clear() {
    this.rows.clear();
    this.previewFrame = -1;
    this.previewRow = h(
      "div",
      { class: "row live idle", role: "row" },
      h("span", { class: "gutter", role: "gridcell" }, ""),
      ...this.classes.map((_, i) => h("span", { class: "cell blank", role: "gridcell", "data-class": i })),
      h("span", { class: "gutter hit" }),
    );
    this.body.replaceChildren(this.previewRow);
    setText(this.summary, "");
  }

  /**
   * @param {RunModel} model
   * @param {(frame: number) => string} urlOf the address of a picture
   */
  update(model, urlOf) {
    const known = new Set(model.rows.map((row) => row.round));
    for (const [round, { element }] of this.rows)
      if (!known.has(round)) {
        element.remove();
        this.rows.delete(round);
      }
    for (const row of model.rows) this.showRow(row, urlOf(row.frame));
    this.showPreview(model, urlOf);
    this.summarize(model);
  }

  /**
   * Puts a row below the newer ones, unless it is there already.
   * @param {SampleRow} row
   * @param {string} url of its picture
   */
  showRow(row, url) {
    const before = this.rows.get(row.round);
    if (before?.row.frame === row.frame) return;
    before?.element.remove();
    const element = this.makeRow(row, url);
    const newer = [...this.rows.values()].filter((other) => other.row.round > row.round).pop();
    (newer?.element ?? this.previewRow).after(element);
    this.rows.set(row.round, { row, element });
    this.rows = new Map([...this.rows].sort(([a], [b]) => b - a));
  }

  /**
   * @param {SampleRow} row
   * @param {string} url
   */
  makeRow(row, url) {
    new Image().src = url; // fetched now, because another tab may open before the next frame is drawn
    const cells = row.labels.map((label, i) => {
      const cell = h("span", {
        class: "cell",
        role: "gridcell",
        tabindex: -1,
        "data-class": label,
        "data-round": row.round,
        "data-at": i,
        "aria-label": this.describe(row, i),
      });
      showImage(cell, url, i, row.labels.length);
      if (row.teacher[i][0] !== label) cell.append(h("i", { class: "dot teacher-no" }));
      if (row.student[i][0] !== label) cell.append(h("i", { class: "dot student-no" }));
      return cell;
    });
    if (!this.rows.size) cells[0]?.setAttribute("tabindex", "0");
    return h(
      "div",
      { class: row.pooled ? "row" : "row unpooled", role: "row" },
      h("span", { class: "gutter", role: "rowheader" }, String(row.round + 1)),
      ...cells,
      h("span", { class: "gutter hit", title: LABEL_ACCURACY_MEANING }, formatPercent(row.label_accuracy)),
    );
  }

  /**
   * The label of an image, and the networks' answers for it.
   * @param {SampleRow} row
   * @param {number} i
   */
  describe(row, i) {
    const [seen, confidence] = row.teacher[i];
    const [guess, share] = row.student[i];
    const teacher = `the teacher predicts ${this.classes[seen]}, ${formatPercent(confidence)}`;
    const student = `the student ${this.classes[guess]}, ${formatPercent(share)}`;
    return `${this.classes[row.labels[i]]}, round ${row.round + 1}: ${teacher}; ${student}.`;
  }

  /**
   * Shows the images that are being made, once their picture is loaded.
   * @param {RunModel} model
   * @param {(frame: number) => string} urlOf
   */
  async showPreview(model, urlOf) {
    const { making, phase, rows, state } = model;
    this.previewRow.classList.toggle("idle", !making);
    const [name, ...rest] = this.previewRow.children;
    const hit = rest.at(-1);
    if (!name || !hit) return;
    if (!making) {
      setText(name, state === "running" && phase === "student" ? "…" : "");
      setText(hit, "");
      if (!rows.length && !HELD_STATES.includes(state))
        for (const cell of this.previewCells()) cell.style.backgroundImage = "";
      return;
    }
    if (this.previewFrame === making.frame) return;
    this.previewFrame = making.frame;
    const url = urlOf(making.frame);
    if (!(await loadImage(url))) return; // the server no longer has the frame; a newer one follows
    // While the grid is hidden, the picture would be fetched too late.
    if (this.previewFrame !== making.frame || !isVisible(this.previewRow)) return;
    setText(name, `${making.round + 1}`);
    setText(hit, formatPercent(making.label_accuracy));
    const step = `round ${making.round + 1}, step ${making.step + 1} of ${making.steps}`;
    setAttribute(this.previewRow, "aria-label", `Images of ${step}`);
    for (const [i, cell] of [...this.previewCells()].entries()) {
      cell.classList.toggle("blank", i >= making.count);
      if (i < making.count) showImage(cell, url, i, making.count);
    }
    this.onPreview(url, making.count);
  }

  /**
   * The cells of the row that is being made.
   * @returns {NodeListOf<HTMLElement>}
   */
  previewCells() {
    return this.previewRow.querySelectorAll(".cell");
  }

  /**
   * A sentence about the newest row.
   * @param {RunModel} model
   */
  summarize({ rows, making }) {
    const newest = rows.at(-1);
    if (!newest) {
      const step = making ? `Round 1, step ${making.step + 1} of ${making.steps}: the images start as noise.` : "";
      setText(this.summary, step);
      return;
    }
    const hits = newest.labels.filter((label, i) => newest.teacher[i][0] === label).length;
    const batch = `label accuracy of the batch ${formatPercent(newest.label_accuracy)}`;
    const kept = newest.pooled ? "." : "; too early for the pool.";
    setText(
      this.summary,
      `Newest row, round ${newest.round + 1}: the teacher recognizes ${hits} of these ${newest.labels.length}; ${batch}${kept}`,
    );
  }

  /**
   * Highlights the class of a cell or heading, and shows the card of a cell; null ends both.
   * @param {HTMLElement | null} target
   */
  pointAt(target) {
    this.focus(target ? Number(target.dataset.class) : null);
    const row = this.rows.get(Number(target?.dataset.round ?? -1))?.row;
    setAttribute(this.tip, "hidden", !row);
    if (!target || !row) return;
    const i = Number(target.dataset.at);
    const big = h("span", { class: "big" });
    big.style.backgroundImage = target.style.backgroundImage;
    big.style.backgroundSize = target.style.backgroundSize;
    big.style.backgroundPosition = target.style.backgroundPosition;
    this.tip.replaceChildren(
      big,
      h(
        "div",
        {},
        h("strong", {}, this.classes[row.labels[i]]),
        h("small", {}, `made in round ${row.round + 1}`),
        this.opinionLine("teacher", row.teacher[i]),
        this.opinionLine("student", row.student[i]),
      ),
    );
    this.placeTip(target);
  }

  /**
   * @param {string} network
   * @param {Opinion} opinion
   */
  opinionLine(network, [seen, confidence]) {
    return h(
      "div",
      { class: `verdict by-${network}` },
      h("span", {}, network),
      h("b", {}, this.classes[seen]),
      h("span", { class: "figure" }, formatPercent(confidence)),
      h("span", { class: "meter" }, h("i", { style: `width:${100 * confidence}%` })),
    );
  }

  /**
   * Places the card below a cell, or above it if there is no space below.
   * @param {HTMLElement} cell
   */
  placeTip(cell) {
    const outer = this.element.getBoundingClientRect();
    const inner = cell.getBoundingClientRect();
    const zoom = outer.width / this.element.offsetWidth; // the enlargement for a projector
    const room = this.element.offsetWidth;
    const width = Math.min(TIP_WIDTH, room);
    this.tip.style.width = `${width}px`;
    const middle = (inner.left - outer.left + inner.width / 2) / zoom;
    const left = Math.max(0, Math.min(room - width, middle - width / 2));
    const below = (inner.bottom - outer.top) / zoom + 8;
    const above = (inner.top - outer.top) / zoom - this.tip.offsetHeight - 8;
    const fits = below + this.tip.offsetHeight <= this.element.offsetHeight;
    this.tip.style.left = `${left}px`;
    this.tip.style.top = `${fits || above <= 0 ? below : above}px`;
  }

  /**
   * Dims all classes but one; null shows all again.
   * @param {number | null} index
   */
  highlight(index) {
    /** @type {NodeListOf<HTMLElement>} */
    const elements = this.grid.querySelectorAll(".head, .rows .cell");
    for (const element of elements)
      element.classList.toggle("dim", index !== null && Number(element.dataset.class) !== index);
  }

  /**
   * The arrow keys move from image to image.
   * @param {KeyboardEvent} event
   */
  handleKey(event) {
    const cell = closest(event.target, ".cell");
    const step = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    if (!cell || !step) return;
    const rows = [...this.rows.values()].map(({ element }) => [...element.querySelectorAll(".cell")]);
    const y = rows.findIndex((row) => row.includes(cell));
    const [down, right] = step;
    const next = rows[y + down]?.[(rows[y]?.indexOf(cell) ?? 0) + right];
    if (!(next instanceof HTMLElement)) return;
    event.preventDefault();
    cell.setAttribute("tabindex", "-1");
    next.setAttribute("tabindex", "0");
    next.focus();
  }
}

/**
 * @param {EventTarget | null} target
 * @param {string} selector
 */
function closest(target, selector) {
  const found = target instanceof Element ? target.closest(selector) : null;
  return found instanceof HTMLElement ? found : null;
}

/** The legend of the dots in an image. */
function dotsLegend() {
  /**
   * @param {string} kind
   * @param {string} name
   */
  const key = (kind, name) => h("span", {}, h("i", { class: `dot ${kind}` }), name);
  return h(
    "span",
    { class: "aside legend-dots" },
    key("teacher-no", "teacher predicts another class"),
    key("student-no", "student predicts another class"),
  );
}
