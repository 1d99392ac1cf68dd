// Teachers besides the shipped ones: uploaded or named on this page, and offered by every tab from then on.

/** @import { TeacherCard } from "./types.d.ts" */

/** @type {Map<string, TeacherCard>} */
const cards = new Map(); // by name
/** @type {((card: TeacherCard) => void)[]} */
const listeners = [];

/** @param {TeacherCard} card */
export function addTeacher(card) {
  cards.set(card.name, card);
  for (const listener of listeners) listener(card);
}

/**
 * Calls `onTeacher` with each added teacher, now and later.
 * @param {(card: TeacherCard) => void} onTeacher
 */
export function watchTeachers(onTeacher) {
  listeners.push(onTeacher);
  for (const card of cards.values()) onTeacher(card);
}
