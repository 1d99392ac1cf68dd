// The map: fixed anchors for the label embeddings, and dots for the noisy layers' outputs and the newest samples.

import { classColor } from "../core/colors.js";
import { h, s, setAttribute, setText } from "../core/dom.js";
import { withHelp } from "../core/help.js";
import { NumbersTable, numbersRow } from "./numbers_table.js";

/** @import { Dot, MapFacts, UmapAnswer } from "../core/types.d.ts" */

/** @typedef {"pca" | "umap"} Projection */
/** @typedef {{ anchors: Dot[], outputs: Dot[], samples: Dot[] }} Layout the positions of all dots */
/** @typedef {{ facts: MapFacts | null, outputs: Dot[], samples: Dot[] }} MapContent the dots of a run */

const WIDTH = 1.36; // half of the map's width; anchors lie in the middle, names and dots also near the edges
const HEIGHT = 1.02;
const UMAP_WAIT = 1500; // ms between two requests for a map that is not ready

const NAMED = 16; // up to this many classes, all names have full size; with more, they are small and some are left out
/** @type {[mark: string, name: string][]} */
const LEGEND = [
  ["round", "embedding, fixed"],
  ["round hollow", "noisy layer output"],
  ["round tiny", "newest image"],
];
const NOTES = {
  pca: "A 2-D projection (PCA). Each re-draw moves the outputs around their class.",
  umap: "UMAP keeps neighbors together. Distances between far groups mean little.",
  idle: "Press Play first. UMAP then loads in the background.",
};

/** The classes of a run or typed names in the plane. */
export class EmbeddingMap {
  /**
   * @param {object} [options]
   * @param {(index: number | null) => void} [options.focus] called with the class under the pointer
   * @param {() => Promise<UmapAnswer | null>} [options.umap] without it, there is only PCA
   * @param {string} [options.title]
   * @param {string | string[]} [options.about] keys of the table of explanations
   * @param {[mark: string, name: string][]} [options.legend]
   * @param {Partial<Record<Projection | "idle", string>>} [options.notes] under the map
   */
  constructor({
    focus = (index) => this.highlight(index),
    umap,
    title = "Label embeddings",
    about = ["panel/map", "control/umap"],
    legend = LEGEND,
    notes = NOTES,
  } = {}) {
    this.focus = focus;
    this.umap = umap;
    this.notes = notes;
    /** @type {Projection} */
    this.mode = "pca";
    /** @type {MapFacts | null} */
    this.facts = null;
    /** @type {Layout | null} */
    this.pcaLayout = null;
    /** @type {Layout | null} */
    this.umapLayout = null;
    /** @type {Dot[][]} */
    this.askedFor = []; // the outputs and samples that the last UMAP map was asked for
    this.hasRun = false;
    /** @type {Dot[] | null} */
    this.drawnAnchors = null;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.svg = s("svg", {
      viewBox: `${-WIDTH} ${-HEIGHT} ${2 * WIDTH} ${2 * HEIGHT}`,
      class: "map",
      role: "img",
      "aria-label": "Map of the label embeddings: empty.",
    });
    this.layers = {
      samples: s("g", { class: "dots samples" }),
      outputs: s("g", { class: "dots outputs" }),
      anchors: s("g", { class: "anchors" }),
    };
    const cross = s(
      "g",
      { class: "cross" },
      s("line", { x1: -WIDTH, x2: WIDTH, y1: 0, y2: 0 }),
      s("line", { y1: -HEIGHT, y2: HEIGHT, x1: 0, x2: 0 }),
    );
    this.svg.append(cross, ...Object.values(this.layers));
    this.svg.addEventListener("pointerover", ({ target }) => {
      const name = target instanceof SVGElement ? target.dataset.class : undefined;
      this.focus(name === undefined ? null : Number(name));
    });
    this.svg.addEventListener("pointerleave", () => this.focus(null));
    this.note = h("p", { class: "note" });
    this.legend = h(
      "div",
      { class: "legend" },
      ...legend.map(([mark, name]) => h("span", { class: "key" }, h("i", { class: mark }), name)),
    );
    /** @type {Projection[]} */
    const modes = umap ? ["pca", "umap"] : [];
    this.buttons = modes.map((mode) =>
      h(
        "button",
        { type: "button", "aria-pressed": String(mode === "pca"), onclick: () => this.choose(mode) },
        mode.toUpperCase(),
      ),
    );
    this.table = new NumbersTable(["class", "x", "y"], () => this.tableRows());
    const projections = { class: "segmented small", role: "group", "aria-label": "Projection" };
    this.element = h(
      "section",
      { class: "card map-card", "aria-label": title },
      h(
        "div",
        { class: "card-head" },
        withHelp(h("h3", {}, title), about),
        umap ? h("div", projections, ...this.buttons) : null,
      ),
      this.svg,
      this.legend,
      this.note,
      this.table.element,
    );
    this.showNote();
  }

