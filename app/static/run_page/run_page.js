// The page of one run as a single file without a server: the recording, its panels and the pad.

import { EmbeddingMap } from "../charts/embedding_map.js";
import { find, h, hiddenText, prefersReducedMotion } from "../core/dom.js";
import { provideExplanations } from "../core/help.js";
import { AccuracyChart } from "../live/accuracy_chart.js";
import { DiversityCharts } from "../live/diversity_charts.js";
import { LossCharts } from "../live/loss_charts.js";
import { Overview } from "../live/overview.js";
import { ReplayPlayer } from "../live/replay_player.js";
import { SampleGrid } from "../live/sample_grid.js";
import { KeptNetworks } from "../panels/networks.js";
import { TryPanel } from "../panels/try_panel.js";

/** @import { Explanation, RealImage, RecordedNetworks, RunFacts } from "../core/types.d.ts" */
/** @import { Moment } from "../live/replay_player.js" */

/**
 * The data in the file.
 * @typedef {object} RunFile
 * @property {{ duration: number, moments: Moment[] }} timeline
 * @property {Record<string, string>} frames JPEG strips by number, in base64
 * @property {RecordedNetworks | null} networks
 * @property {[label: number, pixels: string][]} images real test images, their pixels in base64
 * @property {string} real one for each class, side by side: a JPEG in base64; empty if there are none
 * @property {Record<string, Explanation>} explained
 */

const ABOUT = "This file holds a finished run and needs no network. Move the slider to any round of the run.";
const NO_PAD =
  "This page has no drawing pad: the run left no weights that fit into it, or its student is a network of another program.";

/** Reads the run from the page and shows it. */
export function show() {
  /** @type {RunFile} */
  const file = JSON.parse(find(document, "#run", HTMLScriptElement).textContent ?? "");
  followTheme();
  provideExplanations(file.explained);
  new RunPage(find(document, "#run-page", HTMLElement), file);
}

/** All panels of the file. */
class RunPage {
  /**
   * @param {HTMLElement} host
   * @param {RunFile} file
   */
  constructor(host, { timeline, frames, networks, images, real }) {
    const facts = timeline.moments.map(([, { run }]) => run).find((run) => run !== undefined);
    if (!facts) throw new Error("This file holds no run.");
    this.facts = facts;
    /** @param {number | null} index of a class */
    const focus = (index) => {
      this.samples.highlight(index);
      this.map.highlight(index);
    };
    this.samples = new SampleGrid({ focus, onPreview: () => {} });
    this.accuracy = new AccuracyChart();
    this.losses = new LossCharts();
    this.diversity = new DiversityCharts({ pick: null });
    this.map = new EmbeddingMap({ focus });
    this.trial = networks ? new TryPanel() : null;
    const none = async () => ({ error: "This file cannot answer." });
    this.player = new ReplayPlayer({
      recorded: {
        timeline: async () => timeline,
        urlOf: (frame) => `data:image/jpeg;base64,${frames[frame]}`,
        networks: new KeptNetworks({
          key: "file",
          load: async () => networks,
          other: images.length ? { ask: none, real: async (label, pick) => realImage(images, label, pick) } : null,
        }),
      },
      about: ABOUT,
      still: prefersReducedMotion(),
      onChange: () => this.draw(),
      onClose: null,
    });
    this.overview = new Overview();
    this.overview.setClasses(facts.classes, real && `data:image/jpeg;base64,${real}`);
    this.samples.setClasses(facts.classes);
    host.replaceChildren(
      heading(facts),
      this.player.element,
      hiddenText("The run", "h2"),
      this.overview.element,
      h(
        "div",
        { class: "run-grid" },
        h("div", { class: "main" }, this.samples.element, this.losses.element, this.diversity.element),
        h(
          "div",
          { class: "side" },
          this.trial?.element ?? h("p", { class: "card note" }, NO_PAD),
          this.accuracy.element,
          this.map.element,
        ),
      ),
      h(
        "footer",
        { class: "note" },
        h("p", {}, "The same run again: ", h("code", {}, facts.repeat.command)),
        h("p", {}, "Method: NAYER, Tran et al., CVPR 2024, arXiv:2310.00258."),
      ),
    );
    this.player.load();
  }

  /** Draws the shown moment. */
  draw() {
    const { model, recorded } = this.player;
    const { facts } = this;
    this.samples.update(model, recorded.urlOf);
    this.accuracy.update(model);
    this.losses.update(model);
    this.diversity.update(model);
    this.map.update(model, undefined);
    this.overview.update(model, recorded.urlOf, undefined);
    this.trial?.update({
      networks: recorded.networks,
      classes: facts.classes,
      shape: facts.image_shape,
      teacher: facts.teacher,
      rounds: model.rounds_done,
    });
  }
}

/** @param {RunFacts} facts */
function heading({ teacher, student, classes }) {
  const what = `The teacher “${teacher}” knows ${classes.length} classes. Its student, ${student}, saw no real image. It learned from images that a generator invented, with the teacher's answers to them.`;
  return h("header", {}, h("h1", {}, "A student that saw no real image"), h("p", {}, what));
}

/**
 * A test image of a class, from the file.
 * @param {RunFile["images"]} images
 * @param {number} label
 * @param {number} pick
 * @returns {RealImage | { error: string }}
 */
function realImage(images, label, pick) {
  const fitting = images.filter(([one]) => one === label);
  const [, pixels] = fitting[pick % fitting.length] ?? [];
  if (!pixels) return { error: "This file has no test image of this class." };
  return { label, pixels: Array.from(atob(pixels), (letter) => letter.charCodeAt(0)) };
}

/** Follows the light or dark theme of the system. */
function followTheme() {
  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.body.classList.toggle("dark", dark.matches);
  dark.addEventListener("change", follow);
  follow();
}
