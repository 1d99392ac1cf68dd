// The data's way as a picture: names → embeddings → noisy layer → generator → images → teacher and student → losses.
// The part at work is lit; in slow motion the light walks through the parts of the event at hand.

import { calm, figure, h, percent, put, s, say, whole } from "./dom.js";
import { about } from "./explained.js";

const BOXES = {
  names: [8, 62, 92, 96],
  embeddings: [130, 62, 84, 96],
  noisy: [244, 62, 84, 96],
  generator: [358, 62, 96, 96],
  images: [484, 62, 92, 96],
  teacher: [624, 22, 92, 58],
  student: [624, 140, 92, 58],
  losses: [764, 62, 108, 96],
};
const WIRES = {
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
};
// what works together, in the order the light walks through it in slow motion
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

export class Diagram {
  constructor(parts) {
    this.parts = parts;
    this.stage = -1;
    this.sentence = h("p", { class: "story" });
    this.notes = h("p", { class: "note notes", hidden: true });
    this.svg = s("svg", {
      viewBox: "0 -2 882 228",
      class: "diagram",
      role: "group",
      "aria-label":
        "The way of the data: class names, label embeddings, noisy layer, generator, images, teacher and student, losses.",
    });
    this.svg.append(
      s(
        "defs",
        {},
        s(
          "marker",
          {
            id: "nayer-tip",
            viewBox: "0 0 8 8",
            refX: 6.5,
            refY: 4,
            markerWidth: 7,
            markerHeight: 7,
            orient: "auto-start-reverse",
          },
          s("path", { d: "M0.5 0.8L7 4L0.5 7.2Z" }),
        ),
      ),
    );
    this.wires = Object.fromEntries(
      Object.entries(WIRES).map(([name, d]) => [
        name,
        s("path", { d, class: `wire ${name.startsWith("losses") ? "back" : ""}`, "marker-end": "url(#nayer-tip)" }),
      ]),
    );
    this.svg.append(...Object.values(this.wires));
    this.svg.append(s("text", { x: 540, y: 217.5, class: "wire-name", "text-anchor": "middle" }, "gradients"));
    this.boxes = Object.fromEntries(Object.entries(BOXES).map(([name, box]) => [name, this.box(name, box)]));
    this.svg.append(...Object.values(this.boxes));
    this.drawInside();
    this.element = h(
      "section",
      { class: "card diagram-card", "aria-label": "How it works" },
      about("panel/diagram", "how it works"),
      h("div", { class: "scroll-x" }, this.svg),
      this.sentence,
      this.notes,
    );
  }

  box(name, [x, y, width, height]) {
    const [title, meaning] = this.parts[name];
    const about = () => this.explain(name);
    const group = s(
      "g",
      {
        class: `part ${name}`,
        transform: `translate(${x} ${y})`,
        tabindex: 0,
        role: "img",
        "aria-label": `${title}. ${meaning}`,
        onpointerenter: about,
        onfocus: about,
        onpointerleave: () => this.explain(null),
        onblur: () => this.explain(null),
      },
      s("rect", { class: "frame", width, height, rx: 10 }),
      s("text", { class: "part-name", x: width / 2, y: -9, "text-anchor": "middle" }, title),
      s("g", { class: "inside" }),
    );
    return group;
  }

  inside(name) {
    return this.boxes[name].querySelector(".inside");
  }

  drawInside() {
    const dice = [
      [20, 26],
      [42, 48],
      [64, 70],
      [64, 26],
      [20, 70],
    ];
    this.inside("noisy").append(...dice.map(([cx, cy]) => s("circle", { class: "pip", cx, cy, r: 6.5 })));
    this.inside("generator").append(
      s("path", { class: "solid", d: "M18 40L78 18V78L18 56Z" }),
      ...[32, 46, 62].map((x) =>
        s("line", { class: "rib", x1: x, x2: x, y1: 40 - (x - 18) * 0.367, y2: 56 + (x - 18) * 0.367 }),
      ),
    );
    for (const [name, sizes] of [
      ["teacher", [4, 6, 6, 3]],
      ["student", [3, 4, 3]],
    ]) {
      const gap = 56 / (sizes.length - 1);
      this.inside(name).append(
        ...sizes.flatMap((size, i) =>
          Array.from({ length: size }, (_, j) =>
            s("circle", { class: "neuron", cx: 18 + i * gap, cy: 29 + (j - (size - 1) / 2) * 8.2, r: 2.7 }),
          ),
        ),
      );
    }
    this.bars = [
      ["teacher sees it?", "ce"],
      ["looks inside right?", "bn"],
      ["puzzles student?", "adversarial"],
    ].map(([name, kind], i) => {
      const bar = s("rect", { x: 12, y: 26 + 28 * i, width: 0, height: 5, rx: 2.5, style: `fill:var(--${kind})` });
      this.inside("losses").append(
        s("text", { class: "tiny", x: 12, y: 20 + 28 * i }, name),
        s("rect", { class: "groove", x: 12, y: 26 + 28 * i, width: 84, height: 5, rx: 2.5 }),
        bar,
      );
      return bar;
    });
    this.thumbs = Array.from({ length: 4 }, (_, i) => {
      const thumb = s(
        "svg",
        {
          class: "thumb",
          x: 9 + (i % 2) * 38,
          y: 11 + Math.floor(i / 2) * 38,
          width: 36,
          height: 36,
          preserveAspectRatio: "none",
        },
        s("rect", { class: "blank", width: "100%", height: "100%", rx: 4 }),
        s("image", { height: 1, preserveAspectRatio: "none" }),
      );
      this.inside("images").append(thumb);
      return thumb;
    });
  }

