// Plays a finished lab back: a slider for the share of the work, and a button that moves it.

import { h, setAttribute, setText } from "../core/dom.js";

const STEPS = 40;
const STEP_MS = 300; // twelve seconds in all

/** A slider; its end shows everything. */
export class Playback {
  /** @param {(share: number) => void} onMove 0 to 1; Infinity at the end */
  constructor(onMove) {
    this.onMove = onMove;
    /** @type {ReturnType<typeof setInterval> | undefined} */
    this.timer = undefined;
    this.slider = h("input", {
      type: "range",
      min: 0,
      max: STEPS,
      value: STEPS,
      "aria-label": "Share of the work that is shown",
    });
    this.slider.addEventListener("input", () => this.move(Number(this.slider.value)));
    this.button = h(
      "button",
      { type: "button", onclick: () => (this.timer ? this.halt() : this.play()) },
      "▶ Play back",
    );
    this.position = h("span", { class: "note" });
    this.element = h(
      "div",
      { class: "card playback", role: "group", "aria-label": "Playback", hidden: true },
      this.button,
      this.slider,
      this.position,
    );
    this.describe();
  }

  /** The share that is shown. */
  get share() {
    const step = Number(this.slider.value);
    return step === STEPS ? Number.POSITIVE_INFINITY : step / STEPS;
  }

  /** Plays from the slider's position; from the start if it is at the end. */
  play() {
    if (Number(this.slider.value) === STEPS) this.slider.value = "0";
    this.timer = setInterval(() => {
      const next = Number(this.slider.value) + 1;
      this.move(next);
      if (next >= STEPS) this.halt();
    }, STEP_MS);
    setText(this.button, "Pause");
  }

  /** Pauses the playback. */
  halt() {
    clearInterval(this.timer);
    this.timer = undefined;
    setText(this.button, "▶ Play back");
  }

  /** Shows everything, for another run. */
  reset() {
    this.halt();
    this.slider.value = String(STEPS);
    this.describe();
  }

  /** @param {number} step */
  move(step) {
    this.slider.value = String(step);
    this.describe();
    this.onMove(this.share);
  }

  /** Reports the share that is shown. */
  describe() {
    const text = Number.isFinite(this.share) ? `${Math.round(100 * this.share)} % of the work` : "all of the work";
    setText(this.position, text);
    setAttribute(this.slider, "aria-valuetext", text);
  }
}
