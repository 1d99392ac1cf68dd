// The reset lab: arms side by side with the same teacher, seed and budget; the charts they share; what may be said.

import { Arm, ARM_COLOURS } from "./arm.js";
import { AT, HIT, SCALES } from "./diversity.js";
import { Chart } from "./chart.js";
import { duration, figure, h, percent, put, say } from "./dom.js";
import { Drill } from "./drill.js";
import { LabForm } from "./labform.js";
import { ENDED } from "./model.js";
import { at, call } from "./server.js";
import { Strip } from "./strip.js";

const KEPT = "nayer-lab"; // localStorage: { run, token }
const SHARED = "nayer-run"; // the visitor's token, which the live run has too

export function mount({ element, props }) {
  const host = element.querySelector("#nayer-lab");
  if (host.childElementCount) return;
  new Lab({ host, props });
}

class Lab {
  constructor({ host, props }) {
    Object.assign(this, { host, props, arms: [], state: "empty" });
    this.build();
    new ResizeObserver(() => this.appear()).observe(host);
    this.kept = stored(KEPT);
    if (this.kept.run) this.follow();
    this.draw();
  }

  build() {
    this.form = new LabForm({ props: this.props, start: (plan) => this.start(plan) });
    this.notice = h("div", { class: "notice", hidden: true, role: "alert" });
    this.toggle = h("button", { type: "button", onclick: () => this.command(this.state === "paused" ? "resume" : "pause") }, "Pause");
    this.stop = h("button", { type: "button", onclick: () => this.command("stop") }, "Stop");
    this.line = h("p", { class: "standing note", role: "status" });
    this.bar = h("div", { class: "card lab-bar" }, h("div", { class: "choices" }, this.toggle, this.stop), this.line);
    this.verdict = h("section", { class: "card verdicts", "aria-label": "What may be said", hidden: true });
    this.columns = h("div", { class: "arms" });
    this.charts = h("div", { class: "lab-charts" });
    this.drill = new Drill();
    this.strip = new Strip({ ask: (label, count) => call("redraws", this.kept.run, this.kept.token, label, count, this.chosen) });
    this.armChoice = h("select", { "aria-label": "Arm of the strip", onchange: () => (this.chosen = Number(this.armChoice.value)) });
    this.strip.element.querySelector(".choices").prepend(this.armChoice);
    this.results = h("div", { class: "lab-results", hidden: true }, this.bar, this.verdict, this.columns, this.charts, this.strip.element);
    this.host.replaceChildren(this.form.element, this.notice, this.results);
  }

  // --- commands ---------------------------------------------------------------------------------------------------

  async start({ experiment, teacher, seed, seconds, repeats, arms }) {
    this.complain("");
    try {
      const begun = await call("start_lab", experiment, teacher, seed, seconds, repeats, arms, stored(SHARED).token ?? "");
      this.kept = { run: begun.run, token: begun.token };
      localStorage.setItem(KEPT, JSON.stringify(this.kept));
      localStorage.setItem(SHARED, JSON.stringify({ ...stored(SHARED), token: begun.token }));
      this.follow();
    } catch (error) {
      this.complain(error.message);
    }
  }

  async command(name) {
    try {
      this.state = (await call(name, this.kept.run, this.kept.token)).state;
    } catch (error) {
      this.complain(error.message);
    }
    this.draw();
    this.look();
  }

  // --- news -------------------------------------------------------------------------------------------------------

  follow() {
    for (const arm of this.arms) arm.close();
    this.arms = [];
    this.facts = null;
    this.look();
  }

  appear() {
    const seen = this.host.getClientRects().length > 0;
    if (seen && !this.seen && this.facts) {
      for (const arm of this.arms) arm.feed.soon();
      this.draw();
    }
    this.seen = seen;
  }

  async look() {
    clearTimeout(this.timer);
    const run = this.kept.run;
    try {
      const answer = await fetch(at(`live/${run}/lab`), { cache: "no-store" });
      if (answer.status === 404) return this.forget();
      const facts = await answer.json();
      if (run !== this.kept.run) return;
      if (!this.arms.length) this.introduce(facts);
      this.facts = facts;
      this.state = facts.state;
      this.arms.forEach((arm, i) => arm.show(facts.results.findLast((result) => result.arm === i)));
      this.draw();
    } catch {
      // no answer: asked again below
    }
    if (!ENDED.has(this.state) || this.arms.some((arm) => !ENDED.has(arm.model.state))) this.timer = setTimeout(() => this.look(), 2 * this.props.pause_ms);
  }

  forget() {
    this.kept = {};
    localStorage.removeItem(KEPT);
    if (this.facts) this.complain("This lab is over and no longer kept. Start it again.");
  }

  introduce(facts) {
    this.arms = facts.arms.map(
      (title, number) =>
        new Arm({
          number,
          title,
          address: at(`live/${this.kept.run}/arm/${number}`),
          every: this.props.pause_ms,
          seen: () => this.host.getClientRects().length > 0,
          heard: () => this.drawCharts(),
          pick: (round) => this.openDrill(number, round),
        }),
    );
    this.chosen = 0;
    this.armChoice.replaceChildren(...facts.arms.map((title, i) => h("option", { value: i }, title)));
    this.columns.style.setProperty("--arms", facts.arms.length);
    this.columns.replaceChildren(...this.arms.map((arm) => arm.element));
    this.makeCharts(facts);
  }

