// Where the samples of the visitor's own run fall, round by round: the map of its table, and a slider under it.

import { h, percent, put, say } from "./dom.js";
import { Feed } from "./feed.js";
import { LabelMap } from "./map.js";
import { at } from "./server.js";

const KEPT_ROUNDS = 24;
const STEP = 700; // ms a round, when they are played
const LEGEND = [
  ["round", "embedding, fixed"],
  ["round tiny", "sample, by the teacher's features"],
];
const USUAL = {
  pca: "The teacher's features of each invented image, turned and scaled as a whole so that the class means come to lie on the embeddings. A flat shadow (PCA).",
};

export class Rounds {
  /** `seen()` says whether the explorer is on show. */
  constructor({ seen }) {
    Object.assign(this, { seen });
    this.map = new LabelMap({
      focus: (index) => this.map.highlight(index),
      title: "Where the samples of your run fall",
      about: ["panel/rounds", "measure/at_home"],
      legend: LEGEND,
      usual: USUAL,
    });
    this.slider = h("input", {
      type: "range",
      min: "0",
      max: "0",
      value: "0",
      "aria-label": "Round",
      oninput: () => this.choose(Number(this.slider.value)),
    });
    this.play = h("button", { type: "button", class: "small", onclick: () => this.toggle() }, "▶ Play the rounds");
    this.line = h("p", { class: "round-line" });
    this.controls = h("div", { class: "rounds" }, this.play, this.slider, this.line);
    this.idle = h(
      "p",
      { class: "idle" },
      "No run yet. Press Play in the tab Live: each round's samples appear here, and the newest 24 rounds stay on the slider.",
    );
    this.map.element.querySelector(".legend").after(this.controls);
    this.map.svg.after(this.idle);
    this.element = this.map.element;
    this.element.classList.add("rounds-card");
    this.forget();
  }

  /** Another run, or the same one again. */
  follow(run) {
    if (run === this.run) return;
    this.run = run;
    this.feed?.close();
    this.forget();
    if (!run) return;
    this.feed = new Feed({
      address: at(`live/${run}`),
      news: "rounds",
      heard: (news) => this.hear(news),
      gone: () => this.draw(),
      trouble: () => {},
      seen: this.seen,
    });
  }

  forget() {
    this.facts = null;
    this.rounds = [];
    this.at = null; // the round that is looked at; null follows the newest
    this.stop();
    this.draw();
  }

  hear(news) {
    if (news.run) this.facts = news.run;
    if (news.rounds) {
      const fresh = new Set(news.rounds.map(({ round }) => round));
      this.rounds = [...this.rounds.filter(({ round }) => !fresh.has(round)), ...news.rounds].slice(-KEPT_ROUNDS);
      if (this.at !== null && this.at < this.rounds[0].round) this.at = this.rounds[0].round;
    }
    this.draw();
  }

  choose(place) {
    this.stop();
    this.at = place === this.rounds.length - 1 ? null : (this.rounds[place]?.round ?? null);
    this.draw();
  }

  toggle() {
    if (this.timer) return this.stop();
    if (this.place() === this.rounds.length - 1) this.at = this.rounds[0]?.round ?? null;
    this.timer = setInterval(() => this.next(), STEP);
    say(this.play, "❚❚ Hold");
    this.draw();
  }

  next() {
    const place = this.place() + 1;
    this.at = place >= this.rounds.length - 1 ? null : this.rounds[place].round;
    if (this.at === null) this.stop();
    this.draw();
  }

  stop() {
    clearInterval(this.timer);
    this.timer = null;
    say(this.play, "▶ Play the rounds");
  }

  place() {
    if (this.at === null) return this.rounds.length - 1;
    return Math.max(
      0,
      this.rounds.findIndex(({ round }) => round === this.at),
    );
  }

  draw() {
    const place = this.place();
    const shown = this.rounds[place];
    put(this.idle, "hidden", this.facts !== null);
    put(this.controls, "hidden", !shown);
    put(this.element, "data-idle", this.facts === null);
    this.map.update({ facts: this.facts, outputs: [], samples: shown?.dots ?? [] });
    if (!shown) return;
    put(this.slider, "max", this.rounds.length - 1);
    this.slider.value = place;
    put(this.slider, "aria-valuetext", `round ${shown.round + 1}`);
    put(this.play, "disabled", this.rounds.length < 2);
    say(
      this.line,
      `Round ${shown.round + 1}${this.at === null ? ", the newest" : ""}: in all ${this.facts.width} dimensions ${percent(shown.at_home)} of its ${shown.dots.length} samples lie nearest to their own class's embedding.`,
    );
  }
}