  /** @param {Projection} mode */
  choose(mode) {
    if (this.mode === mode) return;
    this.mode = mode;
    for (const button of this.buttons)
      setAttribute(button, "aria-pressed", String(button.textContent?.toLowerCase() === mode));
    this.showNote();
    this.draw();
    if (mode === "umap") this.askUmap();
  }

  /** @param {string} [sentence] the default is the usual sentence of the projection */
  showNote(sentence) {
    setText(this.note, sentence ?? this.notes[this.mode] ?? "");
  }

  /**
   * @param {MapContent} model
   * @param {{ classes: string[], anchors: Dot[] | null } | null} [teacher] shown before a run
   */
  update(model, teacher) {
    const before = teacher?.anchors ? { classes: teacher.classes, anchors: teacher.anchors } : null;
    const facts = model.facts ?? before;
    if (facts?.anchors !== this.facts?.anchors) this.umapLayout = null;
    this.facts = facts;
    this.pcaLayout = facts ? { anchors: facts.anchors, outputs: model.outputs, samples: model.samples } : null;
    this.hasRun = model.facts !== null;
    this.draw();
    const [outputs, samples] = this.askedFor;
    if (this.mode === "umap" && (outputs !== model.outputs || samples !== model.samples)) {
      this.askedFor = [model.outputs, model.samples];
      this.askUmap();
    }
  }

  /** Requests the UMAP map until it is ready. */
  async askUmap() {
    clearTimeout(this.timer);
    if (this.mode !== "umap" || !this.umap) return;
    if (!this.hasRun) {
      this.showNote(this.notes.idle);
      return;
    }
    const answer = await this.umap();
    if (!answer || this.mode !== "umap") return;
    if (answer.state === "ready") {
      const { anchors = [], outputs = [], samples = [] } = answer;
      this.umapLayout = { anchors, outputs, samples };
      this.showNote();
      this.draw();
      return;
    }
    this.showNote(answer.sentence);
    if (answer.state !== "failed") this.timer = window.setTimeout(() => this.askUmap(), UMAP_WAIT);
  }

  /** Draws the chosen projection. */
  draw() {
    const layout = (this.mode === "umap" && this.umapLayout) || this.pcaLayout;
    if (!layout || !this.facts) {
      for (const layer of Object.values(this.layers)) layer.replaceChildren();
      return;
    }
    const [across, up] = [0, 1].map((axis) => extent(layout.anchors.map((dot) => dot[axis])));
    const reach = Math.max(1e-6, across.half / (WIDTH - 0.36), up.half / (HEIGHT - 0.2));
    /** @type {Place} */
    const place = ([x, y]) => [clamp((x - across.middle) / reach, WIDTH), clamp((up.middle - y) / reach, HEIGHT)];
    const { classes } = this.facts;
    drawDots(this.layers.samples, layout.samples, place, classes.length, 0.017);
    drawDots(this.layers.outputs, layout.outputs, place, classes.length, 0.024);
    this.drawAnchors(layout.anchors, place, classes);
    const around = `${layout.outputs.length} noisy-layer outputs and ${layout.samples.length} images around them`;
    setAttribute(this.svg, "aria-label", `Map of ${classes.length} fixed label embeddings, with ${around}.`);
  }

  /**
   * @param {Dot[]} anchors
   * @param {Place} place
   * @param {string[]} classes
   */
  drawAnchors(anchors, place, classes) {
    if (this.drawnAnchors === anchors) return;
    this.drawnAnchors = anchors;
    const places = anchors.map((dot) => place(dot));
    const many = classes.length > NAMED;
    const shortNames = anchors.map((dot) => shorten(classes[dot[2]]));
    const names = placeNames(places, shortNames, many ? 0.9 : 1);
    setAttribute(this.svg, "data-many", many);
    this.layers.anchors.replaceChildren(
      ...anchors.map(([, , label], i) => {
        const [cx, cy] = places[i];
        const { x, y, anchor, cost } = names[i];
        const style = `--color:${classColor(label, classes.length)}`;
        const crowded = many && cost > CROWDED ? "crowded" : null;
        return s(
          "g",
          { "data-class": label },
          s("circle", { cx, cy, r: many ? 0.028 : 0.05, "data-class": label, style }, s("title", {}, classes[label])),
          s("text", { x, y, "text-anchor": anchor, "data-class": label, class: crowded }, shortNames[i]),
        );
      }),
    );
  }

