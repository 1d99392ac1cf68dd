// The tab Live: it follows the visitor's run, and sends the commands of keys and buttons.

import { sendCommand, serverUrl } from "../core/api.js";
import { find, h, hiddenText, isVisible, prefersReducedMotion, setAttribute } from "../core/dom.js";
import { bringClassToLive, followClass } from "../core/joining.js";
import { applyUpdate, emptyModel, isGoing } from "../core/model.js";
import { Notice } from "../core/notice.js";
import { mayReplaceLiveRun } from "../core/replacing.js";
import { followTabs, namesNoRun, readAddress, runUrl } from "../core/router.js";
import { RunClient } from "../core/run_client.js";
import { readVisitor, storeVisitor } from "../core/storage.js";
import { addTeacher, watchTeachers } from "../core/teachers.js";
import { ClassCodeButton } from "../panels/class_code.js";
import { PresenterButton } from "../panels/presenter.js";
import { ControlBar } from "./control_bar.js";
import { ReplayPlayer, servedRecording } from "./replay_player.js";
import { RunEstimate } from "./run_estimate.js";
import { SettingsDrawer } from "./settings_drawer.js";
import { Stage } from "./stage.js";

/** @import { GradioMount, OwnRun, RunModel, RunUpdate, TeacherCard } from "../core/types.d.ts" */

/** @typedef {"greeting" | "waiting" | "again"} ReplayReason why a recording plays; each reason has a sentence */

/**
 * The answer of Gradio's form to Play, to Apply and to an address: it has one of these.
 * @typedef {object} FormAnswer
 * @property {string} [run] the id of a started run
 * @property {string} [token]
 * @property {string} [chosen] the teacher that an address names
 * @property {string} [asked] the request that it answers; `address` for the one of the address
 * @property {string} [said] a sentence
 * @property {boolean} [refused] whether the sentence is an error
 * @property {string} [error]
 */

/**
 * The properties of the page, from Python.
 * @typedef {object} LiveProps
 * @property {FormAnswer | null} value
 * @property {string} first the teacher that is chosen at first
 * @property {string} preset the preset that is chosen at first
 * @property {string[]} fields of the form, by name
 * @property {TeacherCard[]} teachers
 * @property {Record<string, [title: string, meaning: string]>} parts of the diagram
 * @property {boolean} greets whether a recording plays when the page opens
 * @property {boolean} lends whether a GPU can be borrowed
 * @property {string} watching
 * @property {string} gone
 * @property {Record<ReplayReason, string>} recorded
 * @property {[title: string, text: string]} empty
 * @property {string} grace
 */

const SLOW_PACE = 2.6; // seconds of each wait in slow motion
/** The state that a command leads to, shown before the server confirms it. */
const EXPECTED_STATES = /** @type {const} */ ({ pause: "paused", resume: "running", step: "running" });
const TYPING = "input, textarea, select, [contenteditable], [role=listbox], [role=option]";
const PRESSED_BY_SPACE = "button, summary, a, [role=button], label";

/** @param {GradioMount<LiveProps>} mounted */
export function mount({ element, props, trigger, watch }) {
  const host = find(element, "#nayer-stage", HTMLElement);
  if (host.childElementCount) return;
  const page = new LivePage(host, find(document, "#nayer-bar", HTMLElement), props, trigger);
  watch("value", () => page.handleAnswer(props.value));
  followTabs();
  followClass();
  bringClassToLive();
}

