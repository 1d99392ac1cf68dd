// The samples of the visitor's own run on the map of its table, round by round, with a slider.

import { EmbeddingMap } from "../charts/embedding_map.js";
import { SAMPLE_ROWS } from "../core/constants.js";
import { h, setAttribute, setText } from "../core/dom.js";
import { formatPercent } from "../core/format.js";
import { RunClient } from "../core/run_client.js";

/** @import { PlacedRound, RoundsUpdate } from "../core/types.d.ts" */

const STEP = 700; // ms for each round, during the playback
const PLAY = "▶ Play the rounds";

/** A map with a slider of rounds. */
export class SampleRounds {
  /** @param {HTMLElement} host of the explorer */
  constructor(host) {
    /** @type {RoundsUpdate["run"] | null} */
    this.facts = null;
    /** @type {PlacedRound[]} */
    this.rounds = [];
    /** @type {number | null} */
    this.chosen = null; // the chosen round; null follows the newest
    /** @type {number | undefined} */
    this.timer = undefined;
    /** @type {RunClient<RoundsUpdate>} */
    this.client = new RunClient({
      path: "rounds",
      host,
      onUpdate: (update) => this.handleUpdate(update),
      onGone: () => this.draw(),
    });
    this.map = new EmbeddingMap({
      title: "The images of your run on the map",
      about: ["panel/rounds", "measure/at_home"],
      legend: [
        ["round", "embedding, fixed"],
        ["round tiny", "image, by the teacher's features"],
      ],
      notes: {
        pca: "The teacher's features of each image. One rotation and scaling for all brings the class means near the embeddings. A 2-D projection (PCA).",
      },
    });
    this.slider = h("input", { type: "range", min: "0", max: "0", value: "0", "aria-label": "Round" });
    this.slider.addEventListener("input", () => this.choose(Number(this.slider.value)));
    this.play = h("button", { type: "button", class: "small", onclick: () => this.toggle() }, PLAY);
    this.line = h("p", { class: "round-line" });
    this.controls = h("div", { class: "rounds" }, this.play, this.slider, this.line);
    this.idle = h(
      "p",
      { class: "idle" },
      `No run yet. Press Play in the tab Live. The images of each round then appear here. The slider keeps the newest ${SAMPLE_ROWS} rounds.`,
    );
    this.map.legend.after(this.controls);
    this.map.svg.after(this.idle);
    this.element = this.map.element;
    this.element.classList.add("rounds-card");
    this.draw();
  }

  /**
   * Follows another run, or the same one again.
   * @param {string | undefined} run
   */
  follow(run) {
    if (run === this.client.run) return;
    this.facts = null;
    this.rounds = [];
    this.chosen = null;
    this.stop();
    this.draw();
    if (run) this.client.follow({ run });
    else this.client.forget();
  }

  /** @param {RoundsUpdate} update */
  handleUpdate({ run, rounds }) {
    if (run) this.facts = run;
    if (rounds) {
      const fresh = new Set(rounds.map(({ round }) => round));
      this.rounds = [...this.rounds.filter(({ round }) => !fresh.has(round)), ...rounds].slice(-SAMPLE_ROWS);
      if (this.chosen !== null) this.chosen = Math.max(this.chosen, this.rounds[0].round);
    }
    this.draw();
  }

  /** @param {number} place on the slider */
  choose(place) {
    this.stop();
    this.chosen = place === this.rounds.length - 1 ? null : (this.rounds[place]?.round ?? null);
    this.draw();
  }

  /** Plays the rounds, or pauses. */
  toggle() {
    if (this.timer) {
      this.stop();
      return;
    }
    if (this.place === this.rounds.length - 1) this.chosen = this.rounds[0]?.round ?? null;
    this.timer = window.setInterval(() => this.showNext(), STEP);
    setText(this.play, "❚❚ Pause");
    this.draw();
  }

  /** Shows the next round; stops at the newest. */
  showNext() {
    const place = this.place + 1;
    this.chosen = place >= this.rounds.length - 1 ? null : this.rounds[place].round;
    if (this.chosen === null) this.stop();
    this.draw();
  }

  /** Pauses the playback. */
  stop() {
    clearInterval(this.timer);
    this.timer = undefined;
    setText(this.play, PLAY);
  }

  /** The position of the shown round on the slider. */
  get place() {
    if (this.chosen === null) return this.rounds.length - 1;
    return Math.max(
      0,
      this.rounds.findIndex(({ round }) => round === this.chosen),
    );
  }

  /** Draws the shown round. */
  draw() {
    const { facts, place, rounds } = this;
    const shown = rounds[place];
    setAttribute(this.idle, "hidden", facts !== null);
    setAttribute(this.controls, "hidden", !shown);
    setAttribute(this.element, "data-idle", facts === null ? "true" : null);
    this.map.update({ facts: facts ?? null, outputs: [], samples: shown?.dots ?? [] });
    if (!shown || !facts) return;
    setAttribute(this.slider, "max", rounds.length - 1);
    this.slider.value = String(place);
    setAttribute(this.slider, "aria-valuetext", `round ${shown.round + 1}`);
    setAttribute(this.play, "disabled", rounds.length < 2);
    const round = `Round ${shown.round + 1}${this.chosen === null ? ", the newest" : ""}`;
    const home = `${formatPercent(shown.at_home)} of its ${shown.dots.length} images`;
    setText(
      this.line,
      `${round}: in all ${facts.width} dimensions, ${home} lie nearest to the embedding of their own class.`,
    );
  }
}
