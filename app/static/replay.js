// Plays a recording: the news of a run, each at its second, told to the same model and drawn by the same panels.

import { duration, h, put, say } from "./dom.js";
import { about as explained } from "./explained.js";
import { emptyModel, told } from "./model.js";

const SPEEDS = [0.5, 1, 2, 4, 8];
const FIRST_SPEED = 4;
const TICK = 100; // ms

export class Replay {
  /** `address` of the run, `about` it in a sentence; `changed()` when there is something new to draw, `close()` when it is left. */
  constructor({ address, about, calm, changed, close }) {
    this.run = address;
    this.address = `${address}/replay`;
    this.changed = changed;
    this.model = emptyModel();
    this.moments = [];
    this.at = 0; // seconds of the run
    this.next = 0; // the moment that comes next
    this.calm = calm;
    this.toggle = h(
      "button",
      { type: "button", class: "play-recording", onclick: () => this.play(!this.timer) },
      "Pause",
    );
    this.slider = h("input", {
      type: "range",
      min: 0,
      max: 1,
      step: 0.1,
      value: 0,
      "aria-label": "Time in the recording",
      oninput: () => this.seek(Number(this.slider.value)),
    });
    this.speed = h(
      "select",
      { "aria-label": "Speed of the recording" },
      ...SPEEDS.map((speed) => h("option", { value: speed, selected: speed === FIRST_SPEED }, `${speed}×`)),
    );
    this.clock = h("span", { class: "figure" });
    this.element = h(
      "section",
      { class: "card replay", "aria-label": "Recording" },
      h("p", {}, h("b", { class: "tag" }, "Recording"), " ", about),
      h(
        "div",
        { class: "player" },
        this.toggle,
        this.slider,
        this.clock,
        this.speed,
        close && h("button", { type: "button", onclick: close }, "Close"),
        explained("control/replay", "a recording"),
      ),
    );
  }

  /** Fetches the recording; false where there is none. */
  async load() {
    try {
      const answer = await fetch(`${this.address}/timeline`);
      if (!answer.ok) return false;
      const { duration, moments } = await answer.json();
      this.moments = moments;
      this.duration = duration;
    } catch {
      return false;
    }
    if (this.closed) return false;
    put(this.slider, "max", this.duration);
    this.beginning = this.moments.find(([, news]) => news.making || news.rows)?.[0] ?? 0;
    this.seek(this.calm ? this.duration : this.beginning);
    this.play(!this.calm);
    return true;
  }

  play(on) {
    clearInterval(this.timer);
    this.timer = null;
    if (on && this.at >= this.duration) this.seek(this.beginning);
    if (on) {
      this.last = performance.now();
      this.timer = setInterval(() => this.tick(), TICK);
    }
    say(this.toggle, on ? "Pause" : this.at >= this.duration ? "Play again" : "Go on");
    this.tell();
  }

  tick() {
    const now = performance.now();
    const to = this.at + (document.hidden ? 0 : ((now - this.last) / 1000) * Number(this.speed.value));
    this.last = now;
    this.go(to);
    if (this.at >= this.duration) this.play(false);
  }

  seek(to) {
    if (to < this.at) {
      this.next = 0;
      this.model = emptyModel();
    }
    this.go(to);
  }

  go(to) {
    this.at = Math.min(this.duration, to);
    let news = false;
    while (this.next < this.moments.length && this.moments[this.next][0] <= this.at) {
      this.model = told(this.model, this.moments[this.next][1]);
      this.next += 1;
      news = true;
    }
    this.slider.value = this.at;
    const text = `${duration(this.at)} of ${duration(this.duration)}`;
    say(this.clock, text);
    put(this.slider, "aria-valuetext", text);
    if (news) this.tell();
  }

  tell() {
    const state = this.timer ? "running" : "paused";
    this.model = { ...this.model, state };
    this.changed();
  }

  close() {
    this.closed = true;
    clearInterval(this.timer);
    this.element.remove();
  }
}
