import assert from "node:assert/strict";
import { test } from "node:test";
import { classColor } from "../../app/static/core/colors.js";
import { ARM_COLORS, CLASS_COLORS, MAX_ARMS } from "../../app/static/core/constants.js";
import {
  formatAhead,
  formatCosine,
  formatCount,
  formatDuration,
  formatInteger,
  formatNumber,
  formatPercent,
} from "../../app/static/core/format.js";
import { describeHealth } from "../../app/static/status/status_panel.js";

test("what is not there is a dash", () => {
  for (const missing of [null, undefined]) {
    assert.equal(formatPercent(missing), "–");
    assert.equal(formatNumber(missing), "–");
  }
});

test("numbers keep three digits and have a minus sign", () => {
  assert.deepEqual([1.234, 12.34, 123.4, -0.5, 0].map(formatNumber), ["1.23", "12.3", "123", "−0.50", "0.00"]);
});

test("shares are percent", () => {
  assert.equal(formatPercent(0.945), "95\u00a0%");
  assert.equal(formatPercent(0.945, 1), "94.5\u00a0%");
});

test("a rounded zero has no sign", () => {
  assert.deepEqual(
    [-0.001, -0.5, 1].map((value) => formatCosine(value)),
    ["0.00", "−0.50", "1.00"],
  );
  assert.equal(formatCosine(-0.001, 3), "−0.001");
});

test("seconds become minutes and hours where those read better", () => {
  assert.deepEqual([0.4, 89, 90, 5399, 5400].map(formatDuration), ["0 s", "89 s", "2 min", "90 min", "1.5 h"]);
});

test("counts have thousands apart and their nouns in the plural", () => {
  assert.equal(formatInteger(1234567), "1,234,567");
  assert.deepEqual([formatCount(1, "round"), formatCount(0, "round")], ["1 round", "0 rounds"]);
  assert.deepEqual([formatAhead(1), formatAhead(3)], ["1 run is before yours", "3 runs are before yours"]);
});

test("every arm has a color, and none is a class's", () => {
  assert.equal(new Set(ARM_COLORS).size, MAX_ARMS);
  assert.deepEqual(
    ARM_COLORS.filter((color) => CLASS_COLORS.includes(color)),
    [],
  );
});

test("classes that are more than the named colors have one each", () => {
  const count = 100;
  const colors = Array.from({ length: count }, (_, i) => classColor(i, count));
  assert.equal(new Set(colors).size, count);
  assert.equal(classColor(2, 10), CLASS_COLORS[2]);
});

test("the server's numbers are written in words", () => {
  const health = {
    running: 2,
    capacity: 4,
    lost: 0,
    storage: { runs: 3, megabytes: 1.25, of: 512 },
    runs: { finished: 2 },
    refused: {},
    waits: { now: 0, usual: null, longest: 120 },
    versions: { torch: "2.9" },
    up_seconds: 10,
    state: "fine",
  };
  assert.deepEqual(
    [
      "running",
      "lost",
      "storage",
      "runs",
      "refused",
      "waits.now",
      "waits.usual",
      "waits.longest",
      "versions",
      "up_seconds",
      "state",
    ].map((path) => describeHealth(path, health)),
    [
      "2 of 4",
      "",
      "3 runs, 1.3 of 512 MB",
      "2 finished",
      "none",
      "none",
      "unknown",
      "2 min",
      "torch 2.9",
      "10 s",
      "fine",
    ],
  );
  assert.equal(describeHealth("storage", { ...health, storage: { of: 0 } }), "nothing");
});