  /**
   * Dims all classes but one or a few; null shows all again.
   * @param {number | number[] | null} index
   */
  highlight(index) {
    const highlighted = index === null ? null : [index].flat();
    setAttribute(this.svg, "data-focus", highlighted && "yes");
    /** @type {NodeListOf<SVGElement>} */
    const elements = this.svg.querySelectorAll("circle[data-class], .anchors g");
    for (const element of elements) {
      const isHighlighted = highlighted?.includes(Number(element.dataset.class)) ?? false;
      element.classList.toggle("dim", highlighted !== null && !isHighlighted);
      element.classList.toggle("lit", isHighlighted);
    }
  }

  /** The anchors of the PCA map. */
  tableRows() {
    const { facts, pcaLayout } = this;
    if (!facts || !pcaLayout) return [];
    return pcaLayout.anchors.map(([x, y, label]) =>
      numbersRow(h("bdi", {}, facts.classes[label]), x.toFixed(3), y.toFixed(3)),
    );
  }
}

/** @typedef {(dot: Dot) => [x: number, y: number]} Place the position of a dot on the map */

/**
 * @param {SVGGElement} layer
 * @param {Dot[]} dots
 * @param {Place} place
 * @param {number} total of classes
 * @param {number} radius
 */
function drawDots(layer, dots, place, total, radius) {
  while (layer.children.length > dots.length) layer.lastChild?.remove();
  while (layer.children.length < dots.length)
    layer.append(s("circle", { r: radius, style: "transform:translate(0px,0px)" }));
  for (const [i, dot] of dots.entries()) {
    const [x, y] = place(dot);
    const circle = /** @type {SVGCircleElement} */ (layer.children[i]);
    circle.style.transform = `translate(${x}px,${y}px)`;
    setAttribute(circle, "data-class", dot[2]);
    circle.style.setProperty("--color", classColor(dot[2], total));
  }
}

/**
 * @param {number} value
 * @param {number} half of the map's extent
 */
const clamp = (value, half) => Math.max(-half + 0.03, Math.min(half - 0.03, value));

/** @param {number[]} values */
function extent(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { middle: (low + high) / 2, half: (high - low) / 2 };
}

const LETTER = 0.057; // approximate width of a letter in the map's units
const LINE = 0.1;
const LONGEST_NAME = 22; // letters of a name on the map
const CROWDED = 0.02; // overlap, in hundredths of the map's square unit, above which a small name is left out

/**
 * A name, shortened to fit on the map.
 * @param {string} name
 */
function shorten(name) {
  const letters = [...name];
  return letters.length > LONGEST_NAME ? `${letters.slice(0, LONGEST_NAME - 1).join("")}…` : name;
}

/**
 * The position of each anchor's name: of eight positions around it, the one with the least overlap. `cost` says how
 * much it overlaps.
 * @param {[number, number][]} places of the anchors
 * @param {string[]} names
 * @param {number} size of the names, 1 is full
 */
function placeNames(places, names, size) {
  const reach = 0.06 * size;
  const taken = places.map(([x, y]) => box(x - reach, y - reach, 2 * reach, 2 * reach));
  return places.map(([x, y], i) => {
    const width = LETTER * size * names[i].length;
    const [away, aside] = [0.075 * size, 0.03 * size];
    const choices = [
      { x: x + away, y: y + 0.032 * size, anchor: "start", left: x + away },
      { x: x - away, y: y + 0.032 * size, anchor: "end", left: x - away - width },
      ...[-0.085 * size, 0.145 * size].flatMap((drop) => [
        { x, y: y + drop, anchor: "middle", left: x - width / 2 },
        { x: x - aside, y: y + drop, anchor: "start", left: x - aside },
        { x: x + aside, y: y + drop, anchor: "end", left: x + aside - width },
      ]),
    ].map((choice) => {
      const covered = box(choice.left, choice.y - 0.08 * size, width, LINE * size);
      const beyond = Math.max(0, -WIDTH - covered.left, covered.right - WIDTH);
      const outside = beyond + Math.max(0, -HEIGHT - covered.top, covered.bottom - HEIGHT);
      const cost = taken.reduce((sum, other, j) => sum + (j === i ? 0 : overlap(covered, other)), outside);
      return { ...choice, covered, cost };
    });
    const best = choices.reduce((least, choice) => (choice.cost < least.cost - 1e-6 ? choice : least));
    if (size === 1 || best.cost <= CROWDED) taken.push(best.covered); // a name that is left out takes no space
    return best;
  });
}

/** @typedef {ReturnType<typeof box>} Box */

/**
 * @param {number} left
 * @param {number} top
 * @param {number} width
 * @param {number} height
 */
const box = (left, top, width, height) => ({ left, top, right: left + width, bottom: top + height });

/**
 * The area that two boxes share, in hundredths of the map's square unit.
 * @param {Box} a
 * @param {Box} b
 */
const overlap = (a, b) =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)) *
  100;
