// The reset lab: arms side by side with the same teacher, seed and budget; what they share, and what may be said.

import { Arm } from "./arm.js";
import { duration, h, put, say, unseen } from "./dom.js";
import { Drill } from "./drill.js";
import { titled } from "./explained.js";
import { Feed } from "./feed.js";
import { keep, remembered } from "./kept.js";
import { LabCharts } from "./labcharts.js";
import { LabForm, settingsOf } from "./labform.js";
import { Results } from "./results.js";
import { ENDED } from "./model.js";
import { at, command, leave } from "./server.js";
import { Strip } from "./strip.js";

const KEPT = "nayer-lab"; // localStorage: { run, token }
const STATES = {
  queued: "waiting for a place",
  starting: "starting",
  running: "running",
  paused: "paused",
  finished: "finished",
  stopped: "stopped",
  failed: "failed",
  interrupted: "interrupted",
};

export function mount({ element, props }) {
  const host = element.querySelector("#nayer-lab");
  if (host.childElementCount) return;
  new Lab({ host, props });
}

class Lab {
  constructor({ host, props }) {
    Object.assign(this, { host, props, arms: [], facts: null, state: "empty", chosen: 0 });
    this.build();
    new ResizeObserver(() => this.appear()).observe(host);
    this.kept = JSON.parse(localStorage.getItem(KEPT) ?? "{}");
    addEventListener("pagehide", () => this.state === "queued" && leave(this.kept));
    if (this.kept.run) this.follow();
    this.draw();
  }

  build() {
    this.form = new LabForm({ props: this.props, start: (plan) => this.start(plan) });
    this.notice = h("div", { class: "notice", hidden: true, role: "alert" });
    this.toggle = h("button", { type: "button", class: "primary lab-toggle", onclick: () => this.press() }, "Pause");
    this.stop = h("button", { type: "button", class: "lab-stop", onclick: () => this.command("stop") }, "Stop");
    this.line = h("p", { class: "standing" });
    this.spoken = h("p", { class: "unseen", role: "status" });
    this.progress = h("i", { class: "progress" });
    this.bar = h(
      "div",
      { class: "card lab-bar", role: "toolbar", "aria-label": "Lab" },
      h("div", { class: "choices" }, this.toggle, this.stop),
      this.line,
      this.spoken,
      this.progress,
    );
    this.verdict = h("section", { class: "card verdicts", "aria-label": "What may be said", hidden: true });
    this.columns = h("div", { class: "arms" });
    this.drill = new Drill({ host: this.host });
    this.charts = new LabCharts({ pick: (arm, round) => this.openDrill(arm, round) });
    this.table = new Results();
    this.strip = new Strip({
      ask: (label, count) => command("redraws", this.kept.run, this.kept.token, label, count, this.chosen),
      arms: (arm) => (this.chosen = arm),
    });
    this.shown = h(
      "div",
      { class: "lab-shown", hidden: true },
      this.bar,
      this.columns,
      this.charts.element,
      this.verdict,
      this.table.element,
      this.strip.element,
    );
    this.host.replaceChildren(unseen("Runs side by side", "h2"), this.form.element, this.notice, this.shown);
  }

  // --- commands ---------------------------------------------------------------------------------------------------

  async start({ experiment, teacher, seed, seconds, repeats, arms }) {
    this.complain("");
    this.form.busy(true);
    try {
      const begun = await command(
        "start_lab",
        experiment,
        teacher,
        seed,
        seconds,
        repeats,
        arms,
        remembered().token ?? "",
      );
      this.kept = { run: begun.run, token: begun.token };
      localStorage.setItem(KEPT, JSON.stringify(this.kept));
      keep({ ...remembered(), token: begun.token }); // one visitor, one token
      this.follow();
      this.bringIntoView = true;
    } catch (error) {
      this.complain(error.message);
    }
    this.form.busy(false);
  }

  async press() {
    const interrupted = this.state === "interrupted";
    await this.command(interrupted ? "revive" : this.state === "paused" ? "resume" : "pause");
    if (interrupted) this.follow();
  }

  async command(name) {
    try {
      this.state = (await command(name, this.kept.run, this.kept.token)).state;
    } catch (error) {
      this.complain(error.message);
    }
    this.draw();
    this.feed.soon();
  }

  /** An arm goes on with other settings from its next round on; every chart gets a mark there. */
  async change(number, title, wanted) {
    try {
      await command("change", this.kept.run, this.kept.token, settingsOf(wanted), number);
      this.complain(`${title} goes on with ${wanted.trim()} from its next round on.`, "quiet");
    } catch (error) {
      this.complain(error.message);
    }
    this.feed.soon();
  }

  // --- news -------------------------------------------------------------------------------------------------------

