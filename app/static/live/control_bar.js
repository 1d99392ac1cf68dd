// The buttons of a run, and the line with its state.

import { STEP_KINDS } from "../core/constants.js";
import { h, s, setAttribute, setText } from "../core/dom.js";
import { formatAbout, formatAhead, formatDuration, formatPercent } from "../core/format.js";
import { helpButton } from "../core/help.js";
import { hasEnded } from "../core/model.js";
import { StandingLine } from "../panels/standing.js";

/** @import { RunModel, RunState, TeacherCard } from "../core/types.d.ts" */

/**
 * The actions of the buttons.
 * @typedef {object} Actions
 * @property {() => void} toggle
 * @property {(kind: string) => void} step
 * @property {() => void} slow
 * @property {() => void} apply
 * @property {() => void} revive
 * @property {() => void} burst
 * @property {() => void} stop
 */

const ICONS = {
  play: "M7 4.5v15l12-7.5z",
  pause: "M7 5h3.6v14H7zM13.4 5H17v14h-3.6z",
  stop: "M6.5 6.5h11v11h-11z",
  slow: "M12 4a8 8 0 1 0 8 8h-2.2A5.8 5.8 0 1 1 12 6.2zM11 7.5h2v5l3 1.8-1 1.7-4-2.4z",
};
/** @type {Record<string, { name: string, about: string }>} */
const STEPS = {
  redraw: { name: "re-draw", about: "Continue to the next re-draw of the noisy layer (R)" },
  generator: { name: "generator", about: "One step of the generator" },
  student: { name: "student", about: "One step of the student" },
  round: { name: "round", about: "Continue to the end of the round" },
};
/** @type {Partial<Record<RunState, string>>} */
const ANNOUNCEMENTS = {
  starting: "Starting.",
  queued: "Waiting for a slot.",
  running: "Running.",
  paused: "Paused.",
  finished: "The run is finished.",
  stopped: "Stopped.",
  failed: "The run failed.",
  interrupted: "The run was interrupted. It can continue.",
};
/** @type {Partial<Record<RunState, string>>} */
const STATE_NAMES = {
  paused: "Paused",
  finished: "Finished",
  stopped: "Stopped",
  failed: "Failed",
  interrupted: "Interrupted",
};

/** @param {keyof typeof ICONS} name */
const icon = (name) =>
  s("svg", { viewBox: "0 0 24 24", class: "icon", "aria-hidden": "true" }, s("path", { d: ICONS[name] }));

/** The toolbar above the run. */
export class ControlBar {
  /**
   * @param {Actions} actions
   * @param {boolean} lends whether a GPU can be borrowed
   * @param {HTMLElement[]} view buttons that change the appearance of the page
   */
  constructor(actions, lends, view) {
    this.lends = lends;
    this.playName = h("span", {}, "Play");
    this.playIcon = h("span", { class: "icon-slot" }, icon("play"));
    this.showsPause = false;
    this.announced = "";
    this.play = h(
      "button",
      { type: "button", class: "primary play", onclick: actions.toggle },
      this.playIcon,
      this.playName,
    );
    this.steps = STEP_KINDS.map((kind) => {
      const { name, about } = STEPS[kind];
      return h(
        "button",
        {
          type: "button",
          "data-step": kind,
          title: about,
          "aria-label": `Step: ${about}`,
          onclick: () => actions.step(kind),
        },
        name,
      );
    });
    this.slow = h(
      "button",
      {
        type: "button",
        class: "slow",
        "aria-pressed": "false",
        title: "A few seconds per step, with its numbers",
        onclick: actions.slow,
      },
      icon("slow"),
      h("span", {}, "Slow motion"),
    );
    this.apply = h(
      "button",
      {
        type: "button",
        class: "apply",
        title: "Use the settings of the form from the next round on",
        onclick: actions.apply,
      },
      "Apply settings",
    );
    this.revive = h(
      "button",
      {
        type: "button",
        class: "primary revive",
        hidden: true,
        title: "The server was interrupted. Continue from the last checkpoint",
        onclick: actions.revive,
      },
      "Continue",
    );
    this.burst = h(
      "button",
      {
        type: "button",
        class: "burst",
        hidden: true,
        title: "Compute the next rounds on a borrowed GPU. Then the run continues here",
        onclick: actions.burst,
      },
      "GPU burst",
    );
    this.stop = h(
      "button",
      { type: "button", class: "stop", title: "End this run. Its results stay on the page", onclick: actions.stop },
      icon("stop"),
      h("span", {}, "Stop"),
    );
    this.standing = new StandingLine();
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.progress = h("i", { class: "progress" });
    const about = [
      "control/play",
      "control/step",
      "control/slow",
      "control/apply",
      ...(lends ? ["control/burst"] : []),
      "control/stop",
    ];
    this.element = h(
      "div",
      { class: "bar", role: "toolbar", "aria-label": "Run" },
      h(
        "div",
        { class: "buttons" },
        this.play,
        h(
          "div",
          { class: "segmented steps", role: "group", "aria-label": "Step" },
          h("span", { class: "group-name", "aria-hidden": "true" }, "Step"),
          ...this.steps,
        ),
        this.slow,
        this.apply,
        this.revive,
        this.burst,
        this.stop,
        ...view,
        helpButton(about, "controls of the run"),
      ),
      h("div", { class: "bar-status" }, this.standing.element, keysLine()),
      this.status,
      this.progress,
    );
  }

