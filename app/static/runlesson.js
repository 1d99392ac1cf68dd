// A lesson that runs arms side by side: one choice, one button, the arms' images and curves, and what may be said.

import { Arm } from "./arm.js";
import { duration, h, put, say } from "./dom.js";
import { Drill } from "./drill.js";
import { about, titled } from "./explained.js";
import { Feed } from "./feed.js";
import { keep, remembered } from "./kept.js";
import { LabCharts } from "./labcharts.js";
import { ENDED } from "./model.js";
import { at, command, leave } from "./server.js";
import { Strip } from "./strip.js";

const NAMES = {
  empty: "▶ Run it",
  running: "Pause",
  paused: "Resume",
  queued: "Waiting",
  starting: "Starting",
  interrupted: "▶ Run it",
};

export class RunLesson {
  /** `kept`: the run of this lesson that was going on when the page was left, { run, token }. */
  constructor({ lesson, number, seen, kept }) {
    Object.assign(this, { lesson, number, seen, kept: kept ?? {}, state: "empty", arms: [], facts: null, strips: 0 });
    this.build();
    addEventListener("pagehide", () => this.state === "queued" && leave(this.kept));
    if (this.kept.run) this.follow();
    this.draw();
  }

  build() {
    const { choice, shows, strip } = this.lesson;
    this.choice = h(
      "select",
      { class: "lesson-choice" },
      ...choice.options.map(([title], i) => h("option", { value: i, selected: i === choice.chosen }, title)),
    );
    this.button = h("button", { type: "button", class: "primary lesson-run", onclick: () => this.press() });
    this.stop = h("button", { type: "button", class: "lesson-stop", onclick: () => this.command("stop") }, "Stop");
    this.line = h("p", { class: "note standing-line" });
    this.spoken = h("p", { class: "unseen", role: "status" });
    this.notice = h("div", { class: "notice", hidden: true, role: "alert" });
    this.controls = h(
      "div",
      { class: "lesson-control" },
      h("label", { class: "field" }, h("span", {}, choice.label), this.choice),
      h("div", { class: "choices" }, this.button, this.stop, about(this.changed(), "what this lesson changes")),
      this.line,
      this.spoken,
      this.notice,
    );
    this.empty = h(
      "div",
      { class: "card lesson-empty" },
      h("p", {}, `Nothing has run yet. Press ${NAMES.empty}, or the space bar: ${this.promise()}`),
    );
    this.columns = h("div", { class: "arms" });
    this.drill = new Drill({ host: this.columns });
    this.charts = new LabCharts({ shown: shows, pick: (arm, round) => this.openDrill(arm, round) });
    this.verdict = h("section", { class: "card verdicts", "aria-label": "What your run says", hidden: true });
    this.strip = strip
      ? new Strip({
          ask: (label, count) => command("redraws", this.kept.run, this.kept.token, label, count, this.strips),
          arms: (arm) => (this.strips = arm),
        })
      : null;
    this.shown = h(
      "div",
      { class: "lab-shown", hidden: true },
      this.columns,
      this.strip?.element ?? "",
      this.charts.element,
      this.verdict,
    );
    this.element = h("div", { class: "lesson-live" }, this.empty, this.shown);
  }

  /** The settings in which the lesson's arms and options differ, by their names in the table of explanations. */
  changed() {
    const changes = [...this.lesson.choice.options, ...this.lesson.arms].map(([, settings]) => Object.keys(settings));
    return [...new Set(changes.flat())].map((name) => `setting/${name}`);
  }

  promise() {
    const { seconds, arms, choice } = this.lesson;
    return `${arms.length + (choice.arm ? 1 : 0)} real runs side by side, ${seconds} s of work each.`;
  }

  // --- commands ---------------------------------------------------------------------------------------------------

  press() {
    if (this.state === "running") this.command("pause");
    else if (this.state === "paused") this.command("resume");
    else if (!["queued", "starting"].includes(this.state)) this.start();
  }

  /** The lesson's arms, and one more or other settings for all of them: what was chosen. */
  async start() {
    const { lesson } = this;
    const [title, changes] = lesson.choice.options[Number(this.choice.value)];
    const { teacher = lesson.teacher, ...settings } = changes;
    const arms = lesson.arms.map(([name, own]) => ({
      title: name,
      settings: { ...lesson.everywhere, ...own, ...(lesson.choice.arm ? {} : settings) },
    }));
    if (lesson.choice.arm) arms.push({ title, settings: { ...lesson.everywhere, ...settings } });
    this.state = "starting";
    this.complain("");
    this.draw();
    try {
      const begun = await command("start_lab", "", teacher, 0, lesson.seconds, 1, arms, remembered().token ?? "");
      this.kept = { run: begun.run, token: begun.token };
      keep({ ...remembered(), token: begun.token, lesson: { ...this.kept, number: this.number } });
      this.follow();
    } catch (error) {
      this.state = "empty";
      this.complain(error.message);
    }
    this.draw();
  }

