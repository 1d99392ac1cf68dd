// The flow of the data: names → embeddings → noisy layer → generator → images → teacher and student → losses.
// The active part is highlighted; in slow motion, the parts of an event are highlighted one after another.

import { h, prefersReducedMotion, s, setAttribute, setText } from "../core/dom.js";
import { Fold } from "../core/fold.js";
import { formatInteger, formatNumber, formatPercent } from "../core/format.js";
import { helpButton } from "../core/help.js";

/** @import { Phase, Point, RunModel } from "../core/types.d.ts" */

/** @typedef {{ view: string, places: Record<string, [x: number, y: number]>, wires: Record<string, string>, back: [x: number, y: number] }} Layout */

/** @type {Record<string, [width: number, height: number]>} */
const SIZES = {
  names: [92, 96],
  embeddings: [84, 96],
  noisy: [84, 96],
  generator: [96, 96],
  images: [92, 96],
  teacher: [92, 58],
  student: [92, 58],
  losses: [108, 96],
};
/** @type {Layout} */
const WIDE = {
  view: "0 -2 882 228",
  places: {
    names: [8, 62],
    embeddings: [130, 62],
    noisy: [244, 62],
    generator: [358, 62],
    images: [484, 62],
    teacher: [624, 22],
    student: [624, 140],
    losses: [764, 62],
  },
  wires: {
    "names-embeddings": "M100 110H128",
    "embeddings-noisy": "M214 110H242",
    "noisy-generator": "M328 110H356",
    "generator-images": "M454 110H482",
    "images-teacher": "M576 96C604 96 596 51 622 51",
    "images-student": "M576 124C604 124 596 169 622 169",
    "teacher-losses": "M716 51C744 51 736 96 762 96",
    "student-losses": "M716 169C744 169 736 124 762 124",
    "losses-generator": "M818 158V206Q818 214 810 214H414Q406 214 406 206V160",
    "losses-student": "M792 158V180Q792 188 784 188H718",
  },
  back: [540, 218],
};
/** @type {Layout} */
const UPRIGHT = {
  view: "0 4 340 536",
  places: {
    names: [2, 28],
    embeddings: [126, 28],
    noisy: [242, 28],
    generator: [234, 172],
    images: [110, 172],
    teacher: [20, 326],
    student: [170, 326],
    losses: [86, 440],
  },
  wires: {
    "names-embeddings": "M94 76H124",
    "embeddings-noisy": "M210 76H240",
    "noisy-generator": "M322 124V170",
    "generator-images": "M234 220H204",
    "images-teacher": "M134 268C134 298 104 292 104 324",
    "images-student": "M174 268C174 298 180 292 180 324",
    "teacher-losses": "M66 384C66 414 104 408 104 438",
    "student-losses": "M216 384C216 414 178 408 178 438",
    "losses-generator": "M194 512H310Q318 512 318 504V270",
    "losses-student": "M194 468H240Q248 468 248 460V386",
  },
  back: [256, 516],
};
const WIDE_FROM = 850; // px: from this width on, the text of the wide layout has at least 12 px
/**
 * The parts that are active together, in the order in which slow motion highlights them.
 * @type {Partial<Record<Phase, string[][]>>}
 */
const WALKS = {
  redraw: [["embeddings"], ["noisy", "embeddings-noisy"]],
  generator: [
    ["embeddings", "noisy", "embeddings-noisy"],
    ["generator", "noisy-generator"],
    ["images", "generator-images"],
    ["teacher", "student", "images-teacher", "images-student"],
    ["losses", "teacher-losses", "student-losses"],
    ["generator", "losses-generator"],
  ],
  pool: [["images"], ["student", "images-student"]],
  student: [
    ["images"],
    ["teacher", "student", "images-teacher", "images-student"],
    ["losses", "teacher-losses", "student-losses"],
    ["student", "losses-student"],
  ],
  measure: [["student"]],
};

const WALK_MS = 900; // ms of the wait in slow motion, for all parts of an event
/** What is said where a run tells nothing: with the diagram shut, and with it open. */
const IN_SHORT =
  "A generator makes images from the class names. The teacher classifies them. The student learns from its answers.";
