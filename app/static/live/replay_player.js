// Plays a recording: it applies the updates of a run, each at its second, to the model that the panels draw.

import { h, setAttribute, setText } from "../core/dom.js";
import { formatDuration } from "../core/format.js";
import { helpButton } from "../core/help.js";
import { applyUpdate, emptyModel } from "../core/model.js";
import { KeptNetworks, ServedNetworks } from "../panels/networks.js";

/** @import { RecordedNetworks, RunModel, RunUpdate } from "../core/types.d.ts" */

/** @typedef {[second: number, update: RunUpdate]} Moment of a recording */

/**
 * The parts of a recording.
 * @typedef {object} Recorded
 * @property {() => Promise<{ duration: number, moments: Moment[] }>} timeline
 * @property {(frame: number) => string} urlOf the address of a picture
 * @property {KeptNetworks} networks
 */

/**
 * A recording on the server.
 * @param {string} run its address
 * @returns {Recorded}
 */
export function servedRecording(run) {
  /** @param {string} part */
  const fetched = async (part) => {
    const answer = await fetch(`${run}/replay/${part}`);
    return answer.ok && answer.status !== 204 ? answer.json() : null;
  };
  return {
    timeline: () => fetched("timeline"),
    urlOf: (frame) => `${run}/replay/frame/${frame}.jpg`,
    networks: new KeptNetworks({
      key: `${run}/replay`,
      load: () => /** @type {Promise<RecordedNetworks | null>} */ (fetched("networks")),
      other: new ServedNetworks(run),
    }),
  };
}

const SPEEDS = [0.5, 1, 2, 4, 8];
const FIRST_SPEED = 4;
const TICK = 100; // ms
const STEP = 0.1; // s of the slider

/** A recording with its controls. */
export class ReplayPlayer {
  /**
   * @param {object} options
   * @param {Recorded} options.recorded
   * @param {string} options.about the recording, in a sentence
   * @param {boolean} options.still whether it starts at its end and does not play by itself
   * @param {() => void} options.onChange called when the model has changed
   * @param {(() => void) | null} options.onClose called when the visitor closes it; null offers no button for that
   */
  constructor({ recorded, about, still, onChange, onClose }) {
    this.recorded = recorded;
    this.still = still;
    this.onChange = onChange;
    /** @type {RunModel} */
    this.model = emptyModel();
    /** @type {Moment[]} */
    this.moments = [];
    this.seconds = 0; // of the run: the present position
    this.next = 0; // the number of the next moment
    this.duration = 0; // seconds
    this.beginning = 0; // the second of the first visible content
    this.closed = false;
    this.lastTick = 0;
    /** @type {number | undefined} */
    this.timer = undefined;
    this.toggle = h(
      "button",
      { type: "button", class: "play-recording", onclick: () => this.play(!this.timer) },
      "Pause",
    );
    this.slider = h("input", {
      type: "range",
      min: 0,
      max: 1,
      step: STEP,
      value: 0,
      "aria-label": "Time in the recording",
    });
    this.slider.addEventListener("input", () => this.seek(Number(this.slider.value)));
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
        onClose && h("button", { type: "button", onclick: onClose }, "Close"),
        helpButton("control/replay", "a recording"),
      ),
    );
  }

  /** Fetches the recording and starts it. Returns false if there is none. */
  async load() {
    const timeline = await this.recorded.timeline().catch(() => null);
    if (!timeline) return false;
    this.moments = timeline.moments;
    this.duration = timeline.duration;
    if (this.closed) return false;
    setAttribute(this.slider, "max", Math.ceil(this.duration / STEP) * STEP); // a multiple of the step, so that the slider reaches the end
    this.beginning = this.moments.find(([, update]) => update.making || update.rows)?.[0] ?? 0;
    this.seek(this.still ? this.duration : this.beginning);
    this.play(!this.still);
    return true;
  }

  /** @param {boolean} on whether it plays */
  play(on) {
    clearInterval(this.timer);
    this.timer = undefined;
    if (on && this.seconds >= this.duration) this.seek(this.beginning);
    if (on) {
      this.lastTick = performance.now();
      this.timer = window.setInterval(() => this.tick(), TICK);
    }
    setText(this.toggle, on ? "Pause" : this.seconds >= this.duration ? "Play again" : "Continue");
    this.update();
  }

  /** Plays on to the present time. */
  tick() {
    const now = performance.now();
    const played = document.hidden ? 0 : ((now - this.lastTick) / 1000) * Number(this.speed.value);
    this.lastTick = now;
    this.advance(this.seconds + played);
    if (this.seconds >= this.duration) this.play(false);
  }

  /** @param {number} second of the run */
  seek(second) {
    if (second < this.seconds) {
      this.next = 0;
      this.model = emptyModel();
    }
    this.advance(second);
  }

  /** @param {number} second not before the present one */
  advance(second) {
    this.seconds = Math.min(this.duration, second);
    const from = this.next;
    while (this.next < this.moments.length && this.moments[this.next][0] <= this.seconds) {
      this.model = applyUpdate(this.model, this.moments[this.next][1]);
      this.next += 1;
    }
    this.slider.value = String(this.seconds);
    const text = `${formatDuration(this.seconds)} of ${formatDuration(this.duration)}`;
    setText(this.clock, text);
    setAttribute(this.slider, "aria-valuetext", text);
    if (this.next > from) this.update();
  }

  /** Shows the model in the player's own state. */
  update() {
    this.model = { ...this.model, state: this.timer ? "running" : "paused" };
    this.recorded.networks.rounds = this.model.rounds_done;
    this.onChange();
  }

  /** Ends the playback and removes its controls. */
  close() {
    this.closed = true;
    clearInterval(this.timer);
    this.element.remove();
  }
}
