// For the Python tests: reads lines of JSON, each { updates, count }, and writes the confusions of teacher and rounds.

import { createInterface } from "node:readline";
import { confusion, mergeAnswers, NO_ANSWERS } from "../../app/static/panels/answers.js";

/** @import { AnswersUpdate } from "../../app/static/core/types.d.ts" */

for await (const line of createInterface({ input: process.stdin })) {
  /** @type {{ updates: AnswersUpdate[], count: number }} */
  const { updates, count } = JSON.parse(line);
  const { labels, teacher, rounds } = updates.reduce(mergeAnswers, NO_ANSWERS);
  /** @param {string} text */
  const counts = (text) => [...confusion(labels, text, count)];
  const told = { teacher: counts(teacher), rounds: rounds.map(([learned, text]) => [learned, counts(text)]) };
  process.stdout.write(`${JSON.stringify(told)}\n`);
}
