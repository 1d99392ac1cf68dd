// How different the images are, at three scales, each between real images and noise, and beside them the label hits.

import { Chart } from "./chart.js";
import { figure, h, percent } from "./dom.js";
import { titled } from "./explained.js";

// Places in a diversity's point; the server's list is `DIVERSITY`.
export const AT = { hit: 1, within: 2, across: 5, pool: 8, kept: 11, seconds: 12 };
export const SCALES = [
  { name: "within", title: "within a round", about: "measure/within", low: 1 },
  { name: "across", title: "across rounds", about: "measure/across", low: 0 },
  { name: "pool", title: "over the pool", about: "measure/pool", low: 1 },
];
export const HIT = { title: "label hit", about: "measure/label_hit" };

export class Diversity {
  /** `pick(round)` when somebody asks for the images behind a point. */
  constructor({ pick }) {
    const lines = (at) => [
      { name: "samples", colour: "var(--student)", value: (p) => p[at], format: figure, width: 2 },
      { name: "noise", colour: "var(--quiet-line)", value: (p) => p[at + 1], format: figure, width: 1.2, dash: "2 3" },
      {
        name: "real images",
        colour: "var(--teacher)",
        value: (p) => p[at + 2],
        format: figure,
        width: 1.2,
        dash: "6 4",
      },
    ];
    const chart = (title, about, of, more) =>
      new Chart({
        title,
        about,
        height: 96,
        ticks: 2,
        small: true,
        lines: of,
        label: `${title}: nothing measured yet.`,
        pick: (point) => pick(Math.round(point[0]) - 1),
        ...more,
      });
    this.charts = SCALES.map(({ name, title, about, low }) =>
      chart(title, about, lines(AT[name]), { axis: figure, low }),
    );
    const hit = [
      { name: "label hit", colour: "var(--bn)", value: (p) => p[AT.hit], format: (v) => percent(v), width: 2 },
    ];
    this.charts.push(chart(HIT.title, HIT.about, hit, { axis: (v) => `${Math.round(100 * v)} %`, low: 0, high: 1 }));
    this.element = h(
      "section",
      { class: "card diversity", "aria-label": "Diversity" },
      titled(h("h3", {}, "How different the images are"), "panel/diversity"),
      h("div", { class: "multiples" }, ...this.charts.map((one) => one.element)),
      h(
        "p",
        { class: "note legend" },
        key("", "var(--student)", "samples"),
        key("dashed", "var(--teacher)", "real test images in their place"),
        key("dashed", "var(--quiet-line)", "noise in their place"),
      ),
      h(
        "p",
        { class: "note" },
        "By round; a click on a point, or Enter on a focused chart, shows the images behind it.",
      ),
    );
  }

  update(model) {
    const marks = marksOf(model);
    const rounds = model.facts?.rounds ?? 60;
    const last = model.diversity.at(-1);
    this.charts.forEach((chart, i) => {
      const value = last ? chart.lines[0].value(last) : null;
      const told =
        value === null
          ? "nothing measured yet"
          : `${chart.lines[0].format(value)} after round ${Math.round(last[0])}${i < 3 ? `; noise ${figure(last[AT[SCALES[i].name] + 1])}, real images ${figure(last[AT[SCALES[i].name] + 2])}` : ""}`;
      chart.show({ points: model.diversity, marks, rounds, label: `${i < 3 ? SCALES[i].title : HIT.title}: ${told}.` });
    });
  }
}

/** Rebuilds and changed policies, for any chart by round. */
export function marksOf(model) {
  return [
    ...model.redraws.filter(([, what]) => what === "generator").map(([round]) => ({ x: round, kind: "rebuild" })),
    ...model.changes.map(([round, what]) => ({ x: round, kind: "change", text: what })),
  ];
}

const key = (kind, colour, name) =>
  h("span", { class: "key" }, h("i", { class: kind, style: `background:${colour}` }), name);