const POINT = "Point at a part, or tab to it, to read what it does.";
const HISTORY = 200; // newest points of the losses; the largest of them fills a bar

/** The parts of the algorithm as boxes, and the flow of the data as lines. */
export class AlgorithmDiagram {
  /** @param {Record<string, [title: string, meaning: string]>} parts by the names of SIZES */
  constructor(parts) {
    this.parts = parts;
    /** @type {Layout | null} */
    this.layout = null;
    /** @type {string | null} */
    this.explained = null; // the part under the pointer
    this.story = "";
    this.walkedStory = ""; // the event whose parts are highlighted one after another
    /** @type {Record<string, number>} */
    this.parameters = {};
    /** @type {number | undefined} */
    this.timer = undefined;
    this.sentence = h("p", { class: "story" });
    this.notes = h("p", { class: "note notes", hidden: true });
    this.wires = Object.fromEntries(Object.keys(WIDE.wires).map((name) => [name, makeWire(name)]));
    this.insides = Object.fromEntries(Object.keys(SIZES).map((name) => [name, s("g", { class: "inside" })]));
    this.boxes = Object.fromEntries(Object.keys(SIZES).map((name) => [name, this.makeBox(name)]));
    this.back = s("text", { class: "wire-name", "text-anchor": "middle" }, "gradients");
    this.svg = s(
      "svg",
      {
        class: "diagram",
        role: "group",
        "aria-label":
          "Data flow: class names, label embeddings, noisy layer, generator, images, teacher and student, losses.",
      },
      arrowTip(),
      ...Object.values(this.wires),
      this.back,
      ...Object.values(this.boxes),
    );
    drawNoise(this.insides.noisy);
    drawGenerator(this.insides.generator);
    drawNetwork(this.insides.teacher, [4, 6, 6, 3]);
    drawNetwork(this.insides.student, [3, 4, 3]);
    this.bars = drawLossBars(this.insides.losses);
    this.thumbs = drawThumbs(this.insides.images);
    this.fold = new Fold("how", "how", h("summary", {}, "How it works"), h("div", {}, this.svg), this.notes);
    this.fold.element.addEventListener("toggle", () => this.explain(null));
    this.element = h(
      "section",
      { class: "card diagram-card", "aria-label": "How it works" },
      helpButton("panel/diagram", "how it works"),
      this.fold.element,
      this.sentence,
    );
    this.layOut(WIDE);
    const room = new ResizeObserver(() => this.layOut(this.fold.element.clientWidth < WIDE_FROM ? UPRIGHT : WIDE));
    room.observe(this.fold.element);
  }

  /** @param {Layout} layout */
  layOut(layout) {
    if (this.layout === layout) return;
    this.layout = layout;
    setAttribute(this.svg, "viewBox", layout.view);
    this.svg.classList.toggle("upright", layout === UPRIGHT);
    for (const [name, [x, y]] of Object.entries(layout.places))
      setAttribute(this.boxes[name], "transform", `translate(${x} ${y})`);
    for (const [name, path] of Object.entries(layout.wires)) setAttribute(this.wires[name], "d", path);
    for (const [i, axis] of ["x", "y"].entries()) setAttribute(this.back, axis, layout.back[i]);
  }

  /** @param {string} name of a part */
  makeBox(name) {
    const [width, height] = SIZES[name];
    const [title, meaning] = this.parts[name];
    const explain = () => this.explain(name);
    const stop = () => this.explain(null);
    return s(
      "g",
      {
        class: `part ${name}`,
        tabindex: 0,
        role: "img",
        "aria-label": `${title}. ${meaning}`,
        onpointerenter: explain,
        onfocus: explain,
        onpointerleave: stop,
        onblur: stop,
      },
      s("rect", { class: "frame", width, height, rx: 10 }),
      s("text", { class: "part-name", x: width / 2, y: -9, "text-anchor": "middle" }, title),
      this.insides[name],
    );
  }