  openDrill(number, round) {
    const arm = this.arms[number];
    if (arm.model.facts) this.drill.show({ address: arm.address, round, classes: arm.model.facts.classes, name: arm.title });
  }

  // --- drawing ----------------------------------------------------------------------------------------------------

  makeCharts(facts) {
    const make = (title, hint, format, more = {}) => {
      const lines = facts.arms.map((name, i) => ({ name, colour: ARM_COLOURS[i], value: (p) => (p.arm === i ? p.value : null), format, width: 2 }));
      return new Chart({ title, hint, height: 170, ticks: 3, lines, axis: format, label: `${title}: nothing measured yet.`, pick: (p) => this.openDrill(p.arm, p.round), ...more });
    };
    this.accuracy = make("accuracy", "On real test images, against the seconds of an arm's own work.", (v) => percent(v), { low: 0, high: 1 });
    this.hit = make(HIT.title, HIT.hint, (v) => percent(v), { low: 0, high: 1 });
    this.scales = SCALES.map(({ title, hint, low }) => make(title, hint, figure, { low }));
    this.charts.replaceChildren(...[this.accuracy, ...this.scales, this.hit].map((chart) => h("section", { class: "card" }, chart.element)), h("p", { class: "note wide" }, "Against the seconds of an arm's own work. Dashed: real test images and pure noise, laid out like the samples. A click on a point, or Enter on a focused chart, shows the images behind it."));
  }

  drawCharts() {
    if (!this.accuracy || !this.facts) return;
    const budget = this.facts.budget;
    const gather = (series, value, seconds) =>
      this.arms
        .flatMap((arm) => arm.model[series].map((p) => Object.assign([seconds(p)], { arm: arm.number, round: Math.round(p[0]) - 1, value: value(p) })))
        .filter((p) => p.value !== null && p.value !== undefined)
        .sort((a, b) => a[0] - b[0]);
    const marks = this.arms.flatMap((arm) => arm.model.changes.map(([round, text]) => ({ x: arm.model.diversity.find((p) => p[0] > round)?.[AT.seconds] ?? 0, kind: "change", text: `${arm.title}: ${text}` })));
    const teacher = this.arms.map((arm) => arm.model.teacher_accuracy).find((value) => value !== null && value !== undefined);
    const show = (chart, points, rules) => chart.show({ points, rules, marks, rounds: budget, label: `${chart.heading.textContent}: ${this.spoken(points, chart.lines[0].format)}` });
    show(this.accuracy, gather("measures", (p) => p[1] ?? p[2], (p) => p[3]), teacher === undefined ? [] : [{ y: teacher, text: `teacher ${percent(teacher, 1)}`, kind: "teacher" }]);
    show(this.hit, gather("diversity", (p) => p[AT.hit], (p) => p[AT.seconds]), []);
    this.scales.forEach((chart, i) => {
      const place = AT[SCALES[i].name];
      show(chart, gather("diversity", (p) => p[place], (p) => p[AT.seconds]), this.endPoints(place));
    });
  }

  endPoints(place) {
    const newest = (shift) => this.arms.map((arm) => arm.model.diversity.findLast((p) => p[place + shift] !== null)?.[place + shift]).filter((value) => value !== undefined && value !== null);
    const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
    return [[2, "real images", "teacher"], [1, "noise", "chance"]].flatMap(([shift, text, kind]) => {
      const values = newest(shift);
      return values.length ? [{ y: mean(values), text: `${text} ${figure(mean(values))}`, kind }] : [];
    });
  }

  spoken(points, format) {
    const last = this.arms.map((arm) => [arm.title, points.findLast((p) => p.arm === arm.number)]).filter(([, p]) => p);
    return last.length ? `${last.map(([title, p]) => `${title} ${format(p.value)}`).join(", ")}.` : "nothing measured yet.";
  }

  draw() {
    const { facts } = this;
    const active = facts && !ENDED.has(this.state);
    put(this.results, "hidden", !facts);
    this.form.running(Boolean(active));
    if (!facts) return;
    say(this.toggle, this.state === "paused" ? "Resume" : "Pause");
    put(this.toggle, "disabled", !(this.state === "running" || this.state === "paused"));
    put(this.stop, "disabled", !active);
    const states = { queued: "waiting for a place", running: "running", paused: "paused", finished: "finished", stopped: "stopped", failed: "failed" };
    const seeds = facts.seeds.length === 1 ? `seed ${facts.seeds[0]}` : `seeds ${facts.seeds[0]} to ${facts.seeds.at(-1)}, now ${Math.max(...facts.results.map((r) => r.seed), facts.seeds[0])}`;
    say(this.line, [facts.title, states[this.state], `${duration(facts.budget)} an arm`, seeds, active ? `about ${duration(facts.left)} of work left` : ""].filter(Boolean).join(" · "));
    const key = facts.sentences.join("\n");
    if (this.told !== key) this.verdict.replaceChildren(h("h3", {}, facts.question || "What may be said"), ...facts.sentences.map((sentence) => h("p", {}, sentence)));
    this.told = key;
    put(this.verdict, "hidden", !key);
    const classes = this.arms.find((arm) => arm.model.facts)?.model.facts.classes;
    if (classes) this.strip.introduce(classes);
    this.strip.enable(Boolean(classes));
    this.drawCharts();
  }

  complain(sentence) {
    say(this.notice, sentence);
    put(this.notice, "hidden", !sentence);
  }
}

function stored(name) {
  try {
    return JSON.parse(localStorage.getItem(name)) ?? {};
  } catch {
    return {};
  }
}
