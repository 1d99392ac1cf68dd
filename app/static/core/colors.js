// The colors of classes and of arms.

import { CLASS_COLORS } from "./constants.js";

/** Paul Tol's vibrant colors for the arms of a lab: anyone can tell them apart, and none is a class's. */
export const ARM_COLORS = ["#0077BB", "#EE7733", "#009988", "#CC3311", "#EE3377", "#777777"];

/**
 * A class's color, the same in every panel.
 * @param {number} index of the class
 * @param {number} count of classes
 */
export function classColor(index, count) {
  if (count <= CLASS_COLORS.length) return CLASS_COLORS[index];
  return `hsl(${(index * 137.508) % 360} ${55 + 15 * (index % 3)}% ${45 + 8 * (index % 2)}%)`;
}