  /**
   * Shows the names and the first numbers of the table, for the teacher that is chosen or runs.
   * @param {string[]} classes
   * @param {number[][]} sketch
   */
  setClasses(classes, sketch) {
    const names = classes.slice(0, classes.length > 6 ? 5 : 6);
    const more = classes.length - names.length;
    const lines = [...names, ...(more ? [`and ${more} more`] : [])];
    const gap = 84 / Math.max(lines.length, 5);
    this.insides.names.replaceChildren(
      ...lines.map((line, i) =>
        s(
          "text",
          {
            class: i === names.length ? "tiny" : "class-name",
            x: 46,
            y: 6 + gap * (i + 0.75),
            "text-anchor": "middle",
          },
          line.length > 12 ? `${line.slice(0, 11)}…` : line,
        ),
      ),
    );
    const height = 76 / sketch.length;
    const peak = Math.max(...sketch.flat().map(Math.abs), 1e-6);
    this.insides.embeddings.replaceChildren(
      ...sketch.flatMap((row, i) =>
        row.map((value, j) =>
          s("rect", {
            x: 10 + (64 / row.length) * j,
            y: 10 + height * i,
            width: 64 / row.length - 1,
            height: Math.max(1, height - 1),
            class: value < 0 ? "cell minus" : "cell",
            style: `opacity:${(0.12 + (0.88 * Math.abs(value)) / peak).toFixed(2)}`,
          }),
        ),
      ),
    );
  }

  /**
   * Shows the images that are being made.
   * @param {string} url
   * @param {number} count of images side by side
   */
  showPreview(url, count) {
    for (const [i, { frame, image }] of this.thumbs.entries()) {
      setAttribute(frame, "viewBox", `${Math.min(i, count - 1)} 0 1 1`);
      setAttribute(image, "width", count);
      setAttribute(image, "href", url);
    }
  }

  /** @param {string | null} name of the part under the pointer */
  explain(name) {
    this.explained = name;
    const untold = this.fold.element.open ? POINT : IN_SHORT;
    setText(this.sentence, name ? `${this.parts[name][1]}${this.describeSize(name)}` : this.story || untold);
  }

  /**
   * The number of weights of a part, if it is known.
   * @param {string} name
   */
  describeSize(name) {
    const weights = this.parameters[name === "noisy" ? "noisy layer" : name];
    return weights ? ` It has ${formatInteger(weights)} weights.` : "";
  }

  /**
   * @param {RunModel} model
   * @param {string} fallback the text if there is no single step
   */
  update(model, fallback) {
    this.parameters = model.facts?.parameters ?? {};
    setText(this.notes, model.notes.join(" "));
    setAttribute(this.notes, "hidden", !model.notes.length);
    const detailed = model.pace > 0 || model.state === "paused";
    this.story = detailed && model.story ? model.story : fallback;
    if (!this.explained) this.explain(null);
    this.sentence.classList.toggle("live", detailed);
    this.updateLosses(model.losses);
    this.light(model);
  }

  /** @param {Point[]} losses */
  updateLosses(losses) {
    const last = losses.at(-1);
    if (!last) return;
    const recent = losses.slice(-HISTORY);
    for (const [i, bar] of this.bars.entries()) {
      const largest = Math.max(1e-6, ...recent.map((point) => Math.abs(point[i + 1] ?? 0)));
      setAttribute(bar, "width", (84 * Math.min(1, Math.abs(last[i + 1] ?? 0) / largest)).toFixed(1));
    }
    const [ce, bn, adversarial] = last.slice(1, 4).map(formatNumber);
    const now = `cross-entropy ${ce}, BatchNorm ${bn}, adversarial ${adversarial}`;
    const sentence = `losses. ${this.parts.losses[1]} Now: ${now}; label accuracy ${formatPercent(last[4])}.`;
    setAttribute(this.boxes.losses, "aria-label", sentence);
  }

