// The colors of classes and of arms.

import { CLASS_COLORS } from "./constants.js";

/**
 * A class's color, the same in every panel.
 * @param {number} index of the class
 * @param {number} count of classes
 */
export function classColor(index, count) {
  if (count <= CLASS_COLORS.length) return CLASS_COLORS[index];
  return `hsl(${(index * 137.508) % 360} ${55 + 15 * (index % 3)}% ${45 + 8 * (index % 2)}%)`;
}
