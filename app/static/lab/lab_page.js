// The tab of the reset lab: arms side by side with the same teacher, seed and budget, and a conclusion.

import { sendCommand } from "../core/api.js";
import { find, h, hiddenText, isVisible, setAttribute, setText, watchVisibility } from "../core/dom.js";
import { formatAhead, formatDuration } from "../core/format.js";
import { withHelp } from "../core/help.js";
import { bringClass } from "../core/joining.js";
import { hasEnded } from "../core/model.js";
import { Notice } from "../core/notice.js";
import { mayReplaceLiveRun } from "../core/replacing.js";
import { inSameSize, labAddressError, labUrl, readLabAddress, tabName, tabUrl } from "../core/router.js";
import { errorSentence, RunClient } from "../core/run_client.js";
import { readLab, readVisitor, storeLab, storeVisitor } from "../core/storage.js";
import { ClassCodeButton } from "../panels/class_code.js";
import { CopyField } from "../panels/copy_field.js";
import { Example } from "../panels/example.js";
import { fileLinks } from "../panels/file_links.js";
import { PresenterButton } from "../panels/presenter.js";
import { SideBySide } from "../panels/side_by_side.js";
import { StandingLine } from "../panels/standing.js";
import { LabForm } from "./lab_form.js";
import { ResultsTable } from "./results_table.js";

/** @import { GradioMount, LabPlan, LabUpdate, RunHandle, RunState, Settings, StartedRun } from "../core/types.d.ts" */
/** @import { LabProps } from "./lab_form.js" */

