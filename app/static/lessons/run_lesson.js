// A lesson that runs arms side by side: a question, a choice, a button, the images and curves, and a conclusion.

import { sendCommand } from "../core/api.js";
import { h, labeled, setAttribute, setText } from "../core/dom.js";
import { formatAhead, formatDuration, formatInteger } from "../core/format.js";
import { helpButton } from "../core/help.js";
import { bringClass } from "../core/joining.js";
import { hasEnded, isGoing } from "../core/model.js";
import { Notice } from "../core/notice.js";
import { mayReplaceLiveRun } from "../core/replacing.js";
import { labUrl } from "../core/router.js";
import { errorSentence, RunClient } from "../core/run_client.js";
import { readVisitor, storeVisitor } from "../core/storage.js";
import { ClassCodeButton } from "../panels/class_code.js";
import { DurationLine } from "../panels/duration_line.js";
import { Example } from "../panels/example.js";
import { ARM_MEASURES } from "../panels/measures.js";
import { SideBySide } from "../panels/side_by_side.js";
import { compared, PredictionForm } from "./prediction.js";

/** @import { LabUpdate, Lesson, RunHandle, RunState, StartedRun } from "../core/types.d.ts" */

/** @type {Partial<Record<RunState, string>>} */
const BUTTON_NAMES = {
  empty: "▶ Run it",
  running: "Pause",
  paused: "Resume",
  queued: "Waiting",
  starting: "Starting",
  interrupted: "▶ Run it",
};
const WAITING_STATES = ["queued", "starting"];
const FIRST_PREDICT = "Answer the question first.";

/** A lesson with runs of its own. */
export class RunLesson {
  /**
   * @param {object} options
   * @param {Lesson} options.lesson
   * @param {number} options.number
   * @param {boolean} options.recorded whether there is a recorded example
   * @param {() => boolean} options.isShown whether this lesson is shown
   * @param {RunHandle} options.handle the active run of this lesson; without a token it is another visitor's
   */
  constructor({ lesson, number, isShown, handle, recorded }) {
    this.recorded = recorded;
    this.lesson = lesson;
    this.number = number;
    /** @type {RunState} */
    this.state = "empty";
    /** @type {LabUpdate | null} */
    this.lab = null;
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
    const { choice, charts, strip, predict } = lesson;
    this.choice = h(
      "select",
      {
        class: "lesson-choice",
        onchange: () => {
          this.draw();
          this.duration.askLater();
        },
      },
      ...choice.options.map(({ label }, i) => h("option", { value: i, selected: i === choice.chosen }, label)),
    );
    this.question = new PredictionForm(predict, number, () => {
      this.notice.show("");
      this.draw();
    });
    this.concluded = this.question.concluded;
    this.button = h("button", { type: "button", class: "primary lesson-run", onclick: () => this.press() });
    this.stop = h("button", { type: "button", class: "lesson-stop", onclick: () => this.command("stop") }, "Stop");
    this.classCode = new ClassCodeButton(() => [this.client.handle, `lesson-${number}`]).element;
    this.line = h("p", { class: "note standing-line" });
    this.duration = new DurationLine(() => ({ ...this.planned, repeats: 1 }));
    this.kept = h("p", { class: "note keeping" });
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.controls = h(
      "div",
      { class: "lesson-control" },
      labeled(choice.label, this.choice),
      this.question.element,
      h(
        "div",
        { class: "choices" },
        this.button,
        this.stop,
        this.classCode,
        helpButton(changedKeys(lesson), "what this lesson changes"),
      ),
      this.line,
      this.duration.element,
      this.kept,
      this.status,
      this.notice.element,
    );
    const name = `lesson-${number}`;
    const sentence = "A finished run of this lesson with three seeds, recorded by the project.";
    this.example = new Example({ name, sentence, charts });
    this.look = h("button", { type: "button", class: "lesson-look", onclick: () => this.showExample() });
    this.about = h("p");
    this.empty = h("div", { class: "card lesson-empty" }, this.about, this.look);
    this.arms = new SideBySide({ client: this.client, charts });
    this.panels = h(
      "div",
      { class: "lab-shown", hidden: true },
      this.arms.playback.element,
      this.arms.columns,
      strip ? this.arms.redrawStrip.element : null,
      this.arms.charts.element,
      this.arms.verdict,
    );
    this.element = h("div", { class: "lesson-live" }, this.empty, this.panels, this.example.element);
    if (handle.run) this.client.follow(handle);
    this.draw();
  }

  /** What runs with the choice shown. */
  get planned() {
    return this.lesson.plans[Number(this.choice.value)];
  }

  // --- commands -------------------------------------------------------------------------------------------------------

  /** Pauses, continues or starts the runs. */
  press() {
    if (this.client.watching) return;
    if (this.state === "running") this.command("pause");
    else if (this.state === "paused") this.command("resume");
    else if (!this.question.answer) this.notice.show(FIRST_PREDICT, "quiet");
    else if (!WAITING_STATES.includes(this.state)) this.start();
  }

  /** Starts the lesson's arms with the chosen options. */
  async start() {
    if (!(await mayReplaceLiveRun())) return;
    const { teacher, work, arms } = this.planned;
    this.state = "starting";
    this.notice.show("");
    this.draw();
    try {
      const visitor = readVisitor();
      /** @type {StartedRun} */
      const { run, token } = await sendCommand("start_lab", "", teacher, 0, work, 1, arms, visitor.token ?? "");
      storeVisitor({ ...visitor, token, lesson: { run, token, number: this.number } });
      this.follow({ run, token });
      bringClass({ run, token }, `lesson-${this.number}`);
    } catch (error) {
      this.state = "empty";
      this.notice.show(errorSentence(error));
    }
    this.draw();
  }

