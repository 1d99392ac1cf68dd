// The panels with curves: the student's accuracy, and what generator and student lower.

import { Chart } from "./chart.js";
import { marksOf } from "./diversity.js";
import { figure, h, percent, put, say, whole } from "./dom.js";
import { titled } from "./explained.js";

export class Accuracy {
  constructor() {
    this.measured = null;
    this.source = h("p", { class: "note" }, "Measured on real test images, which are used for nothing else.");
    this.element = h(
      "section",
      { class: "card accuracy", "aria-label": "Accuracy of the student" },
      h("div", { class: "chart-slot" }),
      this.source,
    );
    this.make("test images");
  }

  make(measured) {
    if (this.measured === measured) return;
    this.measured = measured;
    const onTest = measured === "test images";
    const agreement = {
      name: "agreement with the teacher",
      colour: onTest ? "var(--quiet-line)" : "var(--student)",
      value: (p) => p[2],
      format: (v) => percent(v, 1),
      width: onTest ? 1.5 : 2.5,
      dash: onTest ? "3 3" : null,
    };
    const accuracy = {
      name: "accuracy",
      colour: "var(--student)",
      value: (p) => p[1],
      format: (v) => percent(v, 1),
      width: 2.5,
    };
    this.chart = new Chart({
      title: onTest ? "The student, on real images" : "The student, on held-back samples",
      about: onTest ? ["measure/accuracy", "measure/agreement"] : "measure/agreement",
      height: 208,
      low: 0,
      high: 1,
      ticks: 4,
      axis: (v) => `${Math.round(100 * v)}`,
      lines: onTest ? [accuracy, agreement] : [agreement],
      label: "No measurement yet.",
    });
    this.element.querySelector(".chart-slot").replaceChildren(this.chart.element);
    say(
      this.source,
      onTest
        ? "In percent, by round; measured on real test images, which are used for nothing else."
        : "In percent, by round. There are no test images at hand, so this is how often the student picks the teacher's class on samples it never learnt from.",
    );
  }

  update(model) {
    const facts = model.facts;
    this.make(facts?.measured_on ?? "test images");
    const rules = [];
    const teacher = model.teacher_accuracy ?? null;
    if (facts) rules.push({ y: 1 / facts.classes.length, text: "guessing", kind: "chance" });
    if (teacher !== null) rules.push({ y: teacher, text: `teacher ${percent(teacher, 1)}`, kind: "teacher" });
    const marks = [
      ...model.redraws.filter(([, what]) => what !== "generator").map(([round]) => ({ x: round, kind: "redraw" })),
      ...marksOf(model),
    ];
    const last = model.measures.at(-1);
    this.chart.show({
      points: model.measures,
      rules,
      marks,
      rounds: facts?.rounds ?? 60,
      label: last ? this.summary(last, teacher) : "No measurement yet.",
    });
  }

  summary([x, accuracy, agreement], teacher) {
    const right = accuracy === null ? "" : `the student is right for ${percent(accuracy, 1)} of the test images`;
    const against = teacher === null ? "" : `, the teacher for ${percent(teacher, 1)}`;
    const agrees = agreement === null ? "" : `; it agrees with the teacher on ${percent(agreement, 1)}`;
    return `After ${Math.round(x)} rounds ${right}${against}${agrees}.`.replace("rounds ;", "rounds");
  }
}

const LATEST = 10; // rounds of the generator's losses that are shown: enough to see how a re-draw throws them back

export class Losses {
  constructor() {
    const small = (title, colour, at, about, span, low) =>
      new Chart({
        title,
        height: 84,
        ticks: 2,
        small: true,
        span,
        axis: figure,
        about,
        low,
        lines: [{ name: title, colour, value: (p) => p[at], format: figure, width: 1.6 }],
        label: `${title}: no value yet.`,
      });
    this.charts = {
      ce: small("cross-entropy", "var(--ce)", 1, "measure/ce", LATEST, 0),
      bn: small("statistics", "var(--bn)", 2, "measure/bn", LATEST, 0),
      adversarial: small("adversarial", "var(--adversarial)", 3, "measure/adversarial", LATEST, null),
      kl: small("student", "var(--student)", 1, "measure/loss", null, 0),
    };
    this.fill = h("i");
    this.meter = h("div", { class: "meter", role: "img", "aria-label": "The pool is empty." }, this.fill);
    this.count = h("b", { class: "figure" }, "empty");
    this.table = h("tbody");
    const names = ["round", "cross-entropy", "statistics", "adversarial", "recognised"];
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
          h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))),
          this.table,
        ),
      ),
    );
    this.element = h(
      "section",
      { class: "card losses", "aria-label": "Losses and pool" },
      titled(h("h3", {}, "What is being lowered"), "panel/losses"),
      h("div", { class: "multiples" }, ...Object.values(this.charts).map((chart) => chart.element)),
      h(
        "p",
        { class: "note" },
        `By round: the generator's three terms over the last ${LATEST} rounds, and the student's loss over all of them.`,
      ),
      this.details,
      h("div", { class: "pool" }, h("span", {}, "pool"), this.meter, this.count),
    );
  }

  update(model) {
    const rounds = model.facts?.rounds ?? 60;
    const marks = marksOf(model);
    this.points = model.losses;
    for (const [name, chart] of Object.entries(this.charts)) {
      const points = name === "kl" ? model.learning : model.losses;
      const last = points.at(-1);
      const value = last ? chart.lines[0].value(last) : null;
      chart.show({
        points,
        marks,
        rounds,
        label: last
          ? `${chart.lines[0].name}: now ${figure(value)}, in round ${Math.ceil(last[0])}.`
          : `${chart.lines[0].name}: no value yet.`,
      });
    }
    this.fillTable();
    const [size, capacity] = model.pool;
    const text = capacity ? `${whole(size)} of ${whole(capacity)} images` : "empty";
    this.fill.style.width = capacity ? `${(100 * size) / capacity}%` : "0";
    say(this.count, text);
    put(this.meter, "aria-label", capacity ? `The pool holds ${text}.` : "The pool is empty.");
  }

  fillTable() {
    if (!this.details.open) return;
    const newest = (this.points ?? []).slice(-200).reverse();
    this.table.replaceChildren(
      ...newest.map(([x, ...values]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, x.toFixed(2)),
          ...values.map((value, i) => h("td", {}, i === 3 ? percent(value) : figure(value))),
        ),
      ),
    );
  }
}
