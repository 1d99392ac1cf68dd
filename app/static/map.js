// The map: label embeddings as fixed anchors, the noisy layers' outputs and the newest samples moving round them.

import { classColour, h, put, s, say } from "./dom.js";

const WIDTH = 1.36; // half of the map; anchors fill the middle, names and dots need the rim
const HEIGHT = 1.02;

export class LabelMap {
  constructor({ focus, umap }) {
    this.focus = focus;
    this.umap = umap;
    this.mode = "pca";
    this.svg = s("svg", { viewBox: `${-WIDTH} ${-HEIGHT} ${2 * WIDTH} ${2 * HEIGHT}`, class: "map", role: "img", "aria-label": "Map of the label embeddings: empty." });
    this.layers = { samples: s("g", { class: "dots samples" }), outputs: s("g", { class: "dots outputs" }), anchors: s("g", { class: "anchors" }) };
    this.svg.append(s("g", { class: "cross" }, s("line", { x1: -WIDTH, x2: WIDTH, y1: 0, y2: 0 }), s("line", { y1: -HEIGHT, y2: HEIGHT, x1: 0, x2: 0 })), ...Object.values(this.layers));
    this.svg.addEventListener("pointerover", (event) => this.focus(event.target.dataset?.class === undefined ? null : Number(event.target.dataset.class)));
    this.svg.addEventListener("pointerleave", () => this.focus(null));
    this.note = h("p", { class: "note" });
    this.buttons = ["pca", "umap"].map((mode) => h("button", { type: "button", "aria-pressed": String(mode === "pca"), onclick: () => this.choose(mode) }, mode.toUpperCase()));
    this.table = h("tbody");
    this.details = h("details", { class: "numbers", ontoggle: () => this.fillTable() }, h("summary", {}, "Numbers"), h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...["class", "x", "y"].map((name) => h("th", { scope: "col" }, name)))), this.table)));
    this.element = h(
      "section",
      { class: "card map-card", "aria-label": "Map of the label embeddings" },
      h("div", { class: "card-head" }, h("h3", {}, "Where the classes lie"), h("div", { class: "segmented small", role: "group", "aria-label": "Projection" }, ...this.buttons)),
      this.svg,
      h("div", { class: "legend" }, h("span", { class: "key" }, h("i", { class: "round" }), "embedding, fixed"), h("span", { class: "key" }, h("i", { class: "round hollow" }), "noisy layer's output"), h("span", { class: "key" }, h("i", { class: "round tiny" }), "newest sample")),
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
    const usual =
      this.mode === "pca"
        ? "A flat shadow (PCA) of the embedding space; each re-draw scatters the outputs anew round their class."
        : "UMAP keeps neighbours together; distances between far groups mean little.";
    say(this.note, sentence ?? usual);
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
    if (this.mode !== "umap" || !this.active) return this.mode === "umap" && this.tell("Press Play first; UMAP then warms up in the background.");
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
    put(this.svg, "aria-label", `Map of ${total} label embeddings as fixed anchors, with ${shown.outputs.length} noisy-layer outputs and ${shown.samples.length} samples round them.`);
  }

  drawDots(layer, dots, place, total, radius) {
    while (layer.children.length > dots.length) layer.lastChild.remove();
    while (layer.children.length < dots.length) layer.append(s("circle", { r: radius, style: "transform:translate(0px,0px)" }));
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
    const names = total > 16 ? [] : beside(placed, anchors.map((dot) => this.facts.classes[dot[2]]));
    this.layers.anchors.replaceChildren(
      ...anchors.map((dot, i) => {
        const [x, y] = placed[i];
        const name = this.facts.classes[dot[2]];
        return s(
          "g",
          { "data-class": dot[2] },
          s("circle", { cx: x, cy: y, r: total > 16 ? 0.028 : 0.05, "data-class": dot[2], style: `--colour:${classColour(dot[2], total)}` }, s("title", {}, name)),
          names[i] ? s("text", { x: names[i].x, y: names[i].y, "text-anchor": names[i].anchor, "data-class": dot[2] }, name) : null,
        );
      }),
    );
  }

  highlight(index) {
    put(this.svg, "data-focus", index === null ? null : "yes");
    for (const element of this.svg.querySelectorAll("circle[data-class], .anchors g")) element.classList.toggle("dim", index !== null && Number(element.dataset.class) !== index);
  }

  fillTable() {
    if (!this.details.open || !this.pca) return;
    this.table.replaceChildren(...this.pca.anchors.map(([x, y, label]) => h("tr", {}, h("th", { scope: "row" }, this.facts.classes[label]), h("td", {}, x.toFixed(3)), h("td", {}, y.toFixed(3)))));
  }
}

const clamp = (value, half) => Math.max(-half + 0.03, Math.min(half - 0.03, value));

function extent(values) {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return { middle: (low + high) / 2, half: (high - low) / 2 };
}

const LETTER = 0.052; // width of a letter in the map's units, about
const LINE = 0.1;

/** Where each anchor's name stands: of eight places round it, the one that covers least of the others. */
function beside(placed, names) {
  const taken = placed.map(([x, y]) => box(x - 0.06, y - 0.06, 0.12, 0.12));
  return placed.map(([x, y], i) => {
    const width = LETTER * names[i].length;
    const choices = [
      { x: x + 0.075, y: y + 0.032, anchor: "start", left: x + 0.075 },
      { x: x - 0.075, y: y + 0.032, anchor: "end", left: x - 0.075 - width },
      ...[-0.085, 0.145].flatMap((drop) => [
        { x, y: y + drop, anchor: "middle", left: x - width / 2 },
        { x: x - 0.03, y: y + drop, anchor: "start", left: x - 0.03 },
        { x: x + 0.03, y: y + drop, anchor: "end", left: x + 0.03 - width },
      ]),
    ];
    let best = null;
    for (const choice of choices) {
      choice.box = box(choice.left, choice.y - 0.08, width, LINE);
      const outside = Math.max(0, -WIDTH - choice.left, choice.left + width - WIDTH) + Math.max(0, -HEIGHT - choice.box.top, choice.box.bottom - HEIGHT);
      choice.cost = outside + taken.reduce((sum, other, j) => sum + (j === i ? 0 : shared(choice.box, other)), 0);
      if (!best || choice.cost < best.cost - 1e-6) best = choice;
    }
    taken.push(best.box);
    return best;
  });
}

const box = (left, top, width, height) => ({ left, top, right: left + width, bottom: top + height });

const shared = (a, b) => Math.max(0, Math.min(a.right, b.right) - Math.max(a.left, b.left)) * Math.max(0, Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top)) * 100;
