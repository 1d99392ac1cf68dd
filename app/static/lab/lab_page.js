// The tab of the reset lab: arms side by side with the same teacher, seed and budget, and what may be said of them.

import { sendCommand } from "../core/api.js";
import { find, h, hiddenText, setAttribute, setText } from "../core/dom.js";
import { formatAhead, formatDuration } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { hasEnded } from "../core/model.js";
import { Notice } from "../core/notice.js";
import { mayReplaceLiveRun } from "../core/replacing.js";
import { errorSentence, RunClient } from "../core/run_client.js";
import { parseSettings } from "../core/settings.js";
import { readLab, readVisitor, storeLab, storeVisitor } from "../core/storage.js";
import { SideBySide } from "../panels/side_by_side.js";
import { LabForm } from "./lab_form.js";
import { ResultsTable } from "./results_table.js";

/** @import { GradioMount, LabUpdate, RunHandle, RunState, StartedRun } from "../core/types.d.ts" */
/** @import { LabPlan, LabProps } from "./lab_form.js" */

/** @type {Record<RunState, string>} */
const STATE_NAMES = {
  empty: "",
  idle: "starting",
  queued: "waiting for a slot",
  starting: "starting",
  running: "running",
  paused: "paused",
  finished: "finished",
  stopped: "stopped",
  failed: "failed",
  interrupted: "interrupted",
};
/** @type {Partial<Record<RunState, string>>} */
const TOGGLE_NAMES = { paused: "Resume", interrupted: "Run again" };
/** @type {Partial<Record<RunState, string>>} */
const TOGGLE_COMMANDS = { paused: "resume", interrupted: "revive" };
const TOGGLED_STATES = ["running", "paused", "interrupted"];

/** @param {GradioMount<LabProps>} mounted */
export function mount({ element, props }) {
  const host = find(element, "#nayer-lab", HTMLElement);
  if (!host.childElementCount) new LabPage(host, props);
}

/** The page of a lab. */
class LabPage {
  /**
   * @param {HTMLElement} host
   * @param {LabProps} props
   */
  constructor(host, props) {
    this.host = host;
    /** @type {LabUpdate | null} */
    this.lab = null;
    /** @type {RunState} */
    this.state = "empty";
    this.shownStanding = "";
    this.shownVerdict = "";
    this.justStarted = false; // the lab is to scroll into view
    this.notice = new Notice();
    /** @type {RunClient<LabUpdate>} */
    this.client = new RunClient({
      path: "lab",
      host,
      notice: this.notice,
      subject: "The lab continues",
      onUpdate: (lab) => this.handleUpdate(lab),
      onGone: () => this.forgetRun(),
      isQueued: () => this.state === "queued",
    });
    this.form = new LabForm(props, (plan) => this.start(plan));
    this.toggle = h("button", { type: "button", class: "primary lab-toggle", onclick: () => this.press() }, "Pause");
    this.stop = h("button", { type: "button", class: "lab-stop", onclick: () => this.command("stop") }, "Stop");
    this.line = h("p", { class: "standing" });
    this.kept = h("p", { class: "note keeping" });
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.progress = h("i", { class: "progress" });
    const bar = h(
      "div",
      { class: "card lab-bar", role: "toolbar", "aria-label": "Lab" },
      h("div", { class: "choices" }, this.toggle, this.stop),
      this.line,
      this.kept,
      this.status,
      this.progress,
    );
    this.verdict = h("section", { class: "card verdicts", "aria-label": "Conclusion", hidden: true });
    this.arms = new SideBySide({
      client: this.client,
      dialogHost: host,
      change: (arm, title, settings) => this.changeArm(arm, title, settings),
    });
    this.results = new ResultsTable();
    this.panels = h(
      "div",
      { class: "lab-shown", hidden: true },
      bar,
      this.arms.columns,
      this.arms.charts.element,
      this.verdict,
      this.results.element,
      this.arms.redrawStrip.element,
    );
    host.replaceChildren(hiddenText("Comparison of runs", "h2"), this.form.element, this.notice.element, this.panels);
    const kept = readLab();
    if (kept.run) this.client.follow(kept);
    this.draw();
  }

  // --- commands -------------------------------------------------------------------------------------------------------

  /** @param {LabPlan} plan */
  async start({ experiment, teacher, seed, work, repeats, arms }) {
    if (!(await mayReplaceLiveRun())) return;
    this.notice.show("");
    this.form.setBusy(true);
    try {
      const visitor = readVisitor();
      const values = [experiment, teacher, seed, work, repeats, arms, visitor.token ?? ""];
      /** @type {StartedRun} */
      const { run, token } = await sendCommand("start_lab", ...values);
      storeLab({ run, token });
      storeVisitor({ ...visitor, token }); // one visitor, one token
      this.follow({ run, token });
      this.justStarted = true;
    } catch (error) {
      this.notice.show(errorSentence(error));
    }
    this.form.setBusy(false);
  }

