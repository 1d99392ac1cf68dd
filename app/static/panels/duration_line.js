// A line that says about how long a comparison takes here, before it begins.

import { askDuration } from "../core/api.js";
import { MAX_ARM_WORK, MIN_ARM_WORK, ROUNDS_WITHOUT_END } from "../core/constants.js";
import { h, isVisible, setText } from "../core/dom.js";
import { formatAbout } from "../core/format.js";
import { readVisitor } from "../core/storage.js";

/** @import { ArmPlan, LabPlan } from "../core/types.d.ts" */

/** @typedef {Pick<LabPlan, "teacher" | "work" | "repeats"> & { arms: Omit<ArmPlan, "title">[] }} Planned */

const WAIT = 600; // ms after a change, and after the line comes shown

/** The line; the page that has it says when something has changed. */
export class DurationLine {
  /** @param {() => Planned} plan what would run now */
  constructor(plan) {
    this.plan = plan;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.asked = ""; // the plan that the line tells of
    this.element = h("p", { class: "note duration" }, "\u00a0"); // its room is there before its text
  }

  /** Asks in a moment, once for all that changes until then; a line that nobody sees asks nothing. */
  askLater() {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(() => isVisible(this.element) && this.ask(), WAIT);
  }

  /** Asks for each arm, one after the other. */
  async ask() {
    const planned = this.plan();
    const asked = JSON.stringify(planned);
    if (this.asked === asked) return;
    this.asked = asked;
    const { teacher, work, repeats, arms } = planned;
    let seconds = work >= MIN_ARM_WORK && work <= MAX_ARM_WORK ? 0 : Number.NaN;
    for (const { preset = "nayer", settings } of arms) {
      if (Number.isNaN(seconds)) break;
      const shared = { teacher, work, rounds: ROUNDS_WITHOUT_END };
      const arm = await askDuration({
        preset,
        settings: { ...settings, ...shared },
        token: readVisitor().token ?? "",
      }).catch(() => null);
      if (this.asked !== asked) return; // the plan has changed
      seconds = arm === null ? Number.NaN : seconds + arm;
    }
    setText(
      this.element,
      Number.isNaN(seconds) ? "\u00a0" : `About ${formatAbout(repeats * seconds)} on this machine.`,
    );
  }
}