  /** @param {RunHandle} handle */
  follow(handle) {
    this.arms.clear();
    this.lab = null;
    this.client.follow(handle);
  }

  /** @param {string} name */
  async command(name) {
    this.state = (await this.client.command(name)) ?? this.state;
    this.draw();
  }

  /** Shows the recorded example, which has the default options. */
  async showExample() {
    this.choice.value = String(this.lesson.choice.chosen);
    await this.example.load();
    this.draw();
  }

  // --- updates --------------------------------------------------------------------------------------------------------

  /** The lesson is shown again: asks for updates. */
  appear() {
    this.client.pollNow();
    this.duration.askLater();
  }

  /** @param {LabUpdate} lab */
  handleUpdate(lab) {
    this.lab = lab;
    this.state = lab.state;
    this.arms.update(lab);
    if (lab.state === "failed") this.notice.show(lab.error);
    this.draw();
  }

  /** Called if the server no longer knows the runs. */
  forgetRun() {
    if (this.client.watching) this.notice.show("The runs of this link do not exist, or are no longer kept.");
    this.client.forget();
    this.state = this.lab ? "stopped" : "empty";
    if (this.lab) this.notice.show("These runs have ended and are no longer kept. Run the lesson again.", "quiet");
    this.draw();
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  /** Draws the present state. */
  draw() {
    const { lab, state } = this;
    const active = isGoing(state);
    const waiting = WAITING_STATES.includes(state);
    setText(this.button, BUTTON_NAMES[state] ?? "▶ Run it again");
    setAttribute(this.button, "disabled", waiting);
    setAttribute(this.button, "hidden", this.client.watching);
    setAttribute(this.stop, "hidden", !active || this.client.watching);
    setAttribute(this.classCode, "hidden", !lab || this.client.watching);
    setAttribute(this.choice, "disabled", active || waiting || this.client.watching);
    const empty = lab === null || state === "queued"; // a visitor who waits sees the example
    setAttribute(this.empty, "hidden", !empty || this.example.lab !== null);
    setAttribute(this.panels, "hidden", empty);
    setText(this.about, describeWork(this.planned));
    setText(this.look, "Look at a finished run");
    setAttribute(this.look, "hidden", !this.recorded);
    setAttribute(this.example.element, "hidden", !empty || !this.example.lab);
    setAttribute(this.element, "data-state", state);
    setText(this.line, this.describeStanding());
    setAttribute(this.duration.element, "hidden", active || waiting || this.client.watching);
    setText(this.kept, active && lab ? lab.kept : "");
    setText(this.status, lab ? `The runs of the lesson are ${state}.` : "");
    this.conclude(empty ? this.example.lab : hasEnded(state) ? lab : null);
  }

  /**
   * The conclusion: the prediction, what this choice shows, what to notice, and a link to the next step.
   * @param {LabUpdate | null} lab that has ended; null shows no conclusion yet
   */
  conclude(lab) {
    const { choice, predict, plans, notice } = this.lesson;
    const measured = lab ? compared(lab, predict.measure) : null;
    const { title, format } = ARM_MEASURES.find(({ name }) => name === predict.measure) ?? ARM_MEASURES[0];
    const [first = null, last = null] = measured ?? [];
    const numbers = `Measured, ${title}: ${format(first)} in the first run, ${format(last)} in the last one.`;
    const number = Number(this.choice.value);
    const { teacher, work, arms } = plans[number];
    const presets = arms.map((arm) => ({ preset: "nayer", ...arm }));
    const plan = { experiment: "", teacher, seed: 0, work, repeats: 3, arms: presets };
    const link = h("a", { href: labUrl(document.baseURI, { plan }), "data-here": "" }, this.lesson.leads_on);
    this.question.conclude(measured, numbers, [choice.options[number].shows, notice], link);
  }

  /** The state of the runs, in a sentence. */
  describeStanding() {
    const { lab, state } = this;
    if (state === "queued" && lab)
      return `${formatAhead(lab.ahead)}. Yours starts automatically. Look at a finished run meanwhile, or draw on the pad of the tab Live.`;
    if (WAITING_STATES.includes(state)) return "The teacher is loading.";
    if (!lab) return `${describeWork(this.planned)} They replace your live run.`;
    const each = `${lab.budget} each`;
    if (this.client.watching) return `You follow the runs of someone else. ${each}.`;
    if (hasEnded(state)) return `${each}, seed ${lab.seeds[0]}. Change the choice and run the lesson again.`;
    return lab.left === null ? `${each}.` : `${each}, about ${formatDuration(lab.left)} left.`;
  }
}

/**
 * The settings in which the lesson's arms and options differ, by their keys in the table of explanations.
 * @param {Lesson} lesson
 */
function changedKeys({ choice, arms }) {
  const names = [...choice.options.map(({ changes }) => changes), ...arms.map(([, settings]) => settings)];
  return [...new Set(names.flatMap(Object.keys))].map((name) => `setting/${name}`);
}

/** @param {Lesson["plans"][number]} plan */
function describeWork({ work, arms }) {
  return `${arms.length} real runs side by side, ${formatInteger(work)} billion multiply-adds each.`;
}
