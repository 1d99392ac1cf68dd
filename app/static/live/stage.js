// The panels of the tab Live: they show a run, or a recording while one plays.

import { EmbeddingMap } from "../charts/embedding_map.js";
import { serverUrl } from "../core/api.js";
import { h, setAttribute, setText } from "../core/dom.js";
import { Fold } from "../core/fold.js";
import { emptyModel, hasEnded } from "../core/model.js";
import { BatchDialog } from "../panels/batch_dialog.js";
import { FailuresPanel } from "../panels/failures_panel.js";
import { ServedNetworks } from "../panels/networks.js";
import { RedrawStrip } from "../panels/redraw_strip.js";
import { TryPanel } from "../panels/try_panel.js";
import { AccuracyChart } from "./accuracy_chart.js";
import { AlgorithmDiagram } from "./algorithm_diagram.js";
import { DiversityCharts } from "./diversity_charts.js";
import { LossCharts } from "./loss_charts.js";
import { Overview } from "./overview.js";
import { sentenceOf } from "./run_sentence.js";
import { SampleGrid } from "./sample_grid.js";
import { SharePanel } from "./share_panel.js";

/** @import { RedrawPreview, RunModel, TeacherCard, UmapAnswer } from "../core/types.d.ts" */
/** @import { ReplayPlayer } from "./replay_player.js" */

/**
 * What there is to show.
 * @typedef {object} Shown
 * @property {{ id: string, address: string } | null} run the followed run
 * @property {RunModel} model of the run
 * @property {ReplayPlayer | null} replay the recording that plays
 * @property {string} replayed the address of the run that the recording is of
 * @property {boolean} greets whether the recording plays because nobody has started a run yet
 * @property {boolean} watching whether the run belongs to another visitor
 * @property {TeacherCard | undefined} teacher the chosen teacher
 * @property {TeacherCard[]} teachers
 */

/** @type {number[][]} */
const NO_SKETCH = [[0]];

/** The panels in their places. */
export class Stage {
  /**
   * @param {HTMLElement} host the parent of the panels
   * @param {object} options
   * @param {Record<string, [title: string, meaning: string]>} options.parts of the diagram
   * @param {[title: string, text: string]} options.empty the text in place of images, before a run
   * @param {string} options.grace how long a run goes on that nobody looks at
   * @param {() => void} options.play
   * @param {() => void} options.playAgain
   * @param {(label: number, count: number) => Promise<RedrawPreview>} options.redraw fetches images of a class
   */
  constructor(host, { parts, empty, grace, play, playAgain, redraw }) {
    /** @type {Shown | null} */
    this.shown = null;
    /** @type {unknown[]} */
    this.diagramShows = []; // the classes and the sketch in the diagram
    /** @param {number | null} index of a class */
    const focus = (index) => {
      this.samples.highlight(index);
      this.map.highlight(index);
    };
    /**
     * @param {string} url
     * @param {number} count
     */
    const onPreview = (url, count) => {
      this.diagram.showPreview(url, count);
      this.overview.showPreview(url, count);
    };
    this.overview = new Overview();
    this.diagram = new AlgorithmDiagram(parts);
    this.samples = new SampleGrid({ focus, onPreview });
    this.accuracy = new AccuracyChart();
    this.losses = new LossCharts();
    this.diversity = new DiversityCharts({ pick: (round) => this.openBatch(round) });
    this.map = new EmbeddingMap({ focus, umap: () => this.fetchUmap() });
    this.redrawStrip = new RedrawStrip(redraw);
    this.trial = new TryPanel();
    this.failures = new FailuresPanel();
    this.share = new SharePanel();
    const [title, text] = empty;
    this.empty = h(
      "div",
      { class: "empty" },
      h("h3", {}, title),
      h("p", {}, text),
      h("button", { type: "button", class: "primary", onclick: play }, "▶ Play"),
    );
    this.samples.scrollBox.append(this.empty);
    this.player = h("div", { class: "player-slot" });
    this.again = h("button", { type: "button", hidden: true, onclick: playAgain }, "Replay this run");
    this.sheet = h("a", { download: "nayer-run.png", hidden: true }, "Save this run as one image");
    this.kept = h("span", { class: "keeping" });
    this.elements = this.arrange(grace);
    this.batchDialog = new BatchDialog(host);
  }

