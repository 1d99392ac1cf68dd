// The estimated duration of a run with the values of the form.

import { askDuration } from "../core/api.js";
import { readVisitor } from "../core/storage.js";

const FIRST = 1500; // ms until the first request, so that the images load first
const WAIT = 600; // ms after a change of the form

/** The estimates in seconds, null if unknown: of a run with the values of the form, and of the run that was started. */
export class RunEstimate {
  /**
   * @param {string} preset to begin with
   * @param {string} teacher to begin with
   * @param {() => void} onChange
   */
  constructor(preset, teacher, onChange) {
    this.form = { preset, settings: /** @type {Record<string, unknown>} */ ({ teacher }) };
    this.onChange = onChange;
    /** @type {number | null} */
    this.ofForm = null;
    /** @type {number | null} */
    this.ofRun = null;
    /** @type {number | undefined} */
    this.timer = undefined;
  }

  /** Requests the first estimate. */
  begin() {
    this.askLater(FIRST);
  }

  /**
   * The form has other values.
   * @param {string[]} fields names
   * @param {unknown[]} values of the fields
   */
  changeForm(fields, values) {
    const { preset, ...settings } = Object.fromEntries(fields.map((name, i) => [name, values[i]]));
    this.form = { preset: String(preset), settings };
    this.askLater(WAIT);
  }

  /** The form's run starts. */
  startRun() {
    this.ofRun = this.ofForm;
  }

  /**
   * Requests an estimate after a wait; all changes until then need one request.
   * @param {number} wait ms
   */
  askLater(wait) {
    clearTimeout(this.timer);
    this.timer = window.setTimeout(async () => {
      this.ofForm = await askDuration({ ...this.form, token: readVisitor().token ?? "" });
      this.onChange();
    }, wait);
  }
}
