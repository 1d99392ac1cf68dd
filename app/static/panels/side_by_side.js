// Arms of one run side by side: one column each, common charts, the images of a point, and re-draws.

import { serverUrl } from "../core/api.js";
import { h, setAttribute } from "../core/dom.js";
import { withHelp } from "../core/help.js";
import { hasEnded } from "../core/model.js";
import { Arm } from "./arm.js";
import { ArmCharts } from "./arm_charts.js";
import { BatchDialog } from "./batch_dialog.js";
import { Playback } from "./playback.js";
import { RedrawStrip } from "./redraw_strip.js";

/** @import { RunClient } from "../core/run_client.js" */
/** @import { LabUpdate, SettingFacts, Settings } from "../core/types.d.ts" */

/** The panels of a run with several arms. The page arranges their elements. */
export class SideBySide {
  /**
   * @param {object} options
   * @param {RunClient<LabUpdate>} [options.client] none if a recorded example is shown
   * @param {HTMLElement} [options.dialogHost] the parent of the dialog with a batch; the default is the columns
   * @param {string[]} [options.charts] the measures that are shown, else all
   * @param {{ settings: SettingFacts[], apply: (arm: number, title: string, settings: Settings) => void }} [options.change]
   */
  constructor({ client, dialogHost, charts, change }) {
    this.client = client;
    this.change = change;
    /** @type {Arm[]} */
    this.arms = [];
    /** @type {LabUpdate["ranges"]} */
    this.ranges = null;
    /** @type {LabUpdate | null} */
    this.lab = null;
    this.columns = h("div", { class: "arms" });
    this.batchDialog = new BatchDialog(dialogHost ?? this.columns);
    this.shownSentences = "";
    this.verdict = h("section", { class: "card verdicts", "aria-label": "Conclusion", hidden: true });
    this.charts = new ArmCharts({ names: charts, pick: client ? (arm, round) => this.openBatch(arm, round) : null });
    this.playback = new Playback((share) => this.showShare(share));
    this.redrawStrip = new RedrawStrip(async (label, count, arm) => {
      if (!client) throw new Error("An example has no networks.");
      return client.ask("redraws", label, count, arm);
    });
  }

  /** The common facts of the arms, once one of them has started. */
  get facts() {
    return this.arms.find((arm) => arm.model.facts)?.model.facts ?? null;
  }

  /** Removes the arms, before another run is followed. */
  clear() {
    this.arms = [];
    this.ranges = null;
    this.playback.reset();
  }

  /** @param {LabUpdate} lab */
  update(lab) {
    this.lab = lab;
    if (!this.arms.length) this.setArms(lab);
    if (!lab.counted.length) this.ranges = null; // the lab has started again
    this.ranges = lab.ranges ?? this.ranges;
    for (const [i, arm] of this.arms.entries())
      arm.update(
        lab.news[i],
        lab.results.findLast((result) => result.arm === i),
        lab,
      );
    this.drawCharts();
    this.conclude(lab);
    const { facts } = this;
    if (facts) this.redrawStrip.setClasses(facts.classes);
    this.redrawStrip.enable(facts !== null && this.client?.handle.token !== undefined);
    setAttribute(this.playback.element, "hidden", !this.client || !hasEnded(lab.state));
  }

  /**
   * The conclusion so far, in sentences.
   * @param {LabUpdate} lab
   */
  conclude({ sentences, question }) {
    setAttribute(this.verdict, "hidden", !sentences.length);
    if (this.shownSentences === sentences.join()) return;
    this.shownSentences = sentences.join();
    this.verdict.replaceChildren(
      withHelp(h("h3", {}, question || "Conclusion"), "panel/verdict"),
      ...sentences.map((sentence) => h("p", {}, sentence)),
    );
  }

  /** Draws the charts up to the position of the playback. */
  drawCharts() {
    const { lab } = this;
    if (lab) this.charts.update(lab, this.arms, this.ranges, this.playback.share * lab.limit);
  }

  /**
   * Shows the lab at the time when each arm had done this share of its work.
   * @param {number} share Infinity for all of it
   */
  showShare(share) {
    const { lab } = this;
    if (!lab) return;
    this.drawCharts();
    const at = lab.by === "work" ? 1 : 2;
    for (const arm of this.arms) {
      const done = arm.curve.findLast((row) => (row[at] ?? 0) <= share * lab.limit && (row[0] ?? -1) >= 0);
      arm.showRound(Number.isFinite(share) ? Math.max(0, done?.[0] ?? 0) : null);
    }
  }

  /** @param {LabUpdate} lab */
  setArms({ arms: titles, by }) {
    const { change, client } = this;
    this.arms = titles.map(
      (title, number) =>
        new Arm({
          number,
          title,
          address: client ? serverUrl(`live/${client.run}/arm/${number}`) : "",
          pick: client ? (round) => this.openBatch(number, round) : null,
          change: change && {
            settings: change.settings,
            apply: (settings) => change.apply(number, title, settings),
          },
        }),
    );
    this.columns.style.setProperty("--arms", String(titles.length));
    this.columns.replaceChildren(...this.arms.map((arm) => arm.element));
    this.redrawStrip.setArms(titles);
    this.charts.setArms(titles, by);
  }

  /**
   * Shows the images of an arm's round.
   * @param {number} number of the arm
   * @param {number} round
   */
  openBatch(number, round) {
    const { model, address, title, color } = this.arms[number];
    if (address && model.facts && round >= 0)
      this.batchDialog.show({ address, round, classes: model.facts.classes, name: title, color });
  }
}