  /** @param {RunHandle} handle */
  follow(handle) {
    this.arms.clear();
    this.lab = null;
    this.client.follow(handle);
  }

  /** Pauses, goes on, or runs again what was interrupted. */
  async press() {
    const interrupted = this.state === "interrupted";
    await this.command(TOGGLE_COMMANDS[this.state] ?? "pause");
    if (interrupted) this.follow(this.client.handle);
  }

  /** @param {string} name */
  async command(name) {
    this.state = (await this.client.command(name)) ?? this.state;
    this.draw();
  }

  /**
   * An arm goes on with other settings from its next round on; every chart gets a mark there.
   * @param {number} arm
   * @param {string} title
   * @param {string} settings
   */
  async changeArm(arm, title, settings) {
    if ((await this.client.command("change", parseSettings(settings), arm)) === null) return;
    this.notice.show(`${title} uses ${settings.trim()} from its next round on.`, "quiet");
  }

  // --- updates --------------------------------------------------------------------------------------------------------

  /** @param {LabUpdate} lab */
  handleUpdate(lab) {
    this.lab = lab;
    this.state = lab.state;
    this.arms.update(lab);
    this.results.update(lab);
    if (lab.state === "failed") this.notice.show(lab.error);
    this.draw();
    if (this.justStarted) this.panels.scrollIntoView({ block: "start" });
    this.justStarted = false;
  }

  /** The server does not know the lab any more. */
  forgetRun() {
    storeLab(null);
    if (this.lab) this.notice.show("This lab has ended and is no longer kept. Start it again.", "quiet");
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  /** Draws what is known. */
  draw() {
    const { lab, state } = this;
    const active = lab !== null && !hasEnded(state);
    setAttribute(this.panels, "hidden", !lab);
    setAttribute(this.host, "data-state", state);
    this.form.setActive(active);
    if (!lab) return;
    setText(this.toggle, TOGGLE_NAMES[state] ?? "Pause");
    setAttribute(this.toggle, "disabled", !TOGGLED_STATES.includes(state));
    setAttribute(this.stop, "disabled", !active);
    for (const arm of this.arms.arms) arm.enableChange(active);
    setText(this.status, `The lab is ${STATE_NAMES[state]}.`);
    this.progress.style.width = `${100 * lab.done}%`;
    setText(this.kept, active ? lab.kept : "");
    this.drawStanding(lab, active);
    this.drawVerdict(lab);
  }

  /**
   * How the lab stands, in a few short parts.
   * @param {LabUpdate} lab
   * @param {boolean} active
   */
  drawStanding(lab, active) {
    const teacher = this.arms.facts?.teacher;
    const wait = lab.wait ? `, wait about ${formatDuration(lab.wait)}` : "";
    const parts = [
      STATE_NAMES[this.state],
      lab.ahead ? formatAhead(lab.ahead) + wait : "",
      lab.title,
      teacher ? `teacher ${teacher}` : "",
      `${lab.budget} per arm`,
      describeSeeds(lab, active),
      active && lab.left !== null ? `about ${formatDuration(lab.left)} left` : "",
    ].filter(Boolean);
    if (this.shownStanding === parts.join()) return;
    this.shownStanding = parts.join();
    this.line.replaceChildren(...parts.map((part, i) => h("span", { class: i ? "" : "first" }, part)));
  }

  /** @param {LabUpdate} lab */
  drawVerdict({ sentences, question }) {
    const text = sentences.join("\n");
    setAttribute(this.verdict, "hidden", !text);
    if (this.shownVerdict === text) return;
    this.shownVerdict = text;
    this.verdict.replaceChildren(
      withHelp(h("h3", {}, question || "Conclusion"), "panel/verdict"),
      ...sentences.map((sentence) => h("p", {}, sentence)),
    );
  }
}

/**
 * @param {LabUpdate} lab
 * @param {boolean} active
 */
function describeSeeds({ seeds, results }, active) {
  if (seeds.length === 1) return `seed ${seeds[0]}`;
  if (!active) return `${seeds.length} seeds`;
  const now = Math.max(seeds[0], ...results.map((result) => result.seed));
  return `seed ${now}, ${seeds.indexOf(now) + 1} of ${seeds.length}`;
}
