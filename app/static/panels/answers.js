// The answers of teacher and student for the test images: the server's updates, put together and counted.

import { ANSWER_ROUNDS, FIRST_CLASS } from "../core/constants.js";

/** @import { Answers, AnswersUpdate, PickedAnswers } from "../core/types.d.ts" */

/** @type {Answers} */
export const NO_ANSWERS = { labels: "", teacher: "", images: 0, rounds: [] };

/**
 * The class of an image in a text of answers.
 * @param {string} text
 * @param {number} place of the image
 */
export function classAt(text, place) {
  return text.charCodeAt(place) - FIRST_CLASS;
}

/**
 * The answers after an update. If there are many rounds, fewer of the older ones stay, as on the server.
 * @param {Answers} before
 * @param {AnswersUpdate} update
 * @returns {Answers}
 */
export function mergeAnswers(before, { labels, teacher, images, rounds = [], anew }) {
  const { rounds: earlier, ...known } = anew ? NO_ANSWERS : before;
  const all = new Map([...earlier, ...rounds]);
  let kept = [...all].sort(([a], [b]) => a - b);
  while (kept.length > ANSWER_ROUNDS) {
    const half = kept.length >> 1;
    kept = kept.filter((_, i) => i >= half || i % 2 === 0);
  }
  const { labels: l, teacher: t, images: n } = known;
  return { labels: labels ?? l, teacher: teacher ?? t, images: images ?? n, rounds: kept };
}

/**
 * The number of images of class r with the answer c, at index r · count + c.
 * @param {string} labels
 * @param {string} answers
 * @param {number} count of classes
 */
export function confusion(labels, answers, count) {
  const counts = new Uint32Array(count * count);
  for (let place = 0; place < labels.length; place++)
    counts[classAt(labels, place) * count + classAt(answers, place)] += 1;
  return counts;
}

/**
 * The images of a choice: those of a square, those of a class that the student gets wrong, or without a choice those
 * on which student and teacher differ.
 * @param {Answers} answers
 * @param {string} student its answers
 * @param {PickedAnswers | null} choice
 */
export function placesOf({ labels, teacher }, student, choice) {
  const answers = choice?.who === "teacher" ? teacher : student;
  /** @type {(place: number) => boolean} */
  const belongs = (place) => {
    if (!choice) return student[place] !== teacher[place];
    const label = classAt(labels, place);
    if (label !== choice.row) return false;
    return choice.column < 0 ? classAt(student, place) !== label : classAt(answers, place) === choice.column;
  };
  return Array.from(labels, (_, place) => place).filter(belongs);
}
