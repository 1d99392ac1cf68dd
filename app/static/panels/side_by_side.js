// Arms of one run side by side: a column each, the charts they share, the images behind a point, and re-draws.

import { serverUrl } from "../core/api.js";
import { h } from "../core/dom.js";
import { Arm } from "./arm.js";
import { ArmCharts } from "./arm_charts.js";
import { BatchDialog } from "./batch_dialog.js";
import { RedrawStrip } from "./redraw_strip.js";

/** @import { RunClient } from "../core/run_client.js" */
/** @import { LabUpdate } from "../core/types.d.ts" */

/** The panels of a run with several arms; the page puts their elements in place. */
export class SideBySide {
  /**
   * @param {object} options
   * @param {RunClient<LabUpdate>} options.client
   * @param {HTMLElement} [options.dialogHost] where the dialog with a batch lives; the columns where none is given
   * @param {string[]} [options.charts] the charts that are shown, else all
   * @param {(arm: number, title: string, settings: string) => void} [options.change] an arm gets other settings
   */
  constructor({ client, dialogHost, charts, change }) {
    this.client = client;
    this.change = change;
    /** @type {Arm[]} */
    this.arms = [];
    this.columns = h("div", { class: "arms" });
    this.batchDialog = new BatchDialog(dialogHost ?? this.columns);
    this.charts = new ArmCharts({ names: charts, pick: (arm, round) => this.openBatch(arm, round) });
    this.redrawStrip = new RedrawStrip((label, count, arm) => client.ask("redraws", label, count, arm));
  }

  /** What the arms have in common, once one of them has begun. */
  get facts() {
    return this.arms.find((arm) => arm.model.facts)?.model.facts ?? null;
  }

  /** Forgets the arms: another run is followed. */
  clear() {
    this.arms = [];
  }

  /** @param {LabUpdate} lab */
  update(lab) {
    if (!this.arms.length) this.setArms(lab.arms);
    for (const [i, arm] of this.arms.entries())
      arm.update(
        lab.news[i],
        lab.results.findLast((result) => result.arm === i),
      );
    this.charts.update(this.arms);
    const { facts } = this;
    if (facts) this.redrawStrip.setClasses(facts.classes);
    this.redrawStrip.enable(facts !== null);
  }

  /** @param {string[]} titles */
  setArms(titles) {
    const { change } = this;
    this.arms = titles.map(
      (title, number) =>
        new Arm({
          number,
          title,
          address: serverUrl(`live/${this.client.run}/arm/${number}`),
          pick: (round) => this.openBatch(number, round),
          change: change && ((settings) => change(number, title, settings)),
        }),
    );
    this.columns.style.setProperty("--arms", String(titles.length));
    this.columns.replaceChildren(...this.arms.map((arm) => arm.element));
    this.redrawStrip.setArms(titles);
    this.charts.setArms(titles);
  }

  /**
   * Shows the images of an arm's round.
   * @param {number} number of the arm
   * @param {number} round
   */
  openBatch(number, round) {
    const { model, address, title, color } = this.arms[number];
    if (model.facts) this.batchDialog.show({ address, round, classes: model.facts.classes, name: title, color });
  }
}
