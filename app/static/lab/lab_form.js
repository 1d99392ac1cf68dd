// The form of the lab: a ready-made experiment, or own arms.

import { MAX_ARM_WORK, MAX_ARMS, MAX_REPEATS, MAX_TITLE_LENGTH, MIN_ARM_WORK, MIN_ARMS } from "../core/constants.js";
import { h, labeled, setAttribute, setText } from "../core/dom.js";
import { formatCount } from "../core/format.js";
import { helpButton } from "../core/help.js";
import { watchTeachers } from "../core/teachers.js";
import { DurationLine } from "../panels/duration_line.js";
import { SettingPicker } from "../panels/setting_picker.js";

/** @import { ArmPlan, LabPlan, SettingFacts, TeacherCard } from "../core/types.d.ts" */

/**
 * The properties of the tab, from Python.
 * @typedef {object} LabProps
 * @property {string} first the teacher that is chosen at first
 * @property {Record<string, [title: string, question: string, arms: Omit<ArmPlan, "title">[]]>} experiments
 * @property {[name: string, title: string][]} presets
 * @property {[name: string, title: string][]} teachers
 * @property {SettingFacts[]} settings that arms may change
 * @property {string} example the sentence above the finished example
 */

const CUSTOM = "own";
const CUSTOM_ARMS = ["first", "second", "third", "fourth", "fifth", "sixth"];
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
    this.props = props;
    this.experiment = Object.keys(props.experiments)[0];
    const own = `${MIN_ARMS} to ${MAX_ARMS} arms. Each has any preset and any settings.`;
    this.cards = [
      ...Object.entries(props.experiments).map(([name, [title, question]]) => this.makeCard(name, title, question)),
      this.makeCard(CUSTOM, "Arms of your own", own),
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
      ...Array.from({ length: MAX_REPEATS }, (_, i) => h("option", { value: i + 1 }, formatCount(i + 1, "seed"))),
    );
    this.seed = h("input", { id: "lab-seed", type: "number", min: 0, step: 1, value: 0 });
    this.go = h("button", { type: "button", class: "primary", onclick: () => start(this.plan()) }, START);
    /** @type {CustomArm[]} */
    this.arms = [];
    this.armList = h("div", { class: "custom-list" });
    this.more = h("button", { type: "button", class: "add-arm", onclick: () => this.addArm() }, "+ Add an arm");
    this.custom = h("div", { class: "custom-arms", hidden: true }, this.armList, this.more);
    this.setArms([{ settings: {} }, { settings: {} }]);
    this.duration = new DurationLine(() => {
      const plan = this.plan();
      return plan.experiment ? { ...plan, arms: props.experiments[plan.experiment][2] } : plan;
    });
    this.element = h(
      "section",
      {
        class: "card lab-form",
        "aria-label": "What to compare",
        onchange: () => this.duration.askLater(),
        onclick: () => this.duration.askLater(),
      },
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
      this.duration.element,
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
   * Adds a teacher that is not shipped to the list, and chooses it, as for the live run.
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

  /** @param {Partial<ArmPlan>[]} plans */
  setArms(plans) {
    this.arms = [];
    for (const plan of plans.slice(0, MAX_ARMS)) this.addArm(plan);
  }

  /** @param {Partial<ArmPlan>} [plan] */
  addArm(plan = {}) {
    const { presets, settings } = this.props;
    const remove = (/** @type {CustomArm} */ arm) => {
      this.arms = this.arms.filter((one) => one !== arm);
      this.showArms();
    };
    this.arms.push(new CustomArm({ number: this.arms.length, plan, presets, settings, remove }));
    this.showArms();
  }

  /** Arranges the arms. At least two stay. */
  showArms() {
    this.armList.replaceChildren(...this.arms.map(({ element }) => element));
    for (const { remove } of this.arms) setAttribute(remove, "hidden", this.arms.length <= MIN_ARMS);
    setAttribute(this.more, "hidden", this.arms.length >= MAX_ARMS);
  }

  /** @param {boolean} active whether a lab runs */
  setActive(active) {
    setText(this.go, active ? "▶ Start again" : START);
  }

  /** @param {boolean} busy while a request is in progress, a second click has no effect */
  setBusy(busy) {
    setAttribute(this.go, "disabled", busy);
  }

  /**
   * The values of the form.
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
      arms: custom ? this.arms.map((arm) => arm.plan()) : [],
    };
  }

  /**
   * Fills the form with a plan, such as one in the address.
   * @param {LabPlan} plan
   */
  fill({ experiment, teacher, seed, work, repeats, arms }) {
    this.choose(arms.length ? CUSTOM : experiment);
    if (arms.length) this.setArms(arms);
    if ([...this.teacher.options].some((option) => option.value === teacher)) this.teacher.value = teacher;
    this.seed.value = String(seed);
    this.work.value = String(work);
    this.repeats.value = String(Math.min(Math.max(1, Math.round(repeats)), MAX_REPEATS));
  }
}

/** A row of the form: an arm's name, preset and changes. */
class CustomArm {
  /**
   * @param {object} options
   * @param {number} options.number
   * @param {Partial<ArmPlan>} options.plan
   * @param {[name: string, title: string][]} options.presets
   * @param {SettingFacts[]} options.settings
   * @param {(arm: CustomArm) => void} options.remove
   */
  constructor({ number, plan, presets, settings, remove }) {
    const which = CUSTOM_ARMS[number];
    const { title = `Arm ${number + 1}`, preset = "nayer" } = plan;
    this.title = h("input", { type: "text", maxlength: MAX_TITLE_LENGTH, value: title });
    this.preset = h(
      "select",
      {},
      ...presets.map(([name, called]) => h("option", { value: name, selected: name === preset }, called)),
    );
    this.changes = new SettingPicker(settings, `of the ${which} arm`);
    this.changes.set(plan.settings ?? {});
    this.remove = h("button", { type: "button", onclick: () => remove(this) }, "Remove this arm");
    this.element = h(
      "fieldset",
      { class: "custom-arm" },
      h("legend", {}, `The ${which} arm`),
      labeled("Name", this.title),
      labeled("Preset", this.preset),
      this.changes.element,
      this.remove,
    );
  }

  /**
   * The arm.
   * @returns {ArmPlan}
   */
  plan() {
    return { title: this.title.value.trim(), preset: this.preset.value, settings: this.changes.values() };
  }
}
