// The forward pass of our small classifiers in plain JavaScript: from layers and weights to logits.

/** @import { PlainNetwork, RoundedWeights } from "../core/types.d.ts" */

/** @typedef {{ values: Float64Array, channels: number, side: number }} Maps channel by channel, row by row */
/** @typedef {(outputs: number, inputs: number) => { weight: Float64Array, bias: Float64Array }} Next layer's weights */

/**
 * The logits of a network for an image.
 * @param {PlainNetwork} network
 * @param {RoundedWeights} weights
 * @param {number[]} pixels 0 to 255: all rows of the first channel, then of the next
 */
export function logitsOf({ layers, image: [channels, side], mean, std }, weights, pixels) {
  const values = perChannel(Float64Array.from(pixels), side * side, (level, channel) => {
    return (level / 255 - mean[channel]) / std[channel];
  });
  return passed({ values, channels, side }, layers, reading(weights)).values;
}

/**
 * Probabilities of logits.
 * @param {Float64Array} logits
 */
export function softmax(logits) {
  const most = Math.max(...logits);
  const powers = Array.from(logits, (logit) => Math.exp(logit - most));
  const sum = powers.reduce((one, other) => one + other, 0);
  return powers.map((power) => power / sum);
}

/**
 * A function that returns the weights layer by layer. A weight is its code times the step of its output.
 * @param {RoundedWeights} weights
 * @returns {Next}
 */
function reading({ codes, numbers }) {
  let [code, number] = [0, 0];
  return (outputs, inputs) => {
    const [steps, bias] = [number, Float64Array.from(numbers.slice(number + outputs, number + 2 * outputs))];
    const weight = Float64Array.from(codes.subarray(code, code + outputs * inputs), (one, place) => {
      return one * numbers[steps + Math.floor(place / inputs)];
    });
    code += outputs * inputs;
    number += 2 * outputs;
    return { weight, bias };
  };
}

/**
 * The maps after some layers.
 * @param {Maps} maps
 * @param {PlainNetwork["layers"]} layers
 * @param {Next} next
 * @returns {Maps}
 */
function passed(maps, layers, next) {
  return layers.reduce((now, [kind, ...sizes]) => {
    if (kind !== "residual") return layer(kind, now, /** @type {number[]} */ (sizes), next);
    const [branch = [], shortcut = []] = /** @type {PlainNetwork["layers"][]} */ (sizes);
    const [long, short] = [passed(now, branch, next), passed(now, shortcut, next)];
    return { ...long, values: long.values.map((value, place) => value + short.values[place]) };
  }, maps);
}

/**
 * The maps after one layer.
 * @param {string} kind
 * @param {Maps} maps
 * @param {number[]} sizes
 * @param {Next} next
 * @returns {Maps}
 */
function layer(kind, maps, sizes, next) {
  const { values, channels, side } = maps;
  const area = side * side;
  if (kind === "conv") return convolved(maps, sizes, next);
  if (kind === "linear") {
    const [inputs = 0, outputs = 0] = sizes;
    const { weight, bias } = next(outputs, inputs);
    const sums = bias.map((start, output) => {
      const row = weight.subarray(output * inputs, (output + 1) * inputs);
      return row.reduce((sum, factor, input) => sum + factor * values[input], start);
    });
    return { values: sums, channels: outputs, side: 1 };
  }
  if (kind === "scale") {
    const { weight, bias } = next(channels, 1);
    const scaled = perChannel(values, area, (value, channel) => value * weight[channel] + bias[channel]);
    return { ...maps, values: scaled };
  }
  if (kind === "relu") return { ...maps, values: values.map((value) => Math.max(0, value)) };
  if (kind === "halve") return halved(maps);
  const each = Float64Array.from({ length: channels }, (_, channel) => {
    const map = values.subarray(channel * area, (channel + 1) * area);
    return kind === "mean" ? map.reduce((sum, value) => sum + value, 0) / area : Math.max(...map);
  });
  return { values: each, channels, side: 1 };
}

/**
 * Applies a function to each value and its channel.
 * @param {Float64Array} values
 * @param {number} area number of values in a channel
 * @param {(value: number, channel: number) => number} change
 */
function perChannel(values, area, change) {
  return values.map((value, place) => change(value, Math.floor(place / area)));
}

/**
 * A convolution with a square kernel and zero padding.
 * @param {Maps} maps
 * @param {number[]} sizes
 * @param {Next} next
 * @returns {Maps}
 */
function convolved({ values, side }, [inputs = 0, outputs = 0, kernel = 1, stride = 1, padding = 0], next) {
  const { weight, bias } = next(outputs, inputs * kernel * kernel);
  const after = Math.floor((side + 2 * padding - kernel) / stride) + 1;
  const area = after * after;
  const result = new Float64Array(outputs * area);
  bias.forEach((start, output) => {
    result.fill(start, output * area, (output + 1) * area);
  });
  weight.forEach((factor, place) => {
    const [right, down] = [place % kernel, Math.floor(place / kernel) % kernel];
    const pair = Math.floor(place / (kernel * kernel)); // the pair of an output and an input channel
    const [output, input] = [Math.floor(pair / inputs), pair % inputs];
    const from = Math.max(0, Math.ceil((padding - right) / stride));
    const to = Math.min(after - 1, Math.floor((side - 1 + padding - right) / stride));
    for (let y = 0; y < after; y += 1) {
      const row = y * stride + down - padding;
      if (row < 0 || row >= side) continue;
      const source = (input * side + row) * side + right - padding;
      const target = output * area + y * after;
      for (let x = from; x <= to; x += 1) result[target + x] += factor * values[source + x * stride];
    }
  });
  return { values: result, channels: outputs, side: after };
}

/**
 * The largest of each 2 × 2 values; the last row and column of an odd side are left out.
 * @param {Maps} maps
 * @returns {Maps}
 */
function halved({ values, channels, side }) {
  const after = Math.floor(side / 2);
  const result = Float64Array.from({ length: channels * after * after }, (_, place) => {
    const [channel, y, x] = [Math.floor(place / after / after), Math.floor(place / after) % after, place % after];
    const corner = (channel * side + 2 * y) * side + 2 * x;
    return Math.max(...[0, 1, side, side + 1].map((step) => values[corner + step]));
  });
  return { values: result, channels, side: after };
}
