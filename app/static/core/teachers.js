// Teachers that are not shipped: a visitor uploads or names them on this page, and then every tab offers them.

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