/** The page of one run: the visitor's own, or another visitor's that is watched. */
class LivePage {
  /**
   * @param {HTMLElement} host
   * @param {HTMLElement} barHost
   * @param {LiveProps} props
   * @param {GradioMount<LiveProps>["trigger"]} trigger
   */
  constructor(host, barHost, props, trigger) {
    this.host = host;
    this.props = props;
    this.trigger = trigger;
    /** @type {RunModel} */
    this.model = emptyModel();
    this.teachers = props.teachers;
    this.teacher = this.teachers.find(({ name }) => name === props.first) ?? this.teachers[0];
    this.refused = false; // whether the shown sentence refuses a value of the form
    this.requests = 0; // number of the requests to Gradio's form, so that it answers each
    this.stepKind = "generator"; // the kind of step of the key
    this.wantedStep = ""; // the step to take after the run has started
    this.wantedPace = 0; // the pace to set after the run has started
    /** @type {ReplayPlayer | null} */
    this.replay = null;
    /** @type {ReplayReason | null} */
    this.replayReason = null;
    this.estimate = new RunEstimate(props.preset, props.first, () => this.draw());
    this.replayed = ""; // the address of the run that plays
    /** @type {Promise<boolean>} whether the settings of the address are in the form; false if they are refused */
    this.addressTaken = Promise.resolve(true);
    /** @type {(taken: boolean) => void} */
    this.takeAddress = () => {};
    this.notice = new Notice();
    /** @type {RunClient<RunUpdate>} */
    this.client = new RunClient({
      path: "status",
      host,
      notice: this.notice,
      subject: "The run continues",
      onUpdate: (update) => this.handleUpdate(update),
      onGone: () => this.forgetRun(),
      isQueued: () => !this.watching && this.model.state === "queued",
    });
    this.classCode = new ClassCodeButton(() => [readVisitor(), "live"]).element;
    this.bar = new ControlBar(
      {
        toggle: () => this.toggle(),
        step: (kind) => {
          this.stepKind = kind;
          this.step(kind);
        },
        slow: () => this.toggleSlow(),
        apply: () => this.applySettings(),
        revive: () => this.revive(),
        burst: () => this.command("burst"),
        stop: () => this.command("stop"),
      },
      props.lends,
      [
        new SettingsDrawer(find(document, "#settings", HTMLElement)).element,
        this.classCode,
        new PresenterButton().element,
      ],
    );
    this.stage = new Stage(host, {
      parts: props.parts,
      empty: props.empty,
      grace: props.grace,
      play: () => this.toggle(),
      playAgain: () => this.playAgain(),
      redraw: (label, count) => this.client.ask("redraws", label, count, 0),
    });
    barHost.replaceChildren(this.bar.element);
    host.replaceChildren(hiddenText("The run", "h2"), this.notice.element, ...this.stage.elements);
    window.nayerChooseTeacher = (name) => this.chooseTeacher(name);
    window.nayerForm = (values) => this.estimate.changeForm(props.fields, values);
    this.estimate.begin();
    watchTeachers((card) => this.offerTeacher(card));
    document.addEventListener("keydown", (event) => this.handleKey(event));
    const { watch, run, settings, hidden } = readAddress(location.href);
    hideFields(hidden);
    this.watching = false;
    if (watch) this.watchRun(watch);
    else this.begin(settings, run);
    if (namesNoRun(location.href, "watch") || namesNoRun(location.href, "run")) this.notice.show(props.gone, "quiet");
    addEventListener("popstate", () => {
      const { run: asked } = readAddress(location.href);
      if (asked && asked !== this.client.run) this.openRun(asked);
    });
    this.draw();
  }

  /**
   * Watches another visitor's run: all of it is shown, and no command is sent.
   * @param {string} run
   */
  watchRun(run) {
    this.watching = true;
    document.body.classList.add("watching");
    this.notice.show(this.props.watching, "quiet");
    this.client.follow({ run });
  }

  /**
   * Shows the run in the address. Its visitor controls it, and everybody else watches.
   * @param {string} run
   */
  async openRun(run) {
    const own = await isOwn(run);
    if (readAddress(location.href).run !== run) return; // the visitor has opened something else
    this.model = emptyModel();
    this.leaveReplay();
    if (!own) this.watchRun(run);
    else {
      const { token } = readVisitor();
      this.watching = false;
      document.body.classList.remove("watching");
      this.notice.show("");
      this.client.follow({ run, token });
      this.trigger("select", { run, token });
    }
    this.draw();
  }

  /**
   * Puts the shown run into the address, so that Back and reload find it; null removes it.
   * @param {string | null} run
   */
  nameRun(run) {
    const before = readAddress(location.href).run;
    if (before === run) return;
    const url = runUrl(location.href, run);
    if (before && run) history.pushState(null, "", url);
    else history.replaceState(history.state, "", url);
  }

  /**
   * Shows the visitor's run again, or follows the address.
   * @param {Record<string, string> | null} settings
   * @param {string | null} asked the run in the address
   */
  begin(settings, asked) {
    const { run, token } = readVisitor();
    if (settings) {
      this.addressTaken = new Promise((resolve) => {
        this.takeAddress = resolve;
      });
      this.trigger("submit", { words: settings });
    }
    if (asked && asked !== run) this.openRun(asked);
    else if (run) {
      this.client.follow({ run, token });
      this.nameRun(run);
      if (!settings) this.trigger("select", { run, token });
    } else if (this.props.greets) this.playRecording("recording", "greeting");
  }

