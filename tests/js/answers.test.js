import assert from "node:assert/strict";
import { test } from "node:test";
import { ANSWER_ROUNDS, FIRST_CLASS } from "../../app/static/core/constants.js";
import { classAt, confusion, mergeAnswers, NO_ANSWERS, placesOf } from "../../app/static/panels/answers.js";

/** @param {number[]} classes */
const text = (classes) => String.fromCharCode(...classes.map((one) => one + FIRST_CLASS));

const LABELS = [0, 0, 1, 1, 2];
const TEACHER = [0, 0, 1, 1, 0];
const STUDENT = [0, 1, 1, 2, 0];
const ANSWERS = { labels: text(LABELS), teacher: text(TEACHER), images: 5, rounds: [] };

/**
 * An update in which nothing but `changes` is new.
 * @param {object} changes
 */
const update = (changes) => ({ seq: 1, state: /** @type {const} */ ("running"), anew: false, ...changes });

test("a character stands for a class, also beyond ASCII", () => {
  const classes = [0, 9, 44, 79, 99, 199, 5000];
  assert.deepEqual(
    classes.map((_, place) => classAt(text(classes), place)),
    classes,
  );
});

test("a row of the confusions counts a class, the diagonal what is right", () => {
  const counts = confusion(ANSWERS.labels, text(STUDENT), 3);
  assert.deepEqual([...counts], [1, 1, 0, 0, 1, 1, 1, 0, 0]);
});

test("every image is in one square, and a class's row without its diagonal is what goes wrong", () => {
  const student = text(STUDENT);
  const counts = confusion(ANSWERS.labels, student, 3);
  const squares = [0, 1, 2].flatMap((row) =>
    [0, 1, 2].map((column) => ({ row, column, who: /** @type {const} */ ("student") })),
  );
  const places = squares.map((square) => placesOf(ANSWERS, student, square));
  assert.deepEqual(
    places.map(({ length }) => length),
    [...counts],
  );
  assert.deepEqual(places.flat().sort(), [0, 1, 2, 3, 4]);
  assert.deepEqual(placesOf(ANSWERS, student, { row: 1, column: -1, who: "student" }), [3]);
  assert.deepEqual(placesOf(ANSWERS, student, { row: 2, column: 0, who: "teacher" }), [4]);
  assert.deepEqual(placesOf(ANSWERS, student, null), [1, 3]);
});

test("updates grow, repeat without change, and begin anew", () => {
  const first = mergeAnswers(NO_ANSWERS, update({ ...ANSWERS, rounds: [[0, text(TEACHER)]] }));
  const grown = mergeAnswers(first, update({ rounds: [[1, text(STUDENT)]] }));
  assert.deepEqual(
    grown.rounds.map(([learned]) => learned),
    [0, 1],
  );
  assert.equal(grown.labels, ANSWERS.labels);
  assert.deepEqual(mergeAnswers(grown, update({ rounds: [[1, text(STUDENT)]] })), grown);
  assert.deepEqual(mergeAnswers(grown, update({ anew: true })), NO_ANSWERS);
});

test("of many rounds the newest stay, and the older ones become sparser", () => {
  let answers = { ...ANSWERS, rounds: /** @type {[number, string][]} */ ([]) };
  for (let round = 0; round < 500; round++)
    answers = mergeAnswers(answers, update({ rounds: [[round, text(STUDENT)]] }));
  const learned = answers.rounds.map(([round]) => round);
  assert.ok(learned.length <= ANSWER_ROUNDS && learned.length > ANSWER_ROUNDS / 2);
  assert.equal(learned.at(-1), 499);
  assert.equal(learned[0], 0);
});
