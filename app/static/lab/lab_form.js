// What to compare: a ready-made experiment, or arms of one's own.

import { MAX_ARM_WORK, MAX_TITLE_LENGTH, MIN_ARM_WORK } from "../core/constants.js";
import { h, labeled, setAttribute, setText } from "../core/dom.js";
import { helpButton } from "../core/help.js";
import { parseSettings } from "../core/settings.js";
import { watchTeachers } from "../core/teachers.js";

/** @import { ArmPlan, TeacherCard } from "../core/types.d.ts" */

/**
 * What the tab is given in Python.
 * @typedef {object} LabProps
 * @property {string} first the teacher to begin with
 * @property {Record<string, [title: string, question: string]>} experiments
 * @property {[name: string, title: string][]} presets
 * @property {[name: string, title: string][]} teachers
 */

/**
 * What is to run.
 * @typedef {object} LabPlan
 * @property {string} experiment empty for arms of one's own
 * @property {string} teacher
 * @property {number} seed the first
 * @property {number} work of each arm, in billions of multiply-adds
 * @property {number} repeats seeds
 * @property {ArmPlan[]} arms of one's own
 */

const CUSTOM = "own";
const CUSTOM_ARMS = ["first", "second", "third", "fourth", "fifth"];
const START = "▶ Run the comparison";
const ABOUT = [
  "panel/arms",
  "control/experiment",
  "setting/teacher",
  "control/lab_work",
  "control/lab_seeds",
  "setting/seed",
];

/** The form of the lab. */
export class LabForm {
  /**
   * @param {LabProps} props
   * @param {(plan: LabPlan) => void} start
   */
  constructor(props, start) {
    this.experiment = Object.keys(props.experiments)[0];
    this.cards = [
      ...Object.entries(props.experiments).map(([name, [title, question]]) => this.makeCard(name, title, question)),
      this.makeCard(CUSTOM, "Arms of your own", "Two to five arms. Each has any preset and any settings."),
    ];
    this.teacher = h(
      "select",
      { id: "lab-teacher" },
      ...props.teachers.map(([name, title]) => h("option", { value: name, selected: name === props.first }, title)),
    );
    this.work = h("input", {
      id: "lab-work",
      type: "number",
      min: MIN_ARM_WORK,
      max: MAX_ARM_WORK,
      step: 1,
      value: 500,
    });
    this.repeats = h(
      "select",
      { id: "lab-repeats" },
      h("option", { value: 1 }, "1 seed"),
      h("option", { value: 3 }, "3 seeds"),
    );
    this.seed = h("input", { id: "lab-seed", type: "number", min: 0, step: 1, value: 0 });
    this.go = h("button", { type: "button", class: "primary", onclick: () => start(this.plan()) }, START);
    this.arms = CUSTOM_ARMS.map((which, i) => new CustomArm(which, i, props.presets));
    this.custom = h(
      "div",
      { class: "custom-arms", hidden: true },
      ...this.arms.map(({ element }) => element),
      h(
        "p",
        { class: "note" },
        "Write changes as name=value, separated by spaces, such as noisy_reset_every=0 routing=single. A row without a preset is left out.",
      ),
    );
    this.element = h(
      "section",
      { class: "card lab-form", "aria-label": "What to compare" },
      h("div", { class: "experiments", role: "group", "aria-label": "Experiment" }, ...this.cards),
      this.custom,
      h(
        "div",
        { class: "fields" },
        labeled("Teacher", this.teacher),
        labeled("Work per arm (10⁹)", this.work),
        labeled("Repeats", this.repeats),
        labeled("First seed", this.seed),
        this.go,
        helpButton(ABOUT, "lab settings"),
      ),
      h(
        "p",
        { class: "note" },
        "All arms get the same seed and the same work: counted multiply-adds, so that a repeat gives the same result. They take turns on one thread. A lab replaces your live run.",
      ),
    );
    this.choose(this.experiment);
    watchTeachers((card) => this.offerTeacher(card));
  }

  /**
   * @param {string} name
   * @param {string} title
   * @param {string} question
   */
  makeCard(name, title, question) {
    return h(
      "button",
      {
        type: "button",
        class: "experiment",
        "aria-pressed": "false",
        "data-name": name,
        onclick: () => this.choose(name),
      },
      h("b", {}, title),
      h("span", {}, question),
    );
  }

  /**
   * A teacher that is not shipped joins the list and is chosen, as it is for the live run.
   * @param {TeacherCard} card
   */
  offerTeacher({ name, title }) {
    const known = [...this.teacher.options].some((option) => option.value === name);
    if (!known) this.teacher.append(h("option", { value: name }, title));
    this.teacher.value = name;
  }

  /** @param {string} name of the experiment */
  choose(name) {
    this.experiment = name;
    for (const card of this.cards) setAttribute(card, "aria-pressed", String(card.dataset.name === name));
    setAttribute(this.custom, "hidden", name !== CUSTOM);
  }

  /** @param {boolean} active whether a lab runs */
  setActive(active) {
    setText(this.go, active ? "▶ Start again" : START);
  }

  /** @param {boolean} busy while the server is asked: no second click */
  setBusy(busy) {
    setAttribute(this.go, "disabled", busy);
  }

  /**
   * What the form holds.
   * @returns {LabPlan}
   */
  plan() {
    const custom = this.experiment === CUSTOM;
    return {
      experiment: custom ? "" : this.experiment,
      teacher: this.teacher.value,
      seed: Number(this.seed.value),
      work: Number(this.work.value),
      repeats: Number(this.repeats.value),
      arms: custom ? this.arms.flatMap((arm) => arm.plan() ?? []) : [],
    };
  }
}

/** A row of the form: an arm's name, preset and changes. */
class CustomArm {
  /**
   * @param {string} which first, second, …
   * @param {number} number
   * @param {[name: string, title: string][]} presets
   */
  constructor(which, number, presets) {
    this.title = h("input", {
      type: "text",
      maxlength: MAX_TITLE_LENGTH,
      placeholder: `Name of the ${which} arm`,
      "aria-label": `Name of the ${which} arm`,
    });
    this.preset = h(
      "select",
      { "aria-label": `Preset of the ${which} arm` },
      h("option", { value: "" }, "–"),
      ...presets.map(([name, title], i) => h("option", { value: name, selected: number < 2 && i === 0 }, title)),
    );
    this.changes = h("input", {
      type: "text",
      placeholder: "for example noisy_reset_every=0",
      "aria-label": `Changes of the ${which} arm`,
    });
    this.element = h("div", { class: "custom-arm" }, this.title, this.preset, this.changes);
  }

  /**
   * The arm, or null where the row has no preset.
   * @returns {ArmPlan | null}
   */
  plan() {
    const preset = this.preset.value;
    if (!preset) return null;
    return { title: this.title.value.trim(), preset, settings: parseSettings(this.changes.value) };
  }
}
