import assert from "node:assert/strict";
import { test } from "node:test";
import { compared, outcomeOf } from "../../app/static/lessons/prediction.js";

/** @import { ArmResult } from "../../app/static/core/types.d.ts" */

/** @type {(arm: number, seed: number, accuracy: number | null) => ArmResult} */
const result = (arm, seed, accuracy) => ({
  arm,
  seed,
  measured: "accuracy",
  accuracy,
  label_accuracy: null,
  named: null,
  within: null,
  across: null,
  pool: null,
  seconds: 0,
  rounds: 0,
  steps: 0,
  done: true,
  failure: "",
});

test("a difference below the margin is none", () => {
  assert.equal(outcomeOf({ margin: 0.1 }, [0.5, 0.59]), "same");
  assert.equal(outcomeOf({ margin: 0.1 }, [0.5, 0.61]), "more");
  assert.equal(outcomeOf({ margin: 0.1 }, [0.5, 0.39]), "less");
});

test("the first arm is compared with the last, by means where there are several seeds", () => {
  const arms = ["a", "b", "c"];
  const results = [result(0, 0, 0.1), result(1, 0, 0.9), result(2, 0, 0.4)];
  assert.deepEqual(compared({ arms, results, means: [] }, "accuracy"), [0.1, 0.4]);
  /** @type {Record<string, [number, number, number]>[]} */
  const means = [{ accuracy: [0.2, 0.1, 0.3] }, {}, { accuracy: [0.5, 0.4, 0.6] }];
  assert.deepEqual(compared({ arms, results, means }, "accuracy"), [0.2, 0.5]);
  assert.equal(compared({ arms, results: results.slice(0, 2), means: [] }, "accuracy"), null);
});