/** @type {Partial<Record<RunState, string>>} */
const STATE_NAMES = { empty: "", idle: "starting", queued: "waiting for a slot" };
/** @type {Partial<Record<RunState, string>>} */
const TOGGLE_NAMES = { paused: "Resume", interrupted: "Run again" };
/** @type {Partial<Record<RunState, string>>} */
const TOGGLE_COMMANDS = { paused: "resume", interrupted: "revive" };
const TOGGLED_STATES = ["running", "paused", "interrupted"];
const FILES = [
  ["lab.csv", "CSV"],
  ["lab.png", "PNG"],
  ["lab.json", "JSON"],
];

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
    this.props = props;
    /** @type {LabUpdate | null} */
    this.lab = null;
    /** @type {RunState} */
    this.state = "empty";
    this.filesOf = ""; // the lab whose files are linked
    this.justStarted = false; // whether to scroll to the lab
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
    this.standing = new StandingLine();
    this.kept = h("p", { class: "note keeping" });
    this.status = h("p", { class: "visually-hidden", role: "status" });
    this.progress = h("i", { class: "progress" });
    this.own = h("button", { type: "button", hidden: true, onclick: () => this.leave() }, "Run one of your own");
    this.classCode = new ClassCodeButton(() => [this.client.handle, "lab"]).element;
    const bar = h(
      "div",
      { class: "card lab-bar", role: "toolbar", "aria-label": "Lab" },
      h("div", { class: "choices" }, this.toggle, this.stop, this.own, this.classCode, new PresenterButton().element),
      this.standing.element,
      this.kept,
      this.status,
      this.progress,
    );
    this.arms = new SideBySide({
      client: this.client,
      dialogHost: host,
      change: {
        settings: props.settings,
        apply: (arm, title, settings) => this.changeArm(arm, title, settings),
      },
    });
    this.files = h("p", { class: "note files", hidden: true });
    this.linkToLab = new CopyField("Link to this lab");
    this.linkToPlan = new CopyField("Link that fills in the form");
    this.keep = h(
      "section",
      { class: "card lab-keep", "aria-label": "Take it home" },
      withHelp(h("h3", {}, "Take it home"), "panel/lab_keep"),
      this.files,
      this.linkToLab.element,
      this.linkToPlan.element,
    );
    this.example = new Example({ name: "lab", sentence: props.example });
    this.results = new ResultsTable();
    this.panels = h(
      "div",
      { class: "lab-shown", hidden: true },
      bar,
      this.arms.playback.element,
      this.arms.columns,
      this.arms.charts.element,
      this.arms.verdict,
      this.results.element,
      this.keep,
      this.arms.redrawStrip.element,
    );
    host.replaceChildren(hiddenText("Comparison of runs", "h2"), this.form.element, this.notice.element, this.panels);
    addEventListener("popstate", () => this.readAddress());
    watchVisibility(host, () => {
      this.draw();
      this.form.duration.askLater();
    });
    const own = readLab();
    if (own.run) this.client.follow(own);
    this.readAddress();
    this.draw();
    this.form.duration.askLater();
  }

  /** Follows the lab in the address, or else the visitor's own. Fills the form with a plan in the address. */
  readAddress() {
    if (tabName(location.href) !== "lab") return;
    const { lab, plan } = readLabAddress(location.href);
    const own = readLab();
    const wrong = labAddressError(location.href);
    if (wrong) this.notice.show(wrong);
    if (plan) this.form.fill(plan);
    const handle = lab && lab !== own.run ? { run: lab } : own;
    if (handle.run && handle.run !== this.client.run) this.follow(handle);
  }

  /** Leaves another visitor's lab: shows the form, and the visitor's own lab if there is one. */
  leave() {
    history.replaceState(history.state, "", inSameSize(tabUrl(document.baseURI, "lab")));
    this.client.forget();
    this.lab = null;
    this.arms.clear();
    this.readAddress();
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
      storeVisitor({ ...visitor, token }); // a visitor has one token
      history.replaceState(history.state, "", inSameSize(labUrl(document.baseURI, { lab: run })));
      this.follow({ run, token });
      bringClass({ run, token }, "lab");
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

  /** Pauses or continues the lab; starts it again if it was interrupted. */
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
   * Continues an arm with other settings from its next round on. Every chart gets a mark there.
   * @param {number} arm
   * @param {string} title
   * @param {Settings} settings
   */
  async changeArm(arm, title, settings) {
    if ((await this.client.command("change", settings, arm)) === null) return;
    const changes = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
    this.notice.show(`${title} uses ${changes.join(", ")} from its next round on.`, "quiet");
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

  /** Called if the server no longer knows the lab. */
  forgetRun() {
    if (this.client.watching) this.notice.show("This lab does not exist, or is no longer kept.");
    else storeLab(null);
    this.client.forget();
    if (this.lab) this.notice.show("This lab has ended and is no longer kept. Start it again.", "quiet");
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  /** Draws the present state. */
  draw() {
    const { lab, state } = this;
    const active = lab !== null && !hasEnded(state);
    setAttribute(this.panels, "hidden", !lab);
    setAttribute(this.host, "data-state", state);
    this.form.setActive(active);
    setAttribute(this.form.element, "hidden", this.client.watching);
    if (lab || this.client.watching) this.example.element.remove();
    else if (!this.example.element.isConnected) this.host.append(this.example.element);
    if (this.props.example && !this.client.run && isVisible(this.host)) this.example.load();
    if (!lab) return;
    for (const button of [this.toggle, this.stop]) setAttribute(button, "hidden", this.client.watching);
    setAttribute(this.own, "hidden", !this.client.watching);
    setAttribute(this.classCode, "hidden", this.client.watching);
    this.showFiles(!active);
    setText(this.toggle, TOGGLE_NAMES[state] ?? "Pause");
    setAttribute(this.toggle, "disabled", !TOGGLED_STATES.includes(state));
    setAttribute(this.stop, "disabled", !active);
    for (const arm of this.arms.arms) arm.enableChange(active && !this.client.watching);
    setText(this.status, `The lab is ${STATE_NAMES[state] ?? state}.`);
    this.progress.style.width = `${100 * lab.done}%`;
    setText(this.kept, active ? lab.kept : "");
    this.drawStanding(lab, active);
  }

  /**
   * The links, and the files once the lab has ended.
   * @param {boolean} ended
   */
  showFiles(ended) {
    const { run = "" } = this.client;
    this.linkToLab.show(labUrl(document.baseURI, { lab: run }));
    if (this.lab) this.linkToPlan.show(labUrl(document.baseURI, { plan: this.lab.plan }));
    setAttribute(this.files, "hidden", !ended);
    if (this.filesOf === run) return;
    this.filesOf = run;
    this.files.replaceChildren(...fileLinks(run, FILES));
  }

  /**
   * The state of the lab, in a few short parts.
   * @param {LabUpdate} lab
   * @param {boolean} active
   */
  drawStanding(lab, active) {
    const teacher = this.arms.facts?.teacher;
    const wait = lab.wait ? `, wait about ${formatDuration(lab.wait)}` : "";
    const parts = [
      STATE_NAMES[this.state] ?? this.state,
      lab.ahead ? formatAhead(lab.ahead) + wait : "",
      lab.title,
      teacher ? `teacher ${teacher}` : "",
      `${lab.budget} per arm`,
      describeSeeds(lab, active),
      active && lab.left !== null ? `about ${formatDuration(lab.left)} left` : "",
    ].filter(Boolean);
    this.standing.show(parts);
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
