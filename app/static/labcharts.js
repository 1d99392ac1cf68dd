// The charts that all arms of a lab share: accuracy, the three scales of diversity, and always beside them label hits.

import { ARM_COLOURS } from "./arm.js";
import { Chart } from "./chart.js";
import { AT, HIT, SCALES } from "./diversity.js";
import { figure, h, percent, say } from "./dom.js";
import { titled } from "./explained.js";
import { measureName } from "./model.js";

const ACCURACY = { title: "accuracy", about: ["measure/accuracy", "measure/agreement"] };

export class LabCharts {
  /** `pick(arm, round)` when somebody asks for the images behind a point; `shown`: accuracy, hit or scales, else all. */
  constructor({ pick, shown = null }) {
    Object.assign(this, { pick, shown });
    this.points = new WeakMap(); // a chart -> a model's point -> what the chart shows of it
    this.element = h("section", { class: "card lab-charts", "aria-label": "The arms in one chart each" });
  }

  introduce(titles) {
    this.titles = titles;
    const whole = { axis: (v) => `${Math.round(100 * v)}`, low: 0, high: 1 };
    this.accuracy = this.make(ACCURACY, (v) => percent(v, 1), { ...whole, height: 200, ticks: 4 });
    this.hit = this.make(HIT, (v) => percent(v), { ...whole, height: 200, ticks: 4 });
    this.scales = SCALES.map((scale) =>
      this.make(scale, figure, { axis: figure, low: scale.low, height: 140, ticks: 2 }),
    );
    if (this.shown)
      return this.arrange({
        accuracy: this.accuracy,
        hit: this.hit,
        ...Object.fromEntries(SCALES.map(({ name }, i) => [name, this.scales[i]])),
      });
    this.element.replaceChildren(
      h("div", { class: "lab-row" }, this.accuracy.element, this.hit.element),
      h("p", { class: "note" }, "In percent, against the seconds of an arm's own work."),
      h(
        "div",
        { class: "lab-title" },
        titled(h("h3", {}, "How different the images of one label are"), "panel/diversity"),
      ),
      h("div", { class: "lab-row" }, ...this.scales.map((chart) => chart.element)),
      h(
        "p",
        { class: "note" },
        "By the same seconds, between two ends: real test images and pure noise, laid out like the samples. A click on a point shows the images behind it; with the keyboard, arrow keys move along a chart and Enter opens.",
      ),
    );
  }

  arrange(charts) {
    this.element.replaceChildren(
      h("div", { class: "lab-row" }, ...this.shown.map((name) => charts[name].element)),
      h(
        "p",
        { class: "note" },
        "Against the seconds of an arm's own work; accuracy and label hit in percent. A click on a point, or Enter on a focused chart, shows the images behind it.",
      ),
    );
  }

  make({ title, about }, format, more) {
    const lines = this.titles.map((name, i) => ({
      name,
      colour: ARM_COLOURS[i],
      value: (p) => (p.arm === i ? p.value : null),
      format,
      width: 2,
    }));
    const chart = new Chart({
      title,
      about,
      lines,
      x: "seconds",
      label: `${title}: nothing measured yet.`,
      apart: true,
      pick: (p) => this.pick(p.arm, p.round),
      ...more,
    });
    this.points.set(chart, new WeakMap());
    return chart;
  }

  update(arms, budget) {
    const teacher = arms.map((arm) => arm.model.teacher_accuracy).find((value) => value !== null);
    const marks = arms.flatMap((arm) =>
      arm.model.changes.map(([round, text]) => ({
        x: begun(arm.model, round),
        kind: "change",
        text: `${arm.title}: ${text}`,
      })),
    );
    const show = (chart, points, rules) =>
      chart.show({
        points,
        rules,
        marks,
        rounds: budget,
        label: `${chart.heading.textContent}: ${this.spoken(chart, points)}`,
      });
    say(this.accuracy.heading, measureName(arms[0].model));
    show(
      this.accuracy,
      this.gather(this.accuracy, arms, "measures", (p) => [p[3], p[1] ?? p[2]]),
      teacher === undefined ? [] : [{ y: teacher, text: `teacher ${percent(teacher, 1)}`, kind: "teacher" }],
    );
    show(
      this.hit,
      this.gather(this.hit, arms, "diversity", (p) => [p[AT.seconds], p[AT.hit]]),
      [],
    );
    this.scales.forEach((chart, i) => {
      const place = AT[SCALES[i].name];
      show(
        chart,
        this.gather(chart, arms, "diversity", (p) => [p[AT.seconds], p[place]]),
        ends(arms, place),
      );
    });
  }

  /** The arms' points by their seconds; one point stays one object, so that it can be pointed at while others come. */
  gather(chart, arms, series, read) {
    const known = this.points.get(chart);
    const shown = (arm, p) => {
      if (!known.has(p)) {
        const [seconds, value] = read(p);
        known.set(p, Object.assign([seconds], { arm: arm.number, round: Math.round(p[0]) - 1, value }));
      }
      return known.get(p);
    };
    return arms
      .flatMap((arm) => arm.model[series].map((p) => shown(arm, p)))
      .filter(({ value }) => value !== null)
      .sort((a, b) => a[0] - b[0]);
  }

  spoken(chart, points) {
    const last = this.titles.map((title, arm) => [title, points.findLast((p) => p.arm === arm)]).filter(([, p]) => p);
    return last.length
      ? `${last.map(([title, p]) => `${title} ${chart.lines[0].format(p.value)}`).join(", ")}.`
      : "nothing measured yet.";
  }
}

/** The seconds at which an arm's round began, as near as is known. */
const begun = (model, round) => model.diversity.findLast((p) => p[0] <= round)?.[AT.seconds] ?? 0;

/** What real images and noise come to at a scale: the mean over the arms that have it. */
function ends(arms, place) {
  return [
    [2, "real images", "teacher"],
    [1, "noise", "chance"],
  ].flatMap(([shift, name, kind]) => {
    const values = arms
      .map((arm) => arm.model.diversity.findLast((p) => p[place + shift] !== null)?.[place + shift])
      .filter((value) => value !== undefined);
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return values.length ? [{ y: mean, text: `${name} ${figure(mean)}`, kind }] : [];
  });
}