  follow() {
    this.feed?.close();
    this.arms = [];
    this.facts = null;
    this.feed = new Feed({
      address: at(`live/${this.kept.run}`),
      news: "lab",
      seen: () => this.seen,
      heard: (facts) => this.hear(facts),
      gone: () => this.forget(),
      trouble: (down) => this.complain(down ? "Reconnecting… the lab goes on meanwhile." : "", "quiet"),
    });
  }

  get seen() {
    return this.host.getClientRects().length > 0;
  }

  /** Catches up at once when its tab comes back on show. */
  appear() {
    if (this.seen && !this.wasSeen) this.feed?.soon();
    this.wasSeen = this.seen;
  }

  hear(facts) {
    if (!this.arms.length) this.introduce(facts);
    this.facts = facts;
    this.state = facts.state;
    this.arms.forEach((arm, i) =>
      arm.hear(
        facts.news[i],
        facts.results.findLast((result) => result.arm === i),
      ),
    );
    if (facts.state === "failed") this.complain(facts.error);
    this.draw();
    if (this.bringIntoView) this.shown.scrollIntoView({ block: "start" });
    this.bringIntoView = false;
  }

  introduce(facts) {
    const address = at(`live/${this.kept.run}`);
    this.arms = facts.arms.map(
      (title, number) =>
        new Arm({
          number,
          title,
          address: `${address}/arm/${number}`,
          pick: (round) => this.openDrill(number, round),
          change: (wanted) => this.change(number, title, wanted),
        }),
    );
    this.chosen = 0;
    this.columns.style.setProperty("--arms", facts.arms.length);
    this.columns.replaceChildren(...this.arms.map((arm) => arm.element));
    this.strip.compare(facts.arms);
    this.charts.introduce(facts.arms);
    this.told = "";
  }

  forget() {
    this.kept = {};
    localStorage.removeItem(KEPT);
    if (this.facts) this.complain("This lab is over and no longer kept. Start it again.", "quiet");
  }

  openDrill(number, round) {
    const { model, address, title, colour } = this.arms[number];
    if (model.facts) this.drill.show({ address, round, classes: model.facts.classes, name: title, colour });
  }

  // --- drawing ----------------------------------------------------------------------------------------------------

  draw() {
    const { facts } = this;
    const active = facts !== null && !ENDED.has(this.state);
    put(this.shown, "hidden", !facts);
    put(this.host, "data-state", this.state);
    this.form.running(active);
    if (!facts) return;
    say(this.toggle, { paused: "Resume", interrupted: "Run again" }[this.state] ?? "Pause");
    put(this.toggle, "disabled", !["running", "paused", "interrupted"].includes(this.state));
    put(this.stop, "disabled", !active);
    for (const arm of this.arms) put(arm.change, "hidden", !active);
    const parts = this.standing(facts, active);
    if (this.stands !== parts.join())
      this.line.replaceChildren(...parts.map((part, i) => h("span", { class: i ? "" : "first" }, part)));
    this.stands = parts.join();
    say(this.spoken, `The lab is ${STATES[this.state]}.`);
    const work = facts.budget * facts.arms.length * facts.seeds.length;
    this.progress.style.width = `${100 * (1 - facts.left / work)}%`;
    this.drawVerdict(facts);
    const classes = this.arms.find((arm) => arm.model.facts)?.model.facts.classes;
    if (classes) this.strip.introduce(classes);
    this.strip.enable(Boolean(classes));
    this.charts.update(this.arms, facts.budget);
    this.table.update(facts);
  }

  standing(facts, active) {
    const now = Math.max(facts.seeds[0], ...facts.results.map((result) => result.seed));
    const seeds =
      facts.seeds.length === 1
        ? `seed ${facts.seeds[0]}`
        : active
          ? `seed ${now}, ${facts.seeds.indexOf(now) + 1} of ${facts.seeds.length}`
          : `${facts.seeds.length} seeds`;
    const wait = facts.wait ? `, about ${duration(facts.wait)} to wait` : "";
    const ahead = facts.ahead
      ? (facts.ahead === 1 ? "1 run ahead of you" : `${facts.ahead} runs ahead of you`) + wait
      : "";
    const teacher = this.arms.find((arm) => arm.model.facts)?.model.facts.teacher;
    return [
      STATES[this.state] ?? this.state,
      ahead,
      facts.title,
      teacher ? `teacher ${teacher}` : "",
      `${duration(facts.budget)} an arm`,
      seeds,
      active ? `about ${duration(facts.left)} left` : "",
    ].filter(Boolean);
  }

  drawVerdict(facts) {
    const told = facts.sentences.join("\n");
    if (this.told !== told)
      this.verdict.replaceChildren(
        titled(h("h3", {}, facts.question || "What may be said"), "panel/verdict"),
        ...facts.sentences.map((sentence) => h("p", {}, sentence)),
      );
    this.told = told;
    put(this.verdict, "hidden", !told);
  }

  complain(sentence, kind = "loud") {
    this.notice.className = `notice ${kind}`;
    say(this.notice, sentence);
    put(this.notice, "hidden", !sentence);
  }
}