  // --- commands -------------------------------------------------------------------------------------------------------

  /** Whether a run starts, waits, runs or is paused. */
  get active() {
    return this.model.state === "starting" || isGoing(this.model.state);
  }

  /** Pauses, continues or starts a run. */
  toggle() {
    if (this.model.state === "running") this.command("pause");
    else if (this.model.state === "paused") this.command("resume");
    else if (!this.active) this.start();
  }

  /**
   * Asks Gradio's form to start a run with its values, once it has those of the address.
   * @param {string} [step] to take before it pauses
   */
  async start(step = "") {
    if (this.client.run !== readVisitor().run && !(await mayReplaceLiveRun())) return; // the page shows an older run
    this.wantedStep = step;
    this.estimate.startRun();
    this.client.close();
    this.model = { ...emptyModel(), state: "starting" };
    this.leaveReplay();
    this.notice.show("");
    this.draw();
    if (!(await this.addressTaken)) {
      this.model = emptyModel();
      this.draw();
      return;
    }
    this.askForm("play", { token: readVisitor().token ?? "", paused: step !== "" });
  }

  /** Continues the run with the values of the form, from its next round on. */
  applySettings() {
    this.notice.show("");
    this.askForm("apply", this.client.handle);
  }

  /**
   * Gradio's form answers through `handleAnswer`.
   * @param {string} event
   * @param {object} data
   */
  askForm(event, data) {
    this.requests += 1;
    this.trigger(event, { ...data, asked: `${Date.now()}-${this.requests}` });
  }

  /** Continues a run that the end of the server interrupted. */
  async revive() {
    await this.command("revive");
    this.client.follow(this.client.handle);
  }

  /** @param {FormAnswer | null} answer */
  handleAnswer(answer) {
    if (!answer) return;
    const { chosen, said, refused, error, run, token } = answer;
    if (answer.asked === "address") this.takeAddress(!refused);
    if (chosen) this.chooseTeacher(chosen);
    else if (said) {
      this.refused = refused === true;
      this.notice.show(said, refused ? "alert" : "quiet");
    } else if (error) {
      this.model = emptyModel();
      this.notice.show(error);
      this.draw();
    } else if (run && run !== this.client.run) {
      storeVisitor({ run, token });
      this.nameRun(run);
      this.client.follow({ run, token });
      if (this.wantedStep) this.command("step", this.wantedStep);
      this.wantedStep = "";
    }
  }

  /** @param {string} kind */
  step(kind) {
    this.stage.diagram.fold.open();
    if (this.active) this.command("step", kind);
    else this.start(kind);
  }

  /** Turns slow motion on or off. */
  toggleSlow() {
    const pace = this.model.pace > 0 ? 0 : SLOW_PACE;
    if (pace) this.stage.diagram.fold.open();
    if (this.active) {
      this.model = { ...this.model, pace };
      this.command("pace", pace);
    } else this.start();
    this.wantedPace = pace;
    this.draw();
  }

  /**
   * Sends a command to the visitor's run.
   * @param {string} name
   * @param {...unknown} values
   */
  async command(name, ...values) {
    if (!this.client.run || this.watching) return;
    const expected =
      name in EXPECTED_STATES ? EXPECTED_STATES[/** @type {"pause" | "resume" | "step"} */ (name)] : null;
    const { state } = this.model;
    const shown = expected && this.active && state !== "queued" ? expected : state;
    this.model = { ...this.model, state: shown };
    this.draw();
    const answer = await this.client.command(name, ...values);
    if (answer !== null || this.model.state !== shown) return;
    this.model = { ...this.model, state }; // the command did not arrive, or was refused
    this.draw();
  }

  // --- updates --------------------------------------------------------------------------------------------------------

  /** @param {RunUpdate} update */
  handleUpdate(update) {
    this.model = applyUpdate(this.model, update);
    if (this.wantedPace && this.model.state === "running") {
      this.command("pace", this.wantedPace);
      this.wantedPace = 0;
    }
    const queued = update.state === "queued";
    if (update.state === "failed") this.notice.show(update.error);
    if (queued && this.props.greets && !this.replay) this.playRecording("recording", "waiting");
    else if (!queued && this.replayReason === "waiting") this.leaveReplay();
    this.draw();
  }