  /**
   * The panels from top to bottom.
   * @param {string} grace
   */
  arrange(grace) {
    return [
      this.player,
      this.overview.element,
      this.diagram.element,
      h(
        "div",
        { class: "stage-grid" },
        h("div", { class: "main" }, this.accuracy.element, this.samples.element),
        h("div", { class: "side" }, this.trial.element, this.map.element),
      ),
      new Fold(
        "details",
        "details",
        h("summary", {}, "Details: where the student fails, effect of re-draws, diversity, losses"),
        h("div", { class: "detail-grid" }, this.redrawStrip.element, this.diversity.element, this.losses.element),
        this.failures.element,
      ).element,
      this.share.element,
      h(
        "p",
        { class: "note foot" },
        h("span", { class: "grace" }, grace),
        " ",
        this.kept,
        " ",
        this.again,
        " ",
        this.sheet,
      ),
    ];
  }

  /** @param {Shown} shown */
  update(shown) {
    this.shown = shown;
    const { run, replay, teacher } = shown;
    const model = replay?.model ?? shown.model;
    const { facts } = model;
    const classes = facts?.classes ?? teacher?.classes ?? [];
    const card = facts ? shown.teachers.find(({ name }) => name === facts.teacher) : teacher;
    /** @type {(frame: number) => string} */
    const urlOf = replay?.recorded.urlOf ?? ((frame) => `${run?.address}/frame/${frame}.jpg`);
    this.overview.setClasses(classes, card?.real ? serverUrl(`teacher/${encodeURIComponent(card.name)}/real.jpg`) : "");
    this.overview.update(model, urlOf, card);
    this.setClasses(classes, facts?.sketch ?? teacher?.sketch ?? NO_SKETCH);
    this.diagram.update(model, sentenceOf(model));
    const newest = model.rows.at(-1);
    if (newest && !model.making && (replay || run)) this.diagram.showPreview(urlOf(newest.frame), newest.labels.length);
    setAttribute(this.empty, "hidden", model.state !== "empty");
    if (replay || run) {
      this.samples.update(model, urlOf);
      setAttribute(this.sheet, "href", `${this.address}/sheet.png`);
    }
    setAttribute(this.sheet, "hidden", !facts);
    setAttribute(this.again, "hidden", replay !== null || !hasEnded(shown.model.state) || !shown.model.facts);
    this.share.update(replay ? emptyModel() : shown.model, run?.id);
    setText(this.kept, shown.model.kept);
    this.accuracy.update(model);
    this.losses.update(model);
    this.diversity.update(model);
    this.redrawStrip.setClasses(classes);
    this.redrawStrip.enable(shown.model.facts !== null && !replay && !shown.watching);
    this.map.update(model, teacher);
    this.updateTrial(shown);
    this.failures.update({
      address: this.address,
      classes,
      measuredOn: facts?.measured_on,
      until: model.measures.at(-1)?.[0] ?? -1,
      ended: hasEnded(replay ? "finished" : model.state),
    });
  }

  /** The address of the shown run. */
  get address() {
    if (this.shown?.replay) return this.shown.replayed;
    return this.shown?.run?.address ?? "";
  }

  /**
   * The networks that answer for a drawing: those of the shown recording or run, else the chosen teacher.
   * @param {Shown} shown
   */
  updateTrial({ run, model, replay, greets, teacher }) {
    const name = teacher?.name ?? "";
    // During the first recording, the visitor may choose another teacher.
    const recorded = replay?.model.facts?.teacher === name || !greets ? replay : null;
    const own = run && model.state !== "empty" && model.state !== "starting" ? run : null;
    const facts = recorded ? recorded.model.facts : own ? model.facts : null;
    const shape = facts?.image_shape ?? teacher?.image_shape;
    if (!shape) return;
    const alone = new ServedNetworks(own ? own.address : serverUrl(`teacher/${encodeURIComponent(name)}`));
    this.trial.update({
      networks: facts && recorded ? recorded.recorded.networks : alone,
      classes: facts?.classes ?? teacher?.classes ?? [],
      shape,
      teacher: facts?.teacher ?? name,
      rounds: recorded?.model.rounds_done ?? (own ? model.rounds_done : 0),
    });
  }

  /**
   * @param {string[]} classes
   * @param {number[][]} sketch
   */
  setClasses(classes, sketch) {
    this.samples.setClasses(classes);
    if (this.diagramShows[0] === classes && this.diagramShows[1] === sketch) return;
    this.diagramShows = [classes, sketch];
    this.diagram.setClasses(classes, sketch);
  }

  /** @param {number} round whose images are shown */
  openBatch(round) {
    const { replay, model } = this.shown ?? {};
    const { facts } = replay?.model ?? model ?? emptyModel();
    this.batchDialog.show({ address: this.address, round, classes: facts?.classes ?? [] });
  }

  /** @returns {Promise<UmapAnswer | null>} */
  async fetchUmap() {
    try {
      const answer = await fetch(`${this.address}/umap`);
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }
}
