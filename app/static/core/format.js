// The numbers of the page as text. A missing value is a dash.

/**
 * A line does not break before the sign.
 * @param {number | null | undefined} share 0 to 1
 * @param {number} [digits] after the point
 */
export function formatPercent(share, digits = 0) {
  return share === null || share === undefined ? "–" : `${(100 * share).toFixed(digits)}\u00a0%`;
}

/**
 * Three digits; all digits before the decimal point if there are more.
 * @param {number | null | undefined} value
 */
export function formatNumber(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2).replace("-", "−");
}

/**
 * A number with a separator between thousands.
 * @param {number} value
 */
export function formatInteger(value) {
  return value.toLocaleString("en-GB");
}

/**
 * A count with its noun, in the plural if the count is not 1.
 * @param {number} count
 * @param {string} noun
 */
export function formatCount(count, noun) {
  return `${formatInteger(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * Seconds, minutes or hours.
 * @param {number} seconds
 */
export function formatDuration(seconds) {
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/**
 * An estimate: in steps of five seconds, then in minutes or hours.
 * @param {number} seconds
 */
export function formatAbout(seconds) {
  return formatDuration(seconds < 90 ? Math.max(5, 5 * Math.round(seconds / 5)) : seconds);
}

/**
 * A cosine; a rounded zero has no sign.
 * @param {number} value
 * @param {number} [digits]
 */
export function formatCosine(value, digits = 2) {
  return value
    .toFixed(digits)
    .replace("-", "−")
    .replace(/^−(0\.0+)$/, "$1");
}

/**
 * The number of runs before this one, and the estimated wait.
 * @param {number} ahead
 */
export function formatAhead(ahead) {
  return ahead === 1 ? "1 run is before yours" : `${ahead} runs are before yours`;
}
