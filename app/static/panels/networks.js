// The networks that classify an image: on the server, or those of a recording, in the browser.

import { logitsOf, softmax } from "./forward_pass.js";

/** @import { RealImage, RecordedNetworks, RoundedWeights, TrialAnswer } from "../core/types.d.ts" */

/** @typedef {{ error: string }} Mistake a sentence */

/**
 * Networks that classify images.
 * @typedef {object} Asked
 * @property {string} key identifies the networks
 * @property {(pixels: number[]) => Promise<TrialAnswer | Mistake>} ask
 * @property {(label: number, pick: number) => Promise<RealImage | Mistake>} real a real test image of a class
 */

/** The networks of a run or a teacher, on the server. */
export class ServedNetworks {
  /** @param {string} address of the run or the teacher */
  constructor(address) {
    this.key = address;
  }

  /**
   * The networks' answers.
   * @param {number[]} pixels
   * @returns {Promise<TrialAnswer | Mistake>}
   */
  ask(pixels) {
    const options = { method: "POST", headers: { "Content-Type": "application/json" } };
    return answerOf(fetch(`${this.key}/try`, { ...options, body: JSON.stringify({ pixels }) }));
  }

  /**
   * A real test image.
   * @param {number} label
   * @param {number} pick
   * @returns {Promise<RealImage | Mistake>}
   */
  real(label, pick) {
    return answerOf(fetch(`${this.key}/real?label=${label}&pick=${pick}`, { cache: "no-store" }));
  }
}

/** The networks of a recording: teacher, untrained student, and the student of the round that is shown. */
export class KeptNetworks {
  /**
   * @param {object} options
   * @param {string} options.key
   * @param {() => Promise<RecordedNetworks | null>} options.load called at the first request; null if there are none
   * @param {Pick<ServedNetworks, "ask" | "real"> | null} options.other answers if the recording cannot
   */
  constructor({ key, load, other }) {
    this.key = key;
    this.load = load;
    this.other = other;
    this.rounds = 0; // of the recording that have been played
    /** @type {Promise<Loaded | null> | null} */
    this.loaded = null;
  }

  /**
   * The networks' answers.
   * @param {number[]} pixels
   * @returns {Promise<TrialAnswer | Mistake>}
   */
  async ask(pixels) {
    this.loaded ??= this.load().then((recorded) => recorded && new Loaded(recorded));
    const loaded = await this.loaded.catch(() => null);
    if (!loaded) {
      this.loaded = null;
      return this.other?.ask(pixels) ?? { error: "This recording has no weights, so its networks cannot answer." };
    }
    const answer = loaded.answer(pixels, this.rounds);
    if (answer.teacher || !this.other) return answer;
    const other = await this.other.ask(pixels);
    return "error" in other ? answer : { ...answer, teacher: other.teacher };
  }

  /**
   * A real test image.
   * @param {number} label
   * @param {number} pick
   * @returns {Promise<RealImage | Mistake>}
   */
  async real(label, pick) {
    return this.other?.real(label, pick) ?? { error: "This page has no test images; draw one." };
  }
}

/** The networks of a recording with their numbers. */
class Loaded {
  /** @param {RecordedNetworks} recorded */
  constructor({ classes, student, students, teacher }) {
    this.classes = classes;
    this.student = student;
    this.teacher = teacher ?? null;
    this.students = students.map(([learned, ...written]) => ({ learned, weights: weightsOf(written) }));
    this.teacherWeights = teacher ? weightsOf(teacher.numbers) : null;
    /** @type {number[] | null} */
    this.pixels = null; // the image of the stored answers of teacher and untrained student
    /** @type {number[] | null} */
    this.teacherSays = null;
    /** @type {number[] | null} */
    this.untrainedSays = null;
  }

  /**
   * @param {number[]} pixels
   * @param {number} rounds
   * @returns {TrialAnswer}
   */
  answer(pixels, rounds) {
    const { classes, student, students, teacher, teacherWeights } = this;
    /** @param {RoundedWeights | undefined} weights */
    const of = (weights) => (weights ? softmax(logitsOf(student, weights, pixels)) : null);
    const now = students.findLast(({ learned }) => learned <= rounds);
    if (this.pixels !== pixels) {
      this.pixels = pixels;
      this.teacherSays = teacher && teacherWeights ? softmax(logitsOf(teacher, teacherWeights, pixels)) : null;
      this.untrainedSays = of(students.find(({ learned }) => learned === 0)?.weights);
    }
    return {
      teacher: this.teacherSays,
      untrained: this.untrainedSays,
      student: of(now?.weights),
      classes,
      round: now?.learned ?? 0,
      sentence: "",
    };
  }
}

/**
 * Weights from base64.
 * @param {[codes: string, numbers: string]} written
 * @returns {RoundedWeights}
 */
function weightsOf([codes, numbers]) {
  /** @param {string} text */
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return { codes: new Int8Array(bytes(codes).buffer), numbers: new Float32Array(bytes(numbers).buffer) };
}

/**
 * The JSON of an answer, or { error } if there is none.
 * @param {Promise<Response>} request
 */
async function answerOf(request) {
  try {
    return await (await request).json();
  } catch {
    return { error: "The server did not answer. Try again." };
  }
}