  /**
   * @param {RunModel} model
   * @param {TeacherCard | undefined} teacher that is chosen
   * @param {number | null} estimate estimated seconds of such a run
   */
  update(model, teacher, estimate) {
    const { state } = model;
    const running = state === "running";
    const held = running || state === "paused";
    const waiting = state === "queued" || state === "starting";
    setText(this.playName, playName(state));
    if (this.showsPause !== running) this.playIcon.replaceChildren(icon(running ? "pause" : "play"));
    this.showsPause = running;
    for (const button of [this.play, ...this.steps]) setAttribute(button, "disabled", waiting);
    setAttribute(this.stop, "disabled", !(held || state === "queued"));
    setAttribute(this.apply, "hidden", !held);
    setAttribute(this.revive, "hidden", state !== "interrupted");
    setAttribute(this.burst, "hidden", !(this.lends && held));
    setAttribute(this.slow, "aria-pressed", String(model.pace > 0));
    this.element.dataset.state = state;
    this.progress.style.width = model.facts ? `${(100 * model.rounds_done) / model.facts.rounds}%` : "0";
    this.standing.show(describeStanding(model, teacher, estimate));
    this.announce(model);
  }

  /**
   * Reports a new state to screen readers.
   * @param {RunModel} model
   */
  announce({ state, error }) {
    const sentence = ANNOUNCEMENTS[state] ?? "";
    if (this.announced !== state) setText(this.status, state === "failed" ? `${sentence} ${error}` : sentence);
    this.announced = state;
  }
}

/** The keys of the buttons. */
function keysLine() {
  /** @param {string} name */
  const key = (name) => h("kbd", {}, name);
  const keys = [key("Space"), " play ", key("."), " step ", key("R"), " re-draw"];
  return h("p", { class: "keys", "aria-hidden": "true" }, ...keys);
}

/** @param {RunState} state */
function playName(state) {
  if (state === "running") return "Pause";
  if (state === "paused") return "Resume";
  if (state === "queued" || state === "starting") return "Waiting";
  return hasEnded(state) ? "Play again" : "Play";
}

/**
 * The state of a run, in a few short parts.
 * @param {RunModel} model
 * @param {TeacherCard | undefined} teacher that is chosen
 * @param {number | null} estimate estimated seconds of the run
 */
function describeStanding(model, teacher, estimate) {
  const { facts, state } = model;
  if (state === "queued") {
    const wait = model.wait === null ? [] : [`wait about ${formatDuration(model.wait)}`];
    return [formatAhead(model.ahead), ...wait, "your run starts automatically"];
  }
  if (state === "starting" || (!facts && state === "running")) return ["Starting", "loading the teacher"];
  if (!facts && state === "interrupted") return ["Interrupted", "before its first round"];
  if (!facts) {
    const long = estimate === null ? [] : [`about ${formatAbout(estimate)} on this machine`];
    return ["Ready", ...long, ...(teacher ? [describeTeacher(teacher)] : [])];
  }
  const ended = hasEnded(state);
  const round = ended ? model.rounds_done : Math.min(model.round + 1, facts.rounds);
  const seconds = model.left ?? (estimate === null || model.pace ? null : Math.max(0, estimate - model.seconds));
  const left = seconds === null || ended ? "" : `, about ${formatAbout(seconds)} left`;
  const [, accuracy = null, agreement = null] = model.measures.at(-1) ?? [0];
  const measured = agreement === null ? "" : `agreement ${formatPercent(agreement, 1)}`;
  const student = model.thinned ? "student cut from the teacher" : "student";
  const studentPart = accuracy === null ? measured : `${student} ${formatPercent(accuracy, 1)}`;
  const reached = model.teacher_accuracy === null ? "" : ` ${formatPercent(model.teacher_accuracy, 1)}`;
  return [
    STATE_NAMES[state] ?? "",
    `round ${round} of ${facts.rounds}`,
    formatDuration(model.seconds) + left,
    `seed ${facts.config.seed}`,
    studentPart,
    `teacher ${facts.teacher}${reached}`,
  ].filter(Boolean);
}

/** @param {TeacherCard} teacher */
function describeTeacher({ title, accuracy }) {
  const right = accuracy === null ? "" : `, ${formatPercent(accuracy, 1)} correct on test images`;
  return `teacher ${title}${right}`;
}