  async command(name) {
    try {
      this.state = (await command(name, this.kept.run, this.kept.token)).state;
    } catch (error) {
      this.complain(error.message);
    }
    this.draw();
    this.feed?.soon();
  }

  // --- news -------------------------------------------------------------------------------------------------------

  follow() {
    this.feed?.close();
    this.arms = [];
    this.facts = null;
    this.feed = new Feed({
      address: at(`live/${this.kept.run}`),
      news: "lab",
      seen: this.seen,
      heard: (facts) => this.hear(facts),
      gone: () => this.forget(),
      trouble: (down) => this.complain(down ? "Reconnecting… the runs go on meanwhile." : "", "quiet"),
    });
  }

  /** On show again: catches up. */
  appear() {
    this.feed?.soon();
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
  }

  introduce(facts) {
    const address = at(`live/${this.kept.run}`);
    this.arms = facts.arms.map(
      (title, number) =>
        new Arm({ number, title, address: `${address}/arm/${number}`, pick: (round) => this.openDrill(number, round) }),
    );
    this.columns.style.setProperty("--arms", facts.arms.length);
    this.columns.replaceChildren(...this.arms.map((arm) => arm.element));
    this.strip?.compare(facts.arms);
    this.strips = 0;
    this.charts.introduce(facts.arms);
  }

  forget() {
    this.kept = {};
    this.state = this.facts ? "stopped" : "empty";
    if (this.facts) this.complain("These runs are over and no longer kept; run the lesson again.", "quiet");
    this.draw();
  }

  openDrill(number, round) {
    const { model, address, title, colour } = this.arms[number];
    if (model.facts) this.drill.show({ address, round, classes: model.facts.classes, name: title, colour });
  }

  // --- drawing ----------------------------------------------------------------------------------------------------

  draw() {
    const { facts, state } = this;
    const active = ["queued", "running", "paused"].includes(state);
    say(this.button, NAMES[state] ?? "▶ Run it again");
    put(this.button, "disabled", state === "queued" || state === "starting");
    put(this.stop, "hidden", !active);
    put(this.choice, "disabled", active || state === "starting");
    put(this.empty, "hidden", Boolean(facts));
    put(this.shown, "hidden", !facts);
    put(this.element, "data-state", state);
    say(this.line, this.standing());
    say(
      this.spoken,
      {
        running: "The lesson's runs are going on.",
        paused: "Paused.",
        finished: "The lesson's runs are finished.",
        stopped: "Stopped.",
        queued: "Waiting for a place.",
      }[state] ?? "",
    );
    if (!facts) return;
    this.charts.update(this.arms, facts.budget);
    const classes = this.arms.find((arm) => arm.model.facts)?.model.facts.classes;
    if (this.strip && classes) this.strip.introduce(classes);
    this.strip?.enable(Boolean(classes));
    const told = ENDED.has(state) ? facts.sentences : [];
    if (this.told !== told.join())
      this.verdict.replaceChildren(
        titled(h("h3", {}, "What your run says"), "panel/verdict"),
        ...told.map((sentence) => h("p", {}, sentence)),
      );
    this.told = told.join();
    put(this.verdict, "hidden", !told.length);
  }

  standing() {
    const { facts, state } = this;
    if (state === "queued" && facts)
      return facts.ahead === 1
        ? "1 run is ahead of you; yours starts by itself."
        : `${facts.ahead} runs are ahead of you; yours starts by itself.`;
    if (state === "starting" || (state === "queued" && !facts)) return "The teacher is being loaded.";
    if (!facts) return `${this.promise()} It takes the place of your live run.`;
    if (ENDED.has(state))
      return `${duration(facts.budget)} of work each, seed ${facts.seeds[0]}. Change the choice and run it again.`;
    return `${duration(facts.budget)} of work each, about ${duration(facts.left)} left.`;
  }

  complain(sentence, kind = "loud") {
    this.notice.className = `notice ${kind}`;
    say(this.notice, sentence);
    put(this.notice, "hidden", !sentence);
  }
}
