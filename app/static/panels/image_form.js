// Converts a picture to the form of a data set: its size, its channels, and the position of the ink.

const INK = 0.12; // share of full ink; fainter pixels do not count for the box
const MIDDLE = 127.5;

/**
 * The form of a data set's images.
 * @typedef {object} ImageForm
 * @property {number} channels 1 for gray, 3 for RGB
 * @property {number} size px a side
 * @property {number} box px: the longest side of the ink is scaled to this; 0 uses the whole picture
 * @property {boolean} byMass whether the ink is centered by its center of mass; else by its box
 */

/**
 * The form of a teacher's images. MNIST: 20 × 20 px centered by mass in 28 × 28 (http://yann.lecun.com/exdb/mnist).
 * Fashion-MNIST and the 8 × 8 digits of scikit-learn fill their images.
 * @param {number[]} shape channels, rows, columns
 * @param {string} teacher
 * @returns {ImageForm}
 */
export function formOf([channels = 1, size = 28], teacher) {
  if (channels === 3) return { channels, size, box: 0, byMass: false };
  if (size === 28 && teacher !== "fashion") return { channels, size, box: 20, byMass: true };
  return { channels, size, box: size, byMass: false };
}

/**
 * The picture in the data set's form: all rows of the first channel, then of the next, 0 to 255; null without any ink.
 * @param {{ data: Uint8ClampedArray, width: number, height: number }} picture RGBA
 * @param {ImageForm} form
 * @returns {number[] | null}
 */
export function toForm({ data, width, height }, form) {
  if (form.channels === 3) {
    const whole = { left: 0, top: 0, width, height };
    return [0, 1, 2].flatMap((channel) => {
      const levels = Float64Array.from({ length: width * height }, (_, place) => data[4 * place + channel] ?? 0);
      return average(levels, width, whole, form.size, form.size).map(Math.round);
    });
  }
  const ink = inkOf(data, width, height);
  const box = boxOf(ink, width, height);
  return box ? placed(ink, width, box, form) : null;
}

/**
 * The amount of ink of each pixel, 0 to 255, for light ink on dark paper and for dark ink on light paper.
 * @param {Uint8ClampedArray} data RGBA
 * @param {number} width
 * @param {number} height
 */
function inkOf(data, width, height) {
  const levels = Float64Array.from({ length: width * height }, (_, place) => luminance(data, 4 * place));
  const border = levels.filter((_, place) => {
    const [x, y] = [place % width, Math.floor(place / width)];
    return x === 0 || y === 0 || x === width - 1 || y === height - 1;
  });
  const paper = border.sort()[border.length >> 1] ?? 0; // the median
  const light = paper > MIDDLE;
  const most = levels.reduce((sum, level) => Math.max(sum, light ? paper - level : level - paper), 1);
  return levels.map((level) => (255 * Math.max(0, light ? paper - level : level - paper)) / Math.max(most, 32));
}

/**
 * @param {Uint8ClampedArray} data RGBA
 * @param {number} at
 */
function luminance(data, at) {
  return 0.299 * (data[at] ?? 0) + 0.587 * (data[at + 1] ?? 0) + 0.114 * (data[at + 2] ?? 0);
}

/** @typedef {{ left: number, top: number, width: number, height: number }} Box in px */

/**
 * The box around the ink; null if there is no ink.
 * @param {Float64Array} ink
 * @param {number} width
 * @param {number} height
 * @returns {Box | null}
 */
function boxOf(ink, width, height) {
  let [left, top, right, bottom] = [width, height, -1, -1];
  for (let y = 0; y < height; y += 1)
    for (let x = 0; x < width; x += 1)
      if ((ink[y * width + x] ?? 0) > 255 * INK) {
        left = Math.min(left, x);
        right = Math.max(right, x);
        top = Math.min(top, y);
        bottom = Math.max(bottom, y);
      }
  return right < 0 ? null : { left, top, width: right - left + 1, height: bottom - top + 1 };
}

/**
 * The ink, scaled and centered for the form.
 * @param {Float64Array} ink
 * @param {number} stride
 * @param {Box} box
 * @param {ImageForm} form
 */
function placed(ink, stride, box, { size, box: longest, byMass }) {
  const scale = longest / Math.max(box.width, box.height);
  const [columns, rows] = [box.width, box.height].map((side) => Math.max(1, Math.round(side * scale)));
  const small = average(ink, stride, box, columns ?? 1, rows ?? 1);
  const [left, top] = byMass
    ? massOffsets(small, columns ?? 1, rows ?? 1, size)
    : [Math.floor((size - (columns ?? 1)) / 2), Math.floor((size - (rows ?? 1)) / 2)];
  const pixels = new Array(size * size).fill(0);
  small.forEach((level, place) => {
    const [x, y] = [left + (place % (columns ?? 1)), top + Math.floor(place / (columns ?? 1))];
    pixels[y * size + x] = Math.min(255, Math.round(level));
  });
  return pixels;
}

/**
 * The position of a small image at which its center of mass is in the center; limited to the large image.
 * @param {number[]} levels
 * @param {number} columns
 * @param {number} rows
 * @param {number} size
 * @returns {[left: number, top: number]}
 */
function massOffsets(levels, columns, rows, size) {
  let [mass, x, y] = [0, 0, 0];
  levels.forEach((level, place) => {
    mass += level;
    x += level * ((place % columns) + 0.5);
    y += level * (Math.floor(place / columns) + 0.5);
  });
  /**
   * @param {number} center
   * @param {number} side
   */
  const offset = (center, side) => Math.max(0, Math.min(size - side, Math.round(size / 2 - center)));
  return [offset(x / mass, columns), offset(y / mass, rows)];
}

/**
 * A part of an image, scaled so that each new pixel is the mean of the area it covers.
 * @param {Float64Array} levels
 * @param {number} stride of a row
 * @param {Box} box
 * @param {number} columns
 * @param {number} rows
 * @returns {number[]}
 */
export function average(levels, stride, box, columns, rows) {
  const across = shares(box.width, columns);
  const down = shares(box.height, rows);
  return down.flatMap((lines) =>
    across.map((cells) => {
      let sum = 0;
      for (const [y, high] of lines)
        for (const [x, wide] of cells) sum += high * wide * (levels[(box.top + y) * stride + box.left + x] ?? 0);
      return sum;
    }),
  );
}

/**
 * For each of `count` new pixels: the old pixels that it covers, with their shares.
 * @param {number} length in old pixels
 * @param {number} count
 * @returns {[place: number, share: number][][]}
 */
function shares(length, count) {
  const step = length / count;
  return Array.from({ length: count }, (_, place) => {
    const [from, to] = [place * step, (place + 1) * step];
    /** @type {[number, number][]} */
    const covered = [];
    for (let old = Math.floor(from); old < Math.min(length, Math.ceil(to)); old += 1) {
      const share = (Math.min(to, old + 1) - Math.max(from, old)) / step;
      if (share > 1e-9) covered.push([old, share]);
    }
    return covered;
  });
}

/**
 * RGBA of pixels in a data set's form.
 * @param {number[]} pixels
 * @param {ImageForm} form
 */
export function toPicture(pixels, { channels, size }) {
  const area = size * size;
  const data = new Uint8ClampedArray(4 * area).fill(255);
  for (let place = 0; place < area; place += 1)
    for (let channel = 0; channel < 3; channel += 1)
      data[4 * place + channel] = pixels[place + (channels === 3 ? channel * area : 0)] ?? 0;
  return data;
}
