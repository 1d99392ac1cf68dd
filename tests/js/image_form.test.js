// A drawing in the form of its data set: where the ink comes to lie, and how large.

import assert from "node:assert/strict";
import { test } from "node:test";
import { average, formOf, toForm, toPicture } from "../../app/static/panels/image_form.js";

/**
 * A picture of one color with a rectangle of another.
 * @param {number} side
 * @param {[left: number, top: number, width: number, height: number]} box
 * @param {number} ink
 * @param {number} paper
 */
function picture(side, [left, top, width, height], ink = 255, paper = 0) {
  const data = new Uint8ClampedArray(4 * side * side).fill(255);
  for (let y = 0; y < side; y += 1)
    for (let x = 0; x < side; x += 1) {
      const inside = x >= left && x < left + width && y >= top && y < top + height;
      data.fill(inside ? ink : paper, 4 * (y * side + x), 4 * (y * side + x) + 3);
    }
  return { data, width: side, height: side };
}

/**
 * @param {number[]} pixels
 * @param {number} size
 */
function inked(pixels, size) {
  const places = pixels.flatMap((level, place) => (level > 0 ? [place] : []));
  const xs = places.map((place) => place % size);
  const ys = places.map((place) => Math.floor(place / size));
  return [Math.min(...xs), Math.min(...ys), Math.max(...xs), Math.max(...ys)];
}

test("a digit is 20 px high and centered by its mass in 28 px, wherever and however large it was drawn", () => {
  const form = formOf([1, 28, 28], "mnist");
  for (const box of /** @type {[number, number, number, number][]} */ ([
    [10, 20, 40, 80],
    [200, 180, 20, 40],
  ])) {
    const pixels = toForm(picture(280, box), form);
    assert.ok(pixels);
    assert.equal(pixels.length, 784);
    assert.deepEqual(inked(pixels, 28), [9, 4, 18, 23]);
    assert.equal(Math.max(...pixels), 255);
  }
});

test("the center of mass is in the middle, not the center of the box", () => {
  const uneven = picture(280, [100, 100, 100, 20]);
  const foot = picture(280, [100, 120, 20, 80]);
  for (let at = 0; at < uneven.data.length; at += 1)
    uneven.data[at] = Math.max(uneven.data[at] ?? 0, foot.data[at] ?? 0);
  const pixels = toForm(uneven, formOf([1, 28, 28], "mnist"));
  assert.ok(pixels);
  const mass = pixels.reduce((sum, level) => sum + level, 0);
  const x = pixels.reduce((sum, level, place) => sum + level * ((place % 28) + 0.5), 0) / mass;
  const y = pixels.reduce((sum, level, place) => sum + level * (Math.floor(place / 28) + 0.5), 0) / mass;
  assert.ok(Math.abs(x - 14) <= 0.5 && Math.abs(y - 14) <= 0.5, `${x}, ${y}`);
  assert.notDeepEqual(inked(pixels, 28), [4, 4, 23, 23]);
});

test("the digits of 8 px and clothes fill their images", () => {
  assert.deepEqual(inked(toForm(picture(80, [5, 5, 20, 40]), formOf([1, 8, 8], "digits")) ?? [], 8), [2, 0, 5, 7]);
  const clothes = toForm(picture(280, [5, 5, 100, 100]), formOf([1, 28, 28], "fashion")) ?? [];
  assert.deepEqual(inked(clothes, 28), [0, 0, 27, 27]);
});

test("dark ink on light paper is the same as light ink on dark paper", () => {
  const form = formOf([1, 28, 28], "mnist");
  const light = toForm(picture(280, [50, 60, 40, 80], 255, 0), form);
  assert.deepEqual(toForm(picture(280, [50, 60, 40, 80], 20, 230), form), light);
});

test("an empty picture has no form", () => {
  assert.equal(toForm(picture(280, [0, 0, 0, 0]), formOf([1, 28, 28], "mnist")), null);
});

test("a color picture is averaged, one channel after the other", () => {
  const red = { data: new Uint8ClampedArray(4 * 16).fill(255), width: 4, height: 4 };
  for (let place = 0; place < 16; place += 1) red.data.set([place % 4 < 2 ? 200 : 100, 10, 0], 4 * place);
  assert.deepEqual(toForm(red, formOf([3, 2, 2], "emoji10")), [200, 100, 200, 100, 10, 10, 10, 10, 0, 0, 0, 0]);
});

test("scaling keeps the mean, also where pixels do not fit whole", () => {
  const levels = Float64Array.from({ length: 49 }, (_, place) => (place * 37) % 256);
  const small = average(levels, 7, { left: 0, top: 0, width: 7, height: 7 }, 3, 5);
  const mean = (/** @type {ArrayLike<number>} */ values) =>
    Array.from(values).reduce((sum, value) => sum + value, 0) / values.length;
  assert.ok(Math.abs(mean(small) - mean(levels)) < 1e-9);
});

test("pixels are shown as they are", () => {
  const form = formOf([3, 1, 1], "emoji10");
  assert.deepEqual([...toPicture([1, 2, 3], form)], [1, 2, 3, 255]);
  assert.deepEqual([...toPicture([7], formOf([1, 1, 1], "x"))], [7, 7, 7, 255]);
});