  /** Names and the table's first numbers, for the teacher that is chosen or runs. */
  introduce(classes, sketch) {
    const names = classes.slice(0, classes.length > 6 ? 5 : 6);
    const rows = [...names, ...(classes.length > names.length ? [`and ${classes.length - names.length} more`] : [])];
    const gap = 84 / Math.max(rows.length, 5);
    this.inside("names").replaceChildren(
      ...rows.map((name, i) =>
        s(
          "text",
          {
            class: i === names.length ? "tiny" : "class-name",
            x: 46,
            y: 6 + gap * (i + 0.75),
            "text-anchor": "middle",
          },
          name.length > 14 ? `${name.slice(0, 13)}…` : name,
        ),
      ),
    );
    const height = 76 / sketch.length;
    const peak = Math.max(...sketch.flat().map(Math.abs), 1e-6);
    this.inside("embeddings").replaceChildren(
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

  picture(url, count) {
    this.thumbs.forEach((thumb, i) => {
      const image = thumb.querySelector("image");
      put(thumb, "viewBox", `${Math.min(i, count - 1)} 0 1 1`);
      put(image, "width", count);
      put(image, "href", url);
    });
  }

  explain(name) {
    this.explaining = name;
    say(this.sentence, name ? `${this.parts[name][1]}${this.size(name)}` : this.told || "");
  }

  /** How many weights a part has, where that is known. */
  size(name) {
    const weights = this.parameters?.[{ noisy: "noisy layer" }[name] ?? name];
    return weights ? ` It has ${whole(weights)} weights.` : "";
  }

  update(model, fallback) {
    this.parameters = model.facts?.parameters;
    say(this.notes, model.notes.join(" "));
    put(this.notes, "hidden", !model.notes.length);
    const detailed = model.pace > 0 || model.state === "paused";
    this.told = detailed && model.story ? model.story : fallback;
    if (!this.explaining) say(this.sentence, this.told);
    this.sentence.classList.toggle("live", detailed);
    const last = model.losses.at(-1);
    if (last) {
      const highest = (i) => Math.max(1e-6, ...model.losses.slice(-200).map((point) => Math.abs(point[i] ?? 0)));
      [1, 2, 3].forEach((at, i) =>
        put(this.bars[i], "width", (84 * Math.min(1, Math.abs(last[at] ?? 0) / highest(at))).toFixed(1)),
      );
      put(
        this.boxes.losses,
        "aria-label",
        `losses. ${this.parts.losses[1]} Now: cross-entropy ${figure(last[1])}, statistics ${figure(last[2])}, adversarial ${figure(last[3])}; the teacher recognises ${percent(last[4])}.`,
      );
    }
    this.light(model);
  }

  light(model) {
    const walk = WALKS[model.phase];
    const working = model.state === "running" || (model.state === "paused" && model.phase);
    this.svg.classList.toggle("working", model.state === "running" && !model.pace);
    if (!walk || !working) return this.lit([]);
    if (!model.pace) {
      clearInterval(this.walking);
      this.step = null;
      return this.lit(walk.flat());
    }
    if (this.step === model.story && model.state === "running") return;
    this.step = model.story;
    clearInterval(this.walking);
    let at = 0;
    const forward = () => {
      this.lit(walk[Math.min(at, walk.length - 1)]);
      at += 1;
      if (at >= walk.length) clearInterval(this.walking);
    };
    forward();
    if (model.state === "running") this.walking = setInterval(forward, (900 * model.pace) / walk.length);
  }

  lit(names) {
    const on = new Set(names);
    for (const [name, element] of [...Object.entries(this.boxes), ...Object.entries(this.wires)]) {
      element.classList.toggle("lit", on.has(name));
      element.classList.toggle("flowing", on.has(name) && !calm());
    }
  }
}
