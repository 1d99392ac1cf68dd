// The map: label embeddings as fixed anchors, the noisy layers' outputs and the newest samples moving round them.

import { classColour, h, put, s, say } from "./dom.js";
import { titled } from "./explained.js";

const WIDTH = 1.36; // half of the map; anchors fill the middle, names and dots need the rim
const HEIGHT = 1.02;

const NAMED = 16; // so many classes have their names in full size; of more, those that find room, smaller
const LEGEND = [
  ["round", "embedding, fixed"],
  ["round hollow", "noisy layer's output"],
  ["round tiny", "newest sample"],
];
const USUAL = {
  pca: "A flat shadow (PCA) of the embedding space; each re-draw scatters the outputs anew round their class.",
  umap: "UMAP keeps neighbours together; distances between far groups mean little.",
  idle: "Press Play first; UMAP then warms up in the background.",
};

export class LabelMap {
  /** `focus(class or null)` hears where the pointer is; `umap()` promises { state, sentence, anchors, outputs, samples }, and without it there is PCA only. `usual` are the notes under the map: { pca, umap, idle }. */
  constructor({
    focus,
    umap = null,
    title = "Where the classes lie",
    about = ["panel/map", "control/umap"],
    legend = LEGEND,
    usual = USUAL,
  }) {
    this.focus = focus;
    this.umap = umap;
    this.usual = usual;
    this.mode = "pca";
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
    this.svg.append(
      s(
        "g",
        { class: "cross" },
        s("line", { x1: -WIDTH, x2: WIDTH, y1: 0, y2: 0 }),
        s("line", { y1: -HEIGHT, y2: HEIGHT, x1: 0, x2: 0 }),
      ),
      ...Object.values(this.layers),
    );
    this.svg.addEventListener("pointerover", (event) =>
      this.focus(event.target.dataset?.class === undefined ? null : Number(event.target.dataset.class)),
    );
    this.svg.addEventListener("pointerleave", () => this.focus(null));
    this.note = h("p", { class: "note" });
    this.buttons = (umap ? ["pca", "umap"] : []).map((mode) =>
      h(
        "button",
        { type: "button", "aria-pressed": String(mode === "pca"), onclick: () => this.choose(mode) },
        mode.toUpperCase(),
      ),
    );
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
          h("thead", {}, h("tr", {}, ...["class", "x", "y"].map((name) => h("th", { scope: "col" }, name)))),
          this.table,
        ),
      ),
    );
    this.element = h(
      "section",
      { class: "card map-card", "aria-label": title },
      h(
        "div",
        { class: "card-head" },
        titled(h("h3", {}, title), about),
        umap && h("div", { class: "segmented small", role: "group", "aria-label": "Projection" }, ...this.buttons),
      ),
      this.svg,
      h(
        "div",
        { class: "legend" },
        ...legend.map(([mark, name]) => h("span", { class: "key" }, h("i", { class: mark }), name)),
      ),
      this.note,
      this.details,
    );
    this.tell();
  }

  choose(mode) {
    if (this.mode === mode) return;
    this.mode = mode;
    for (const button of this.buttons) put(button, "aria-pressed", String(button.textContent.toLowerCase() === mode));
    this.tell();
    this.draw();
    if (mode === "umap") this.askUmap();
  }

  tell(sentence) {
    say(this.note, sentence ?? this.usual[this.mode]);
  }

  /** `still` is what lies there before a run: { classes, anchors } of the chosen teacher. */
  update(model, still) {
    const facts = model.facts ?? (still?.anchors ? still : null);
    if (facts?.anchors !== this.facts?.anchors) this.far = null;
    this.facts = facts;
    this.pca = facts ? { anchors: facts.anchors, outputs: model.outputs, samples: model.samples } : null;
    this.active = model.facts !== null;
    this.draw();
    if (this.mode === "umap" && (this.seen?.[0] !== model.outputs || this.seen?.[1] !== model.samples)) {
      this.seen = [model.outputs, model.samples];
      this.askUmap();
    }
  }

  async askUmap() {
    clearTimeout(this.again);
    if (this.mode !== "umap" || !this.active) return this.mode === "umap" && this.tell(this.usual.idle);
    const answer = await this.umap();
    if (!answer || this.mode !== "umap") return;
    if (answer.state === "ready") {
      this.far = { anchors: answer.anchors, outputs: answer.outputs, samples: answer.samples };
      this.tell();
      this.draw();
    } else {
      this.tell(answer.sentence);
      if (answer.state !== "failed") this.again = setTimeout(() => this.askUmap(), 1500);
    }
  }

  draw() {
    const shown = this.mode === "umap" && this.far ? this.far : this.pca;
    if (!shown) {
      for (const layer of Object.values(this.layers)) layer.replaceChildren();
      return;
    }
    const [across, up] = [0, 1].map((axis) => extent(shown.anchors.map((dot) => dot[axis])));
    const reach = Math.max(1e-6, across.half / (WIDTH - 0.36), up.half / (HEIGHT - 0.2));
    const place = ([x, y]) => [clamp((x - across.middle) / reach, WIDTH), clamp((up.middle - y) / reach, HEIGHT)];
    const total = this.facts.classes.length;
    this.drawDots(this.layers.samples, shown.samples, place, total, 0.017);
    this.drawDots(this.layers.outputs, shown.outputs, place, total, 0.024);
    this.drawAnchors(shown.anchors, place, total);
    put(
      this.svg,
      "aria-label",
      `Map of ${total} label embeddings as fixed anchors, with ${shown.outputs.length} noisy-layer outputs and ${shown.samples.length} samples round them.`,
    );
  }

  drawDots(layer, dots, place, total, radius) {
    while (layer.children.length > dots.length) layer.lastChild.remove();
    while (layer.children.length < dots.length)
      layer.append(s("circle", { r: radius, style: "transform:translate(0px,0px)" }));
    dots.forEach((dot, i) => {
      const [x, y] = place(dot);
      const circle = layer.children[i];
      circle.style.transform = `translate(${x}px,${y}px)`;
      put(circle, "data-class", dot[2]);
      circle.style.setProperty("--colour", classColour(dot[2], total));
    });
  }

  drawAnchors(anchors, place, total) {
    if (this.drawn === anchors) return;
    this.drawn = anchors;
    const placed = anchors.map((dot) => place(dot));
    const many = total > NAMED;
    const names = beside(
      placed,
      anchors.map((dot) => shortened(this.facts.classes[dot[2]])),
      many ? 0.68 : 1,
    );
    put(this.svg, "data-many", many);
    this.layers.anchors.replaceChildren(
      ...anchors.map((dot, i) => {
        const [x, y] = placed[i];
        const name = this.facts.classes[dot[2]];
        return s(
          "g",
          { "data-class": dot[2] },
          s(
            "circle",
            {
              cx: x,
              cy: y,
              r: many ? 0.028 : 0.05,
              "data-class": dot[2],
              style: `--colour:${classColour(dot[2], total)}`,
            },
            s("title", {}, name),
          ),
          s(
            "text",
            {
              x: names[i].x,
              y: names[i].y,
              "text-anchor": names[i].anchor,
              "data-class": dot[2],
              class: many && names[i].cost > CROWDED ? "crowded" : null,
            },
            shortened(name),
          ),
        );
      }),
    );
  }

  /** Dims all but one class, or but a few; null brings all back. */
  highlight(index) {
    const lit = index === null ? null : [index].flat();
    put(this.svg, "data-focus", lit && "yes");
    for (const element of this.svg.querySelectorAll("circle[data-class], .anchors g")) {
      const mine = lit?.includes(Number(element.dataset.class));
      element.classList.toggle("dim", lit !== null && !mine);
      element.classList.toggle("lit", Boolean(mine));
    }
  }

  fillTable() {
    if (!this.details.open || !this.pca) return;
    this.table.replaceChildren(
      ...this.pca.anchors.map(([x, y, label]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, h("bdi", {}, this.facts.classes[label])),
          h("td", {}, x.toFixed(3)),
          h("td", {}, y.toFixed(3)),
        ),
      ),
    );
  }
}