  /** Called if the server no longer knows the run. */
  forgetRun() {
    if (this.watching) {
      this.notice.show(this.props.gone, "quiet");
      return;
    }
    const { run, token } = this.client.handle;
    this.client.forget();
    if (run === readVisitor().run) storeVisitor({ token });
    this.nameRun(null);
    const known = this.model.facts !== null;
    if (known) this.notice.show("This run has ended and is no longer kept. Press Play to start a new run.", "quiet");
    this.model = { ...this.model, state: known ? "stopped" : "empty" };
    this.draw();
  }

  // --- recordings -----------------------------------------------------------------------------------------------------

  /** Plays the ended run back. */
  async playAgain() {
    const { run } = this.client;
    if (run && !(await this.playRecording(run, "again")))
      this.notice.show("This run is no longer kept and cannot be replayed.", "quiet");
  }

  /**
   * Plays a recording in the panels. Returns false if there is none.
   * @param {string} run
   * @param {ReplayReason} reason
   */
  async playRecording(run, reason) {
    this.leaveReplay();
    const replay = new ReplayPlayer({
      recorded: servedRecording(serverUrl(`live/${run}`)),
      about: this.props.recorded[reason],
      still: prefersReducedMotion(),
      onChange: () => this.replay === replay && this.draw(),
      onClose: reason === "again" ? () => this.leaveReplay() : null,
    });
    this.replay = replay;
    this.replayReason = reason;
    this.replayed = serverUrl(`live/${run}`);
    this.stage.player.replaceChildren(replay.element);
    const loaded = await replay.load();
    if (loaded || this.replay !== replay) return true;
    this.leaveReplay();
    return false;
  }

  /** Shows the run again. */
  leaveReplay() {
    this.replay?.close();
    this.replay = null;
    this.replayReason = null;
    this.stage.samples.clear();
    this.draw();
  }

  // --- drawing --------------------------------------------------------------------------------------------------------

  /** @param {string} name of a teacher; an unknown name is a folder that was typed */
  chooseTeacher(name) {
    if (this.refused) this.notice.show(""); // the form no longer has the refused value
    this.refused = false;
    const known = this.teachers.find((teacher) => teacher.name === name);
    if (!known) {
      addTeacher({
        name,
        title: name,
        classes: [],
        accuracy: null,
        robust: null,
        image_shape: null,
        real: false,
        sketch: null,
        anchors: null,
      });
      return;
    }
    this.teacher = known;
    this.draw();
  }

  /**
   * Adds a teacher that is not shipped. Its card is shown in the same way as the others.
   * @param {TeacherCard} card
   */
  offerTeacher(card) {
    this.teachers = [...this.teachers.filter(({ name }) => name !== card.name), card];
    this.chooseTeacher(card.name);
  }

  /** Draws the bar and the panels. */
  draw() {
    const { run, address } = this.client;
    this.bar.update(this.model, this.teacher, this.model.facts ? this.estimate.ofRun : this.estimate.ofForm);
    setAttribute(this.classCode, "hidden", !this.model.facts || readVisitor().run !== run);
    this.stage.update({
      run: run ? { id: run, address } : null,
      model: this.model,
      replay: this.replay,
      replayed: this.replayed,
      greets: this.replayReason === "greeting",
      watching: this.watching,
      teacher: this.teacher,
      teachers: this.teachers,
    });
  }

  /** @param {KeyboardEvent} event */
  handleKey(event) {
    const target = event.target instanceof Element ? event.target : null;
    const modified = event.ctrlKey || event.metaKey || event.altKey || event.repeat;
    if (!isVisible(this.host) || this.watching || modified || target?.closest(TYPING)) return;
    if (event.key === " " && !target?.closest(PRESSED_BY_SPACE)) this.toggle();
    else if (event.key === ".") this.step(this.stepKind);
    else if (event.key.toLowerCase() === "r") this.step("redraw");
    else return;
    event.preventDefault();
  }
}

/**
 * Whether the visitor has started a run.
 * @param {string} run
 */
async function isOwn(run) {
  const { run: latest, token } = readVisitor();
  if (run === latest || !token) return run === latest;
  /** @type {OwnRun[]} */
  const runs = await sendCommand("runs", token).catch(() => []);
  return runs.some((one) => one.run === run);
}

/**
 * Hides fields of the form.
 * @param {string[]} ids
 */
function hideFields(ids) {
  const selectors = ids.map((id) => `#${id}`).join(", ");
  if (ids.length) document.head.append(h("style", {}, `${selectors} { display: none !important; }`));
}