  /**
   * Highlights the active parts; in slow motion, one after another.
   * @param {RunModel} model
   */
  light({ phase, state, pace, story }) {
    const walk = WALKS[phase];
    const running = state === "running";
    this.svg.classList.toggle("working", running && !pace);
    if (!walk || !(running || state === "paused")) {
      this.setLit([]);
      return;
    }
    if (!pace) {
      clearInterval(this.timer);
      this.walkedStory = "";
      this.setLit(walk.flat());
      return;
    }
    if (this.walkedStory === story && running) return;
    this.walkedStory = story;
    clearInterval(this.timer);
    let step = 0;
    const advance = () => {
      this.setLit(walk[Math.min(step, walk.length - 1)]);
      step += 1;
      if (step >= walk.length) clearInterval(this.timer);
    };
    advance();
    if (running) this.timer = window.setInterval(advance, (WALK_MS * pace) / walk.length);
  }

  /** @param {string[]} names of boxes and wires */
  setLit(names) {
    const lit = new Set(names);
    const still = prefersReducedMotion();
    for (const [name, element] of [...Object.entries(this.boxes), ...Object.entries(this.wires)]) {
      element.classList.toggle("lit", lit.has(name));
      element.classList.toggle("flowing", lit.has(name) && !still);
    }
  }
}

/** @param {string} name */
function makeWire(name) {
  const kind = name.startsWith("losses") ? "back" : "";
  return s("path", { class: `wire ${kind}`, "marker-end": "url(#nayer-tip)" });
}

/** The arrowhead of a line. */
function arrowTip() {
  const marker = {
    id: "nayer-tip",
    viewBox: "0 0 8 8",
    refX: 6.5,
    refY: 4,
    markerWidth: 7,
    markerHeight: 7,
    orient: "auto-start-reverse",
  };
  return s("defs", {}, s("marker", marker, s("path", { d: "M0.5 0.8L7 4L0.5 7.2Z" })));
}

/**
 * The dots of a die.
 * @param {SVGGElement} inside
 */
function drawNoise(inside) {
  const pips = [
    [20, 26],
    [42, 48],
    [64, 70],
    [64, 26],
    [20, 70],
  ];
  inside.append(...pips.map(([cx, cy]) => s("circle", { class: "pip", cx, cy, r: 6.5 })));
}

/** @param {SVGGElement} inside */
function drawGenerator(inside) {
  const ribs = [32, 46, 62].map((x) =>
    s("line", { class: "rib", x1: x, x2: x, y1: 40 - (x - 18) * 0.367, y2: 56 + (x - 18) * 0.367 }),
  );
  inside.append(s("path", { class: "solid", d: "M18 40L78 18V78L18 56Z" }), ...ribs);
}

/**
 * @param {SVGGElement} inside
 * @param {number[]} sizes of the layers
 */
function drawNetwork(inside, sizes) {
  const gap = 56 / (sizes.length - 1);
  for (const [i, size] of sizes.entries())
    for (let j = 0; j < size; j++) {
      const cy = 29 + (j - (size - 1) / 2) * 8.2;
      inside.append(s("circle", { class: "neuron", cx: 18 + i * gap, cy, r: 2.7 }));
    }
}

/**
 * A bar for each of the generator's losses.
 * @param {SVGGElement} inside
 */
function drawLossBars(inside) {
  const losses = [
    ["cross-entropy", "ce"],
    ["BatchNorm", "bn"],
    ["adversarial", "adversarial"],
  ];
  return losses.map(([name, kind], i) => {
    const place = { x: 12, y: 26 + 28 * i, height: 5, rx: 2.5 };
    const bar = s("rect", { ...place, width: 0, style: `fill:var(--${kind})` });
    inside.append(
      s("text", { class: "tiny", x: 12, y: 20 + 28 * i }, name),
      s("rect", { ...place, class: "groove", width: 84 }),
      bar,
    );
    return bar;
  });
}

/**
 * The cells for four of the images that are being made.
 * @param {SVGGElement} inside
 */
function drawThumbs(inside) {
  return Array.from({ length: 4 }, (_, i) => {
    const image = s("image", { height: 1, preserveAspectRatio: "none" });
    const place = { x: 9 + (i % 2) * 38, y: 11 + Math.floor(i / 2) * 38, width: 36, height: 36 };
    const frame = s(
      "svg",
      { class: "thumb", ...place, preserveAspectRatio: "none" },
      s("rect", { class: "blank", width: "100%", height: "100%", rx: 4 }),
      image,
    );
    inside.append(frame);
    return { frame, image };
  });
}
