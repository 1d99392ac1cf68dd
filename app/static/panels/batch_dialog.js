// The images of a point of a chart: the batch of a round, all classes or one, and the measures of each.

import { h, loadImage, setAttribute, setText, showImage } from "../core/dom.js";
import { formatNumber, formatPercent } from "../core/format.js";

/** @import { Batch } from "../core/types.d.ts" */

/**
 * The batch to show.
 * @typedef {object} BatchRequest
 * @property {string} address of the run or arm
 * @property {number} round
 * @property {string[]} classes
 * @property {string} [name] of the arm, if there are several
 * @property {string} [color] of the arm
 */

/** @type {["vendi" | "nearest" | "label_accuracy" | "named", string, (value: number | null) => string][]} */
const MEASURES = [
  ["vendi", "different images", formatNumber],
  ["nearest", "distance to an earlier round", formatNumber],
  ["label_accuracy", "label accuracy", formatPercent],
  ["named", "second opinion", formatPercent],
];
const MAX_COLUMNS = 10; // of a class's images

/** A dialog that shows a batch. */
export class BatchDialog {
  /** @param {HTMLElement} host the parent of the dialog */
  constructor(host) {
    this.host = host;
    /** @type {BatchRequest | null} */
    this.request = null;
    /** @type {Batch | null} */
    this.batch = null;
    this.title = h("h3", {});
    this.note = h("p", { class: "note" });
    this.choice = h("select", { "aria-label": "Class", onchange: () => this.fill() });
    this.images = h("div", { class: "batch-images" });
    this.table = h("table", { class: "lab-table" });
    this.earlier = this.stepButton("earlier", "An earlier round", "‹");
    this.later = this.stepButton("later", "A later round", "›");
    const close = h("button", { type: "button", "aria-label": "Close" }, "✕");
    close.addEventListener("click", () => this.element.close());
    this.element = h(
      "dialog",
      { class: "batch-dialog nayer", "aria-label": "Images of a round" },
      h(
        "div",
        { class: "batch-head" },
        this.title,
        h("div", { class: "choices" }, this.choice, this.earlier, this.later, close),
      ),
      this.note,
      this.images,
      h("div", { class: "scroll-x", tabindex: 0, role: "group", "aria-label": "Measures by class" }, this.table),
    );
    this.element.addEventListener("click", ({ target }) => target === this.element && this.element.close());
  }

  /**
   * @param {"earlier" | "later"} direction
   * @param {string} name
   * @param {string} sign
   */
  stepButton(direction, name, sign) {
    const step = () => {
      const round = this.batch?.[direction] ?? null;
      if (this.request && round !== null) this.show({ ...this.request, round });
    };
    return h("button", { type: "button", "aria-label": name, title: name, onclick: step }, sign);
  }

  /**
   * Fetches a batch and opens the dialog; only the last request counts.
   * @param {BatchRequest} request
   */
  async show(request) {
    this.request = request;
    const { address, round, classes, name = "", color = "transparent" } = request;
    const batch = await fetchBatch(address, round);
    if (this.request !== request) return;
    this.batch = batch;
    this.element.style.setProperty("--arm", color);
    setText(this.title, `${name ? `${name}, ` : ""}round ${batch.round + 1}`);
    setAttribute(this.earlier, "disabled", (batch.earlier ?? null) === null);
    setAttribute(this.later, "disabled", (batch.later ?? null) === null);
    setText(this.note, batch.missing ?? describe(batch, round));
    const chosen = this.choice.value;
    this.choice.replaceChildren(
      h("option", { value: "" }, "all classes"),
      ...classes.map((label, i) => h("option", { value: i }, label)),
    );
    this.choice.value = classes[Number(chosen)] ? chosen : "";
    this.fill();
    if (!this.element.isConnected) this.host.append(this.element);
    if (!this.element.open) this.element.showModal();
  }

  /** Shows the images and measures of the chosen class, or of all. */
  fill() {
    const { batch, request } = this;
    if (!batch || !request) return;
    const only = this.choice.value === "" ? null : Number(this.choice.value);
    const groups = request.classes.map((name, label) => ({
      name,
      label,
      places: batch.labels.flatMap((one, place) => (one === label ? [place] : [])),
    }));
    const chosen = groups.filter(({ label }) => only === null || label === only);
    const largest = Math.max(1, ...groups.map(({ places }) => places.length));
    this.images.replaceChildren(
      ...chosen
        .filter(({ places }) => places.length)
        .map(({ name, places }) =>
          h(
            "div",
            { class: "batch-class" },
            h("span", { title: name }, name),
            h("div", { class: "batch-tiles" }, ...places.map((place) => tile(batch, request, place))),
          ),
        ),
    );
    this.images.style.setProperty("--most", String(Math.min(largest, MAX_COLUMNS)));
    setAttribute(this.images, "data-only", only !== null);
    const measures = MEASURES.filter(([measure]) => batch.by_class[measure]);
    const heads = ["class", ...measures.map(([, title]) => title)].map((title) => h("th", { scope: "col" }, title));
    const rows = (measures.length ? chosen : []).map(({ name, label }) =>
      h(
        "tr",
        {},
        h("th", { scope: "row" }, name),
        ...measures.map(([measure, , format]) => h("td", {}, format(batch.by_class[measure]?.[label] ?? null))),
      ),
    );
    this.table.replaceChildren(h("thead", {}, h("tr", {}, ...heads)), h("tbody", {}, ...rows));
  }
}

/**
 * One image of a batch. A dot marks it if the teacher predicts another class.
 * @param {Batch} batch
 * @param {BatchRequest} request
 * @param {number} place in the batch
 */
function tile(batch, { address, classes }, place) {
  const label = batch.labels[place];
  const [seen, confidence] = batch.teacher[place];
  const sentence = `${classes[label]}; the teacher predicts ${classes[seen]}, ${formatPercent(confidence)}`;
  const dot = seen === label ? null : h("i", { class: "dot" });
  const element = h("span", { class: "tile", role: "img", "aria-label": sentence, title: sentence }, dot);
  showImage(element, pictureUrl(address, batch), place, batch.labels.length);
  return element;
}

/**
 * @param {Batch} batch
 * @param {number} round that was asked for
 */
function describe(batch, round) {
  const moved = batch.round === round ? "" : ` Round ${round + 1} is no longer kept. This is the nearest one.`;
  const hit = `the teacher assigns ${formatPercent(batch.label_accuracy)} of the round's images to the wanted class`;
  return `${batch.labels.length} images; ${hit}. A dot marks the others.${moved}`;
}

/**
 * @param {string} address
 * @param {Batch} batch
 */
export const pictureUrl = (address, batch) => `${address}/batch/${batch.number}.jpg`;

/**
 * The batch of a round, once its picture is loaded; an empty batch with a sentence if there is none.
 * @param {string} address
 * @param {number} round
 * @returns {Promise<Batch>}
 */
export async function fetchBatch(address, round) {
  /** @type {Batch} */
  const empty = {
    round,
    number: -1,
    labels: [],
    teacher: [],
    label_accuracy: null,
    by_class: {},
    earlier: null,
    later: null,
  };
  try {
    const answer = await fetch(`${address}/round/${round}`);
    const batch = await answer.json();
    if (!answer.ok) return { ...empty, missing: batch.error };
    if (!batch.labels.length || (await loadImage(pictureUrl(address, batch)))) return batch;
    return { ...batch, labels: [], missing: "The images of this round are no longer kept." };
  } catch {
    return { ...empty, missing: "The images could not be loaded. Try again." };
  }
}
