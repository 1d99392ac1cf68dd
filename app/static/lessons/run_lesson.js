// A lesson that runs arms side by side: one choice, one button, the arms' images and curves, and what may be said.

import { sendCommand } from "../core/api.js";
import { h, labeled, setAttribute, setText } from "../core/dom.js";
import { formatAhead, formatDuration } from "../core/format.js";
import { helpButton, withHelp } from "../core/help.js";
import { hasEnded } from "../core/model.js";
import { Notice } from "../core/notice.js";
import { mayReplaceLiveRun } from "../core/replacing.js";
import { errorSentence, RunClient } from "../core/run_client.js";
import { readVisitor, storeVisitor } from "../core/storage.js";
import { SideBySide } from "../panels/side_by_side.js";

/** @import { ArmPlan, LabUpdate, Lesson, RunHandle, RunState, StartedRun } from "../core/types.d.ts" */

/** @type {Partial<Record<RunState, string>>} */
const BUTTON_NAMES = {
  empty: "▶ Run it",
  running: "Pause",
  paused: "Resume",
  queued: "Waiting",
  starting: "Starting",
  interrupted: "▶ Run it",
};
/** @type {Partial<Record<RunState, string>>} */
const ANNOUNCEMENTS = {
  running: "The runs of the lesson are in progress.",
  paused: "Paused.",
  finished: "The runs of the lesson are finished.",
  stopped: "Stopped.",
  queued: "Waiting for a slot.",
};
const ACTIVE_STATES = ["queued", "running", "paused"];
const WAITING_STATES = ["queued", "starting"];

/** A lesson with runs of its own. */
export class RunLesson {
  /**
   * @param {object} options
   * @param {Lesson} options.lesson
   * @param {number} options.number
   * @param {() => boolean} options.isShown whether this lesson is the one on show
   * @param {RunHandle} options.handle the run of this lesson that was going on when the page was left
   */
  constructor({ lesson, number, isShown, handle }) {
    this.lesson = lesson;
    this.number = number;
    /** @type {RunState} */
    this.state = "empty";
    /** @type {LabUpdate | null} */
    this.lab = null;
    this.shownVerdict = "";
    this.notice = new Notice();
    /** @type {RunClient<LabUpdate>} */
    this.client = new RunClient({
      path: "lab",
      notice: this.notice,
      subject: "The runs continue",
      onUpdate: (lab) => this.handleUpdate(lab),
      onGone: () => this.forgetRun(),
      isShown,
      isQueued: () => this.state === "queued",
    });
    const { choice, shows, strip } = lesson;
    this.choice = h(
      "select",
      { class: "lesson-choice" },
      ...choice.options.map(([title], i) => h("option", { value: i, selected: i === choice.chosen }, title)),
    );
    this.button = h("button", { type: "button", class: "primary lesson-run", onclick: () => this.press() });
    this.stop = h("button", { type: "button", class: "lesson-stop", onclick: () => this.command("stop") }, "Stop");
    this.line = h("p", { class: "note standing-line" });
    this.kept = h("p", { class: "note keeping" });
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.controls = h(
      "div",
      { class: "lesson-control" },
      labeled(choice.label, this.choice),
      h(
        "div",
        { class: "choices" },
        this.button,
        this.stop,
        helpButton(changedKeys(lesson), "what this lesson changes"),
      ),
      this.line,
      this.kept,
      this.status,
      this.notice.element,
    );
    this.empty = h(
      "div",
      { class: "card lesson-empty" },
      h("p", {}, `No run yet. Press ${BUTTON_NAMES.empty} or the space bar. ${describeWork(lesson)}`),
    );
    this.arms = new SideBySide({ client: this.client, charts: shows });
    this.verdict = h("section", { class: "card verdicts", "aria-label": "Results of your runs", hidden: true });
    this.panels = h(
      "div",
      { class: "lab-shown", hidden: true },
      this.arms.columns,
      strip ? this.arms.redrawStrip.element : null,
      this.arms.charts.element,
      this.verdict,
    );
    this.element = h("div", { class: "lesson-live" }, this.empty, this.panels);
    if (handle.run) this.client.follow(handle);
    this.draw();
  }

  // --- commands -------------------------------------------------------------------------------------------------------

  /** Pauses, goes on, or starts. */
  press() {
    if (this.state === "running") this.command("pause");
    else if (this.state === "paused") this.command("resume");
    else if (!WAITING_STATES.includes(this.state)) this.start();
  }

