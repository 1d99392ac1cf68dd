import assert from "node:assert/strict";
import { test } from "node:test";
import { SAMPLE_ROWS } from "../../app/static/core/constants.js";
import { applyUpdate, emptyModel, hasEnded, studentMeasure } from "../../app/static/core/model.js";
import { facts, row, update } from "./updates.js";

test("an update that begins anew leaves nothing of the old model", () => {
  const old = applyUpdate(emptyModel(), update({ story: "old", rows: [row(3)], run: facts() }));
  const fresh = update({ anew: true, round: 1 });
  assert.deepEqual(applyUpdate(old, fresh), applyUpdate(emptyModel(), fresh));
});

test("a curve grows by its new points, or is replaced where they begin anew", () => {
  let model = applyUpdate(emptyModel(), update({ losses: { anew: false, points: [[1, 5]] } }));
  model = applyUpdate(model, update({ losses: { anew: false, points: [[2, 4]] } }));
  assert.deepEqual(model.losses, [
    [1, 5],
    [2, 4],
  ]);
  model = applyUpdate(model, update({ losses: { anew: true, points: [[2, 4]] } }));
  assert.deepEqual(model.losses, [[2, 4]]);
});

test("a round has one row, and the newest rows stay", () => {
  let model = applyUpdate(emptyModel(), update({ rows: [row(0, 1), row(1, 2)] }));
  model = applyUpdate(model, update({ rows: [row(1, 9)] }));
  assert.deepEqual(
    model.rows.map(({ round, frame }) => [round, frame]),
    [
      [0, 1],
      [1, 9],
    ],
  );
  for (let round = 2; round < SAMPLE_ROWS + 5; round++) model = applyUpdate(model, update({ rows: [row(round)] }));
  assert.equal(model.rows.length, SAMPLE_ROWS);
  assert.equal(model.rows.at(-1)?.round, SAMPLE_ROWS + 4);
});

test("the images that are being made go with the update that has none", () => {
  const making = { frame: 1, round: 0, step: 0, steps: 3, count: 4, label_accuracy: null };
  const model = applyUpdate(emptyModel(), update({ making }));
  assert.deepEqual(model.making, making);
  assert.equal(applyUpdate(model, update()).making, null);
});

test("the first layers are no re-draw", () => {
  const model = applyUpdate(
    emptyModel(),
    update({
      redraws: [
        [0, "noisy layer"],
        [1, "noisy layer"],
      ],
    }),
  );
  assert.deepEqual(model.redraws, [[1, "noisy layer"]]);
});

test("an update changes no earlier model", () => {
  const before = applyUpdate(emptyModel(), update({ rows: [row(0)], run: facts() }));
  const copy = structuredClone(before);
  applyUpdate(before, update({ rows: [row(1)], story: "new", redraws: [[1, "noisy layer"]] }));
  assert.deepEqual(before, copy);
});

test("a run has ended in four states and goes on in the others", () => {
  assert.deepEqual(
    /** @type {const} */ (["queued", "running", "paused", "finished", "stopped", "failed", "interrupted"]).filter(
      hasEnded,
    ),
    ["finished", "stopped", "failed", "interrupted"],
  );
});

test("without test images the student is measured by agreement", () => {
  assert.equal(studentMeasure(emptyModel()), "accuracy");
  const model = applyUpdate(emptyModel(), update({ run: { ...facts(), measured_on: "held-back samples" } }));
  assert.equal(studentMeasure(model), "agreement");
});