const clamp = (value, half) => Math.max(-half + 0.03, Math.min(half - 0.03, value));

function extent(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { middle: (low + high) / 2, half: (high - low) / 2 };
}

const LETTER = 0.052; // width of a letter in the map's units, about
const LINE = 0.1;
const LONGEST = 22; // letters of a name on the map
const CROWDED = 0.02; // overlap, in hundredths of the map's square unit, above which a small name is left out

/** A name as it fits on the map. */
function shortened(name) {
  const letters = [...name];
  return letters.length > LONGEST ? `${letters.slice(0, LONGEST - 1).join("")}…` : name;
}

/** Where each anchor's name stands, at `size` times the full one: of eight places round it, the one that covers least of the others; `cost` says how much. */
function beside(placed, names, size) {
  const reach = 0.06 * size;
  const taken = placed.map(([x, y]) => box(x - reach, y - reach, 2 * reach, 2 * reach));
  return placed.map(([x, y], i) => {
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
    ];
    let best = null;
    for (const choice of choices) {
      choice.box = box(choice.left, choice.y - 0.08 * size, width, LINE * size);
      const outside =
        Math.max(0, -WIDTH - choice.left, choice.left + width - WIDTH) +
        Math.max(0, -HEIGHT - choice.box.top, choice.box.bottom - HEIGHT);
      choice.cost = outside + taken.reduce((sum, other, j) => sum + (j === i ? 0 : shared(choice.box, other)), 0);
      if (!best || choice.cost < best.cost - 1e-6) best = choice;
    }
    if (size === 1 || best.cost <= CROWDED) taken.push(best.box); // a name that is not shown takes no room
    return best;
  });
}

const box = (left, top, width, height) => ({ left, top, right: left + width, bottom: top + height });

const shared = (a, b) =>
  Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) *
  Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)) *
  100;