  /** Starts the lesson's arms with what is chosen. */
  async start() {
    if (!(await mayReplaceLiveRun())) return;
    const { teacher, arms } = planArms(this.lesson, Number(this.choice.value));
    this.state = "starting";
    this.notice.show("");
    this.draw();
    try {
      const visitor = readVisitor();
      const values = ["", teacher, 0, this.lesson.work, 1, arms, visitor.token ?? ""];
      /** @type {StartedRun} */
      const { run, token } = await sendCommand("start_lab", ...values);
      storeVisitor({ ...visitor, token, lesson: { run, token, number: this.number } });
      this.arms.clear();
      this.lab = null;
      this.client.follow({ run, token });
    } catch (error) {
      this.state = "empty";
      this.notice.show(errorSentence(error));
    }
    this.draw();
  }

  /** @param {string} name */
  async command(name) {
    this.state = (await this.client.command(name)) ?? this.state;
    this.draw();
  }

  // --- updates --------------------------------------------------------------------------------------------------------

  /** On show again: catches up. */
  appear() {
    this.client.pollNow();
  }

  /** @param {LabUpdate} lab */
  handleUpdate(lab) {
    this.lab = lab;
    this.state = lab.state;
    this.arms.update(lab);
    if (lab.state === "failed") this.notice.show(lab.error);
    this.draw();
  }

  /** The server does not know the runs any more. */
  forgetRun() {
    this.client.handle = {};
    this.state = this.lab ? "stopped" : "empty";
    if (this.lab) this.notice.show("These runs have ended and are no longer kept. Run the lesson again.", "quiet");
    this.draw();
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  /** Draws what is known. */
  draw() {
    const { lab, state } = this;
    const active = ACTIVE_STATES.includes(state);
    const waiting = WAITING_STATES.includes(state);
    setText(this.button, BUTTON_NAMES[state] ?? "▶ Run it again");
    setAttribute(this.button, "disabled", waiting);
    setAttribute(this.stop, "hidden", !active);
    setAttribute(this.choice, "disabled", active || waiting);
    setAttribute(this.empty, "hidden", lab !== null);
    setAttribute(this.panels, "hidden", !lab);
    setAttribute(this.element, "data-state", state);
    setText(this.line, this.describeStanding());
    setText(this.kept, active && lab ? lab.kept : "");
    setText(this.status, ANNOUNCEMENTS[state] ?? "");
    if (!lab) return;
    const sentences = hasEnded(state) ? lab.sentences : [];
    setAttribute(this.verdict, "hidden", !sentences.length);
    if (this.shownVerdict === sentences.join()) return;
    this.shownVerdict = sentences.join();
    this.verdict.replaceChildren(
      withHelp(h("h3", {}, "Results of your runs"), "panel/verdict"),
      ...sentences.map((sentence) => h("p", {}, sentence)),
    );
  }

  /** How the runs stand, in a sentence. */
  describeStanding() {
    const { lab, lesson, state } = this;
    if (state === "queued" && lab) return `${formatAhead(lab.ahead)}. Yours starts automatically.`;
    if (WAITING_STATES.includes(state)) return "The teacher is loading.";
    if (!lab) return `${describeWork(lesson)} They replace your live run.`;
    const each = `${lab.budget} each`;
    if (hasEnded(state)) return `${each}, seed ${lab.seeds[0]}. Change the choice and run the lesson again.`;
    return lab.left === null ? `${each}.` : `${each}, about ${formatDuration(lab.left)} left.`;
  }
}

/**
 * The lesson's arms, and one more or other settings for all of them: what was chosen.
 * @param {Lesson} lesson
 * @param {number} chosen
 * @returns {{ teacher: string, arms: ArmPlan[] }}
 */
function planArms(lesson, chosen) {
  const { choice, everywhere } = lesson;
  const [title, changes] = choice.options[chosen];
  const { teacher = lesson.teacher, ...settings } = changes;
  const shared = choice.arm ? {} : settings;
  const arms = lesson.arms.map(([name, own]) => ({ title: name, settings: { ...everywhere, ...own, ...shared } }));
  if (choice.arm) arms.push({ title, settings: { ...everywhere, ...settings } });
  return { teacher, arms };
}

/**
 * The settings in which the lesson's arms and options differ, by their keys in the table of explanations.
 * @param {Lesson} lesson
 */
function changedKeys({ choice, arms }) {
  const names = [...choice.options, ...arms].flatMap(([, settings]) => Object.keys(settings));
  return [...new Set(names)].map((name) => `setting/${name}`);
}

/** @param {Lesson} lesson */
function describeWork({ work, arms, choice }) {
  return `${arms.length + (choice.arm ? 1 : 0)} real runs side by side, ${work} billion multiply-adds each.`;
}
